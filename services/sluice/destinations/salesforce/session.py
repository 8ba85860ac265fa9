"""The session of one user: logged in by any flow, shared by all calls, renewed, and never fought for.

1. The first call logs in; the others wait for it. The answer names the org's instance, to which the calls then go: the
   instance is taken anew at each login, because orgs move. §13, row 16
2. The session is renewed a minute before its time is over, and once for a call that is answered with an invalid
   session or a redirect. Jobs go on meanwhile: they belong to the user, not to the session. §2.2
3. A refused login is not repeated for a quarter of an hour: each failure brings the user nearer to being locked out.
   All calls get the same refusal until then.
"""

import time
from collections.abc import Callable

import httpx
import msgspec

from sluice.destinations.contract import BatchError, Misconfigured, Unavailable
from sluice.destinations.http import describe_request, message_line
from sluice.destinations.oauth import Token, TokenAuth, form_request, is_sendable
from sluice.destinations.salesforce.assertion import read_key, sign
from sluice.destinations.salesforce.login_settings import (
    ClientCredentialsLogin,
    JwtLogin,
    Login,
    PasswordLogin,
    SoapLogin,
)
from sluice.destinations.salesforce.soap_login import SoapSession, login_request, read_login
from sluice.destinations.salesforce.vendor_errors import SESSION_CODE, VendorError, read_error
from sluice.setting_types import Secret
from sluice.wall_clock import unix_s

LIFETIME_S = 7200.0
"""Used where the vendor names none, as for OAuth: two hours without use. §2.2, §2.3 [docs]"""
RENEW_BEFORE_S = 60.0
"""§2.2 [client sfbulkapi]"""
REFUSED_FOR_S = 900.0
"""Time in which a refused login is not repeated. [assumed]: the platform's shortest lock-out"""
BUSY_FOR_S = 300.0
"""Time in which a login that came at a bad moment is not repeated: "long back-off", §2.1 [assumed]"""
BUSY_CODES = frozenset(
    {
        "LOGIN_RATE_EXCEEDED",
        "REQUEST_LIMIT_EXCEEDED",
        "API_CURRENTLY_DISABLED",
        "SERVER_UNAVAILABLE",
        "UNKNOWN_EXCEPTION",
        "TEMPORARILY_UNAVAILABLE",
        "SERVER_ERROR",
    }
)
"""Codes of a login that may work later. §2.1 [docs], class and the last three [assumed]. All others need a person."""
ASYNC_PATH = "/services/async/"
"""Base of Bulk API 1.0, which has a header of its own for the session. §1 [docs]"""
MOVES = frozenset({301, 302, 307, 308})
"""Redirects of an org that lives elsewhere now. They say that nothing was done, which a 303 does not."""


