"""The authorization code flow with PKCE, and refresh tokens that rotate. blueconic.md §2 [spec], [docs]; RFC 7636.

There is no login page: a request with the registered redirect URI counts as consent. [assumed]
"""

import hashlib
from base64 import urlsafe_b64encode
from typing import NamedTuple
from urllib.parse import urlencode

from sandbox.blueconic.oauth import Form, OAuthRefusal, TokenAnswer, required
from sandbox.blueconic.settings import Settings
from sandbox.blueconic.tokens import Scopes, Tokens
from sandbox.clock import Clock
from sandbox.http.messages import Request, Response, first_values
from sandbox.token_table import TokenTable

_CODE_LIFETIME_S = 60
"""Lifetime of a code; none is documented. [assumed]"""


class _Code(NamedTuple):
    challenge: str
    method: str


class AuthorizationCode:
    """Issuer of codes for a registered redirect URI, and of tokens for codes and refresh tokens."""

    def __init__(self, settings: Settings, tokens: Tokens, clock: Clock) -> None:
        self._settings = settings
        self._tokens = tokens
        self._codes = TokenTable[_Code](clock)

    def clear(self) -> None:
        self._codes.end_all()

    def authorize(self, request: Request) -> Response:
        """Answer 302 to the redirect URI, with a code or an error; 400 if the client or the URI is not registered."""
        asked = first_values(request.query)
        registered = self._settings.redirect_uri
        if asked.get("client_id") != self._settings.client_id:
            return OAuthRefusal("unauthorized_client", "unknown client_id").response()
        if registered is None or asked.get("redirect_uri") != registered:
            return OAuthRefusal("invalid_request", "redirect_uri must match the registered one exactly").response()
        answer = self._authorize(asked)
        if "state" in asked:
            answer["state"] = asked["state"]
        location = f"{registered}{'&' if '?' in registered else '?'}{urlencode(answer)}"
        return Response(status=302, headers=(("location", location),))

    def _authorize(self, asked: Form) -> Form:
        method = asked.get("code_challenge_method", "PLAIN").upper()
        if asked.get("response_type") != "code":
            return {"error": "unsupported_response_type"}
        if not asked.get("code_challenge") or method not in ("PLAIN", "S256"):
            return {"error": "invalid_request"}
        return {"code": self._codes.issue(_Code(asked["code_challenge"], method), _CODE_LIFETIME_S)}

    def grant_code(self, form: Form) -> TokenAnswer:
        """Exchange a code, once, with the verifier that its challenge was made from."""
        self._refuse_unregistered()
        code = self._codes.take(required(form, "code"))
        verifier = required(form, "code_verifier")
        if required(form, "redirect_uri") != self._settings.redirect_uri:
            raise OAuthRefusal("invalid_grant", "redirect_uri differs from the registered one")
        if code is None:
            raise OAuthRefusal("invalid_grant", "unknown, used or expired code")
        if _challenge(verifier, code.method) != code.challenge:
            raise OAuthRefusal("invalid_grant", "code_verifier does not fit the code_challenge")
        return self._answer(self._settings.scopes)

    def grant_refresh(self, form: Form) -> TokenAnswer:
        """Exchange a refresh token for a new one; the used one ends."""
        self._refuse_unregistered()
        scopes = self._tokens.use_refresh(required(form, "refresh_token"))
        if scopes is None:
            raise OAuthRefusal("invalid_grant", "unknown or used refresh_token")
        return self._answer(scopes)

    def _refuse_unregistered(self) -> None:
        """Refuse an application without a redirect URI: it was registered for client credentials only."""
        if self._settings.redirect_uri is None:
            raise OAuthRefusal("unauthorized_client", "the application is registered for client credentials")

    def _answer(self, scopes: Scopes) -> TokenAnswer:
        return TokenAnswer(
            access_token=self._tokens.issue(scopes),
            token_type="Bearer",
            expires_in=self._settings.token_lifetime_s,
            refresh_token=self._tokens.issue_refresh(scopes),
        )


def _challenge(verifier: str, method: str) -> str:
    if method == "PLAIN":
        return verifier
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
