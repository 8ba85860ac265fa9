"""Access tokens of vendors with an OAuth token endpoint, as an ``httpx.Auth``.

1. A request that finds no token, or one past 90 % of its lifetime, asks for a new one. Only one request asks at a time;
   the others wait and then share the new token or the refusal.
2. The request is sent with the token.
3. If it is answered 401, it had no effect: steps 1 and 2 are done once more. A request with a ``RESEND_CHECK`` that
   does not trust this 401 is not sent again; the next one asks for a new token.

A refusal of a login may be kept for a while (``refusal_lasts_s``): until then requests get it at once, and nobody asks.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from math import inf
from typing import NamedTuple

import httpx
import msgspec

from sluice.destinations.contract import BatchError, Unavailable, http_status
from sluice.destinations.http import describe_request, error_message, retry_after_s
from sluice.setting_types import Secret

RESEND_CHECK = "sluice.resend-check"
"""Name of the request extension that holds a :data:`ResendCheck`. A request without it may be sent again."""
ResendCheck = Callable[[httpx.Response], bool]
"""Returns whether an answer that refuses the token proves that the request had no effect."""
RENEW_AFTER = 0.9
"""Share of a token's lifetime after which it is renewed. blueconic.md §2 [client]"""


class Token(NamedTuple):
    """An access token and how long it is valid; ``None``: until a request is refused."""

    value: str
    lifetime_s: float | None
    base_url: str = ""
    """The address that it is for, where the vendor names one."""


class TokenAuth(httpx.Auth):
    """Bearer tokens from an OAuth token endpoint that takes a form, such as the client-credentials grant.

    A refusal raises ``Unavailable``: it says nothing about the records. Does no I/O of its own.

    Override ``token_request`` and ``read_token`` for another kind of login, ``authorize`` for another header,
    ``is_stale`` for another sign of a stale token, ``renew_after_s`` and ``refusal_lasts_s`` for other times,
    ``login_turn`` and ``keep`` to share tokens with other processes.
    """

    requires_response_body = True
    credentials = "the client id and secret"
    """Settings to check when they are refused, for a message."""

    def __init__(
        self,
        token_url: str,
        form: Mapping[str, str | Secret],
        *,
        default_lifetime_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use ``default_lifetime_s`` for a token whose lifetime the vendor does not name. ``clock`` is in seconds."""
        self._token_url = token_url
        self._form = form
        self._default_lifetime_s = default_lifetime_s
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token: Token | None = None
        self._renew_at_s = 0.0
        self._answers = 0
        self._refusal: BatchError | None = None
        self._refused_until_s = -inf

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Yield the requests that httpx is to send."""
        stale: Token | None = None
        for _ in range(2):
            answers = self._answers
            # The lock is held until the token endpoint has answered, so whoever waits for it finds the new token: it is
            # no longer the one that was stale for it.
            async with self._lock:
                token = self._token
                if token is None or token is stale or self._clock() >= self._renew_at_s:
                    # Another request asked while this one waited, and was refused: asking again would only add load.
                    if self._refusal and (self._answers > answers or self._clock() < self._refused_until_s):
                        raise self._refusal.with_traceback(None)
                    async with self.login_turn(stale) as found:
                        if found is None:
                            try:
                                found = self._store((yield self.token_request()))
                            except BatchError as error:
                                await self.keep(error)
                                raise
                            await self.keep(found)
                        else:
                            self._use(found)
                        token = found
            self.authorize(request, token)
            response = yield request
            if not self.is_stale(response):
                return
            stale = token
            check: ResendCheck | None = request.extensions.get(RESEND_CHECK)
            if check is not None and not check(response):
                if self._token is stale:
                    self._token = None
                return

    @asynccontextmanager
    async def login_turn(self, stale: Token | None) -> AsyncIterator[Token | None]:  # noqa: ARG002  # as above
        """Wait for the turn to ask for a token in place of ``stale``; yield one that somebody else has got, if any."""
        yield None

    async def keep(self, found: Token | BatchError) -> None:
        """Take note of a new token, or of a refusal."""

    def token_request(self) -> httpx.Request:
        """Return the request that asks for a token."""
        return form_request(self._token_url, self._form)

    def read_token(self, response: httpx.Response) -> Token:
        """Return the token in the answer to ``token_request``. Raises ``BatchError`` when there is no usable one."""
        try:
            answer = _decode_grant(response.content) if response.status_code == 200 else _Grant()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            answer = _Grant()
        if not is_sendable(answer.access_token):
            raise self._unavailable_from(response)
        lifetime_s = answer.expires_in if answer.expires_in is not None else self._default_lifetime_s
        return Token(answer.access_token, lifetime_s)

    def authorize(self, request: httpx.Request, token: Token) -> None:
        """Put ``token`` into ``request``."""
        request.headers["authorization"] = f"Bearer {token.value}"

    def is_stale(self, response: httpx.Response) -> bool:
        """Return whether ``response`` says that the token is not, or no longer, valid."""
        return response.status_code == 401

    def renew_after_s(self, lifetime_s: float) -> float:
        """Return the age at which a token that is valid for ``lifetime_s`` is renewed."""
        return RENEW_AFTER * lifetime_s

    def refusal_lasts_s(self, refusal: BatchError) -> float:  # noqa: ARG002  # for others to override
        """Return how long nobody asks for a token again after ``refusal``."""
        return 0.0

    def secrets(self) -> list[str]:
        """Return what no message may show."""
        return [value.reveal() for value in self._form.values() if isinstance(value, Secret)]

    def _store(self, response: httpx.Response) -> Token:
        self._token = self._refusal = None
        self._answers += 1
        try:
            token = self.read_token(response)
        except BatchError as error:
            self._refusal = error
            self._refused_until_s = self._clock() + self.refusal_lasts_s(error)
            raise
        self._use(token)
        return token

    def _use(self, token: Token) -> None:
        self._token = token
        lifetime_s = inf if token.lifetime_s is None else token.lifetime_s
        self._renew_at_s = self._clock() + self.renew_after_s(lifetime_s)

    def _unavailable_from(self, response: httpx.Response) -> Unavailable:
        status = response.status_code
        reason = error_message(response, self.secrets()) if status != 200 else "no usable access_token"
        message = f"{describe_request(response.request)} gave no token but {status}: {reason}"
        if status == 429 or status >= 500:
            overloaded = status in (429, 503)
            return Unavailable(http_status(status), message, retry_after_s(response), overloaded=overloaded)
        what = self.credentials if status in (400, 401, 403) else "`url`"
        return Unavailable("auth", f"{message}; check {what}", retry_after_s(response))


def form_request(url: str, form: Mapping[str, str | Secret]) -> httpx.Request:
    """Return the request that asks the token endpoint at ``url`` with ``form``."""
    values = {name: value.reveal() if isinstance(value, Secret) else value for name, value in form.items()}
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    return httpx.Request("POST", url, data=values, headers=headers)


def is_sendable(token: str) -> bool:
    """Return whether ``token`` can be sent in a header: as visible ASCII alone. RFC 6749 appendix A.12"""
    return re.fullmatch(r"[\x21-\x7e]+", token) is not None


class _Grant(msgspec.Struct):
    """The answer of RFC 6749 §5.1; some vendors send the number as a string."""

    access_token: str = ""
    expires_in: float | None = None


_decode_grant = msgspec.json.Decoder(_Grant, strict=False).decode
