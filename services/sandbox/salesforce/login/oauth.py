"""``POST /services/oauth2/token``: client credentials, JWT bearer, username-password. salesforce_bulk.md §2.3."""

import base64
import hashlib
import hmac

from sandbox.http.authorization import client_credentials
from sandbox.http.messages import FORM, Request, Response, as_json, first_values
from sandbox.salesforce.login.assertion import read_assertion
from sandbox.salesforce.login.credentials import Credentials, LoginRefused
from sandbox.salesforce.login.refusal import OAuthRefusal
from sandbox.salesforce.login.soap_login import instance_url
from sandbox.salesforce.org import Org
from sandbox.salesforce.sessions import OrgUser

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
Form = dict[str, str]


class OAuth:
    """Token endpoint of the connected app."""

    def __init__(self, org: Org, credentials: Credentials) -> None:
        self._org = org
        self._settings = org.settings
        self._credentials = credentials

    def token(self, request: Request) -> Response:
        try:
            return self._granted(self._grant(_read_form(request), request), request)
        except OAuthRefusal as refusal:
            return refusal.response()
        except LoginRefused as refusal:
            return OAuthRefusal("invalid_grant", str(refusal)).response()

    def _grant(self, form: Form, request: Request) -> OrgUser:
        match _required(form, "grant_type"):
            case "client_credentials":
                return self._client_credentials(form, request)
            case "password" if self._settings.allow_password_flow:
                self._check_client(form, request)
                return self._credentials.check(_required(form, "username"), _required(form, "password"))
            case grant_type if grant_type == _JWT_BEARER:
                return self._jwt_bearer(form, request)
        raise OAuthRefusal("unsupported_grant_type", "grant type not supported")

    def _client_credentials(self, form: Form, request: Request) -> OrgUser:
        """Log in on the org's own host only: ``login.`` and ``test.`` refuse. §2.3 [docs], error [assumed]"""
        if request.header("host").lower().startswith(("login.", "test.")):
            raise OAuthRefusal("invalid_grant", "request not supported on this domain")
        self._check_client(form, request)
        return self._user(self._settings.client_user, "no client credentials user enabled")

    def _jwt_bearer(self, form: Form, request: Request) -> OrgUser:
        """Log in by an assertion, without a refresh token. §2.3 [docs]"""
        claims = read_assertion(_required(form, "assertion"), self._settings.jwt_public_key)
        claims.check(
            client_id=self._settings.client_id, own=instance_url(self._org, request), now=self._org.clock.now()
        )
        return self._user(claims.sub, "user hasn't approved this consumer")

    def _user(self, username: str, otherwise: str) -> OrgUser:
        user = self._org.sessions.user(username)
        if user is None:
            raise OAuthRefusal("invalid_grant", otherwise)
        self._credentials.count_login(user)
        return user

    def _check_client(self, form: Form, request: Request) -> None:
        """Check id and secret, from the form or HTTP Basic. §2.3 [docs] [client simple-salesforce]"""
        basic = client_credentials(request.header("authorization"))
        client_id, secret = basic or (_required(form, "client_id"), _required(form, "client_secret"))
        if not client_id:
            raise OAuthRefusal("invalid_request", "expected Authorization: Basic base64(id:secret)")
        if client_id != self._settings.client_id:
            raise OAuthRefusal("invalid_client_id", "client identifier invalid")
        if secret != self._settings.client_secret:
            raise OAuthRefusal("invalid_client", "invalid client credentials")

    def _granted(self, user: OrgUser, request: Request) -> Response:
        """Return the token, without ``expires_in``. §2.3 [docs]"""
        identity = f"https://login.salesforce.com/id/{self._settings.org_id}/{user.id}"
        issued_at = str(self._org.clock.now_ms())
        secret = self._settings.client_secret.encode()
        digest = hmac.new(secret, (identity + issued_at).encode(), hashlib.sha256).digest()
        return as_json(
            {
                "access_token": self._org.sessions.open(user),
                "signature": base64.b64encode(digest).decode(),
                "scope": "api",
                "instance_url": instance_url(self._org, request),
                "id": identity,
                "token_type": "Bearer",
                "issued_at": issued_at,
            }
        )


def _read_form(request: Request) -> Form:
    if request.media_type != FORM:
        raise OAuthRefusal("invalid_request", f"expected Content-Type {FORM}")
    return {name: value for name, value in first_values(request.form).items() if value}


def _required(form: Form, name: str) -> str:
    if name not in form:
        raise OAuthRefusal("invalid_request", f"missing required parameter: {name}")
    return form[name]
