"""Tokens by the password grant, for one community. §2

1. Ask for a token; where the last answer had a ``refresh_token``, with that, once. If it is refused, with the password.
2. Bind the community, unless the token's scope names it already.
3. Use the token until 90 % of its lifetime are over, or a call is answered 401 where no lifetime came. [assumed]

Published clients look for ``error`` in the answer and not at its status: so an answer with it is a refusal, whatever
the status. [client:web]
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx
import msgspec

from sluice.destinations.contract import BatchError, Unavailable, http_status
from sluice.destinations.http import describe_request, error_message, retry_after_s
from sluice.destinations.liquid_decisions.settings import LiquidDecisionsSettings
from sluice.destinations.oauth import Token, TokenAuth, form_request, is_sendable
from sluice.setting_types import Secret


class Login(TokenAuth):
    """Bearer tokens of one user in one community."""

    credentials = "username, password, client_id, client_secret and community"

    def __init__(self, base_url: str, settings: LiquidDecisionsSettings) -> None:
        client: dict[str, str | Secret] = {"client_id": settings.client_id, "client_secret": settings.client_secret}
        form: dict[str, str | Secret] = {
            "grant_type": "password",
            # The client's own is always sent when there is one; published examples have none. §2 [client:java]
            **(client if settings.client_id else {}),
            "username": settings.username,
            "password": settings.password,
        }
        if settings.community_by == "scope":
            form["scope"] = f"community={settings.community}"
        super().__init__(f"{base_url}/oauth2/token", form)
        self._client = client if settings.client_id else {}
        self._community_url = f"{base_url}/oauth2/setCommunity"
        self._community = settings.community if settings.community_by == "setCommunity" else ""
        self._refresh_token = ""
        self.issued = 0
        """Tokens that were had so far."""

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Yield the requests that httpx is to send."""
        async with aclosing(super().async_auth_flow(request)) as flow:
            outgoing = await anext(flow)
            while True:
                response = yield outgoing
                if outgoing is not request:
                    if _grant_of(response) is None and self._take_refresh_token():
                        response = yield self.token_request()
                    if self._community and (grant := _grant_of(response)) is not None:
                        self._expect_bound((yield self._binding(grant)))
                try:
                    outgoing = await flow.asend(response)
                except StopAsyncIteration:
                    return

    def token_request(self) -> httpx.Request:
        """Return the request that asks for a token."""
        if not self._refresh_token:
            return super().token_request()
        refresh: dict[str, str | Secret] = {
            "grant_type": "refresh_token",
            **self._client,
            "refresh_token": Secret(self._refresh_token),
        }
        return form_request(self._token_url, refresh)

    def read_token(self, response: httpx.Response) -> Token:
        """Return the token in the answer. Raises ``Unavailable`` for a refusal."""
        grant = _grant_of(response)
        if grant is None:
            self._refresh_token = ""
            raise self._refusal_of(response)
        self._refresh_token = grant.refresh_token
        self.issued += 1
        return Token(grant.access_token, grant.expires_in)

    def secrets(self) -> list[str]:
        """Return what no message may show."""
        return [*super().secrets(), self._refresh_token]

    def _take_refresh_token(self) -> bool:
        """Forget the refresh token, which is good for one try; return whether there was one."""
        had_one, self._refresh_token = bool(self._refresh_token), ""
        return had_one

    def _binding(self, grant: "_Grant") -> httpx.Request:
        binding = form_request(self._community_url, {"community": self._community})
        self.authorize(binding, Token(grant.access_token, None))
        return binding

    def _expect_bound(self, response: httpx.Response) -> None:
        if response.status_code != 200 or _decode_error(response).error:
            raise self._refusal_of(response)

    def _refusal_of(self, response: httpx.Response) -> BatchError:
        status = response.status_code
        answer = _decode_error(response)
        if not answer.error:
            return self._unavailable_from(response)
        reason = error_message(response, self.secrets())
        message = f"{describe_request(response.request)} gave no token but {answer.error}: {reason}"
        if status == 429 or status >= 500:
            overloaded = status in (429, 503)
            return Unavailable(http_status(status), message, retry_after_s(response), overloaded=overloaded)
        return Unavailable("auth", f"{message}; check {self.credentials}", retry_after_s(response))


class _Grant(msgspec.Struct):
    """The answer of RFC 6749 §5.1; a number may come as a string."""

    access_token: str = ""
    expires_in: float | None = None
    refresh_token: str = ""
    error: str | None = None


class _Refusal(msgspec.Struct):
    error: str | None = None


def _grant_of(response: httpx.Response) -> _Grant | None:
    """Return the grant in an answer; ``None`` for one with an ``error``, or without a token that can be sent."""
    try:
        grant = _decode_grant(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    has_token = response.status_code == 200 and grant.error is None and is_sendable(grant.access_token)
    return grant if has_token else None


def _decode_error(response: httpx.Response) -> _Refusal:
    try:
        return _decode_refusal(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Refusal()


_decode_grant = msgspec.json.Decoder(_Grant, strict=False).decode
_decode_refusal = msgspec.json.Decoder(_Refusal, strict=False).decode