class Session(TokenAuth):
    """Session at the org that ``url`` and ``login`` lead to. Raises ``Misconfigured`` for a refused login."""

    credentials = "`login`"

    def __init__(self, url: str, login: Login, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the key of a login by JWT. Raises ``Misconfigured`` for one that cannot sign."""
        url = url.rstrip("/")
        super().__init__(f"{url}/services/oauth2/token", {}, default_lifetime_s=LIFETIME_S, clock=clock)
        self._url = url
        self._login = login
        self._key = read_key(login.private_key) if isinstance(login, JwtLogin) else None

    def token_request(self) -> httpx.Request:
        """Return the request that logs in."""
        match self._login:
            case SoapLogin() as login:
                return login_request(self._url, login)
            case ClientCredentialsLogin() as login:
                form: dict[str, str | Secret] = {
                    "grant_type": "client_credentials",
                    "client_id": login.client_id,
                    "client_secret": login.client_secret,
                }
            case JwtLogin() as login:
                # Signed anew each time: there is no refresh token. §2.3 [docs]
                form = {"grant_type": JWT_BEARER, "assertion": Secret(sign(login, self._key, unix_s()))}
            case PasswordLogin() as login:
                form = {
                    "grant_type": "password",
                    "client_id": login.client_id,
                    "client_secret": login.client_secret,
                    "username": login.username,
                    "password": Secret(login.password.reveal() + login.security_token.reveal()),
                }
        return form_request(self._token_url, form)

    def read_token(self, response: httpx.Response) -> Token:
        """Return the session in ``response``. Raises ``Misconfigured``, and ``Unavailable`` for what passes."""
        if response.status_code in MOVES:
            place = response.headers.get("location", "nowhere")
            raise Misconfigured(f"{describe_request(response.request)} points to {place[:200]}; correct `url`")
        if isinstance(self._login, SoapLogin):
            return self._read_soap(response)
        if (error := read_error(response)) is not None and response.status_code in (400, 401, 403):
            raise self._refusal_from(error, response.status_code)
        token = super().read_token(response)
        return token._replace(base_url=self._instance(_read_place(response.content)))

    def authorize(self, request: httpx.Request, token: Token) -> None:
        """Put the session into ``request``, and direct it to the org's instance."""
        if request.url.path.startswith(ASYNC_PATH):
            request.headers["x-sfdc-session"] = token.value
        else:
            request.headers["authorization"] = f"Bearer {token.value}"
        instance = httpx.URL(token.base_url)
        request.url = request.url.copy_with(scheme=instance.scheme, host=instance.host, port=instance.port)
        request.headers["host"] = instance.netloc.decode()

    def is_stale(self, response: httpx.Response) -> bool:
        """Return whether ``response`` asks for a new login: by a 401, its code, or a redirect. §2.2; §13, row 16"""
        return response.status_code == 401 or is_refused_session(response)

    def renew_after_s(self, lifetime_s: float) -> float:
        """Return the age at which a session is renewed. §2.2"""
        return max(lifetime_s - RENEW_BEFORE_S, lifetime_s / 2)

    def refusal_lasts_s(self, refusal: BatchError) -> float:
        """Return how long nobody logs in again after ``refusal``."""
        match refusal:
            case _LoginRefused():
                return REFUSED_FOR_S
            case Unavailable(retry_after_s=wait_s):
                return wait_s or 0.0
        return 0.0

    def _read_soap(self, response: httpx.Response) -> Token:
        match read_login(response):
            case VendorError() as error:
                raise self._refusal_from(error, response.status_code)
            case SoapSession(password_expired=True):
                raise _LoginRefused(f"{self._who}: the password is expired; set a new one", response.status_code)
            case SoapSession() as session if response.status_code == 200 and is_sendable(session.session_id):
                instance = self._instance(session.server_url)
                return Token(session.session_id, session.lifetime_s or LIFETIME_S, instance)
        raise self._unavailable_from(response)

    def _refusal_from(self, error: VendorError, status: int) -> Misconfigured | Unavailable:
        message = f"{self._who}: {error.code}: {message_line(error.message, self.secrets())}"
        if error.code.upper() in BUSY_CODES:
            return Unavailable("auth", f"{message}; the next login is in {BUSY_FOR_S / 60:g} minutes", BUSY_FOR_S)
        hint = _HINTS.get(error.code, "correct `login`")
        pause = f"no login is tried for {REFUSED_FOR_S / 60:g} minutes, because failures lock the user out"
        return _LoginRefused(f"{message}; {hint}; {pause}", status)

    def _instance(self, address: str) -> str:
        """Return scheme and authority of ``address``, which a login has named. Raises ``Misconfigured``.

        A session is not sent in the clear because an answer says so.
        """
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL:
            url = httpx.URL()
        if not url.host or url.scheme not in ("https", httpx.URL(self._url).scheme):
            raise Misconfigured(f"{self._who}: expected an https address of the instance, got {address[:200]!r}")
        return f"{url.scheme}://{url.netloc.decode()}"

    @property
    def _who(self) -> str:
        login = self._login
        name = login.client_id if isinstance(login, ClientCredentialsLogin) else login.username
        return f"{httpx.URL(self._url).host} does not log in {name}"

    def secrets(self) -> list[str]:
        """Return the secrets of the login, which no message may show."""
        login = self._login
        named = (getattr(login, name, None) for name in ("password", "security_token", "client_secret", "private_key"))
        return [secret.reveal() for secret in named if isinstance(secret, Secret) and secret.reveal()]


def is_refused_session(response: httpx.Response) -> bool:
    """Return whether the vendor did nothing, because the session is over or the org is elsewhere."""
    if response.status_code in MOVES:
        return True
    error = read_error(response) if response.status_code in (400, 401, 403, 500) else None
    return error is not None and error.has_code(SESSION_CODE)


class _LoginRefused(Misconfigured):
    """A refusal by the vendor, of the user: each further one may lock the user out."""


class _Place(msgspec.Struct):
    """The place in a token's answer that OAuth itself has no name for. §2.3 [docs]"""

    instance_url: str = ""


def _read_place(content: bytes) -> str:
    try:
        return _decode_place(content).instance_url
    except msgspec.DecodeError:
        return ""


_decode_place = msgspec.json.Decoder(_Place).decode
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_HINTS = {
    "LOGIN_MUST_USE_SECURITY_TOKEN": "set `login.security_token`, or trust this network",
    "INVALID_OPERATION": "the org may have the SOAP login switched off: use another flow",
    "UNSUPPORTED_API_VERSION": "set `login.version` to one up to 64.0",
    "INVALID_OPERATION_WITH_EXPIRED_PASSWORD": "set a new password",
    "PASSWORD_LOCKOUT": "an administrator can unlock the user",
    "API_DISABLED_FOR_ORG": "the org's edition has no API",
    "INSUFFICIENT_ACCESS": "the user needs the permission API Enabled",
    "unsupported_grant_type": "the app does not allow this flow",
}
"""Advice to a person by code; a code that has none is about the login's own settings."""
