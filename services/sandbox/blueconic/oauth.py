"""``POST /oauth/token`` and ``/oauth/revoke``. blueconic.md §2: shapes and statuses [spec], error codes RFC 6749."""

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from sandbox.blueconic.settings import Settings
from sandbox.blueconic.tokens import Tokens
from sandbox.http.authorization import client_credentials
from sandbox.http.messages import FORM, Request, Response, as_json, first_values

Form = dict[str, str]


class TokenAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A granted token. ``refresh_token`` is optional; client credentials get none. §2 [spec], [docs]"""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str | None = None


class OAuthRefusal(Exception):
    """A refusal with ``error`` and ``error_description``. §2 [spec shape]"""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status

    def response(self) -> Response:
        challenge = (("www-authenticate", 'Basic realm="BlueConic"'),) if self.status == 401 else ()
        body = {"error": self.error, "error_description": str(self)}
        return as_json(body, status=self.status, headers=challenge)


Grant = Callable[[Form], TokenAnswer]


class OAuth:
    """The token endpoints: they issue and revoke tokens for a client that sends its id and secret."""

    def __init__(self, settings: Settings, tokens: Tokens, other_grants: Mapping[str, Grant]) -> None:
        self._settings = settings
        self._tokens = tokens
        self._grants = {"client_credentials": self._grant_client_credentials, **other_grants}

    def token(self, request: Request) -> Response:
        return self._answer(request, self._grant)

    def revoke(self, request: Request) -> Response:
        return self._answer(request, self._revoke)

    def _answer(self, request: Request, act: Callable[[Form], Response]) -> Response:
        try:
            return act(self._authenticated_form(request))
        except OAuthRefusal as refusal:
            return refusal.response()

    def _grant(self, form: Form) -> Response:
        asked = required(form, "grant_type")
        grant = self._grants.get(asked)
        if grant is None:
            known = ", ".join(self._grants)
            raise OAuthRefusal("unsupported_grant_type", f"expected one of {known}, got {asked}")
        return as_json(grant(form))

    def _revoke(self, form: Form) -> Response:
        """Answer 200 for an unknown token too: RFC 7009 §2.2."""
        self._tokens.revoke(required(form, "token"))
        return Response(status=200)

    def _grant_client_credentials(self, form: Form) -> TokenAnswer:
        """Grant the scopes in ``scope``, which must be registered ones; without it all. §2 [client] + [assumed]"""
        asked = frozenset(form["scope"].split()) if "scope" in form else self._settings.scopes
        if not asked <= self._settings.scopes:
            raise OAuthRefusal("invalid_scope", f"not granted: {' '.join(sorted(asked - self._settings.scopes))}")
        return TokenAnswer(
            access_token=self._tokens.issue(asked), token_type="Bearer", expires_in=self._settings.token_lifetime_s
        )

    def _authenticated_form(self, request: Request) -> Form:
        """Read id and secret from the form, or ``Authorization: Basic``, as BlueConic's MCP server does. §2 [client]"""
        form = _read_form(request)
        client = client_credentials(request.header("authorization")) or (
            form.get("client_id"),
            form.get("client_secret"),
        )
        if client != (self._settings.client_id, self._settings.client_secret):
            raise OAuthRefusal("invalid_client", "unknown client_id or wrong client_secret", status=401)
        return form


def required(form: Form, name: str) -> str:
    if name not in form:
        raise OAuthRefusal("invalid_request", f"{name} is required")
    return form[name]


def _read_form(request: Request) -> Form:
    if request.media_type != FORM:
        raise OAuthRefusal("invalid_request", f"expected Content-Type {FORM}")
    repeated = sorted(name for name, values in request.form.items() if len(values) > 1)
    if repeated:
        raise OAuthRefusal("invalid_request", f"sent more than once: {', '.join(repeated)}")
    return {name: value for name, value in first_values(request.form).items() if value}
