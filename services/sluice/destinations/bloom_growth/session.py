"""Session of one user: a token by the password grant, kept in a file if one is named, and never fought for. §2

1. The first call asks the file, then logs in. A token lives for two weeks; there is no refresh token.
2. On a 401 the file is read again: another writer may have logged in. Else one login.
3. A refused login is not tried again for a quarter of an hour, over restarts, too, if there is a file.
4. A fresh token that is refused was ended by somebody else's login, if the service allows one session a user (§15:
   unknown). After the second one nobody logs in for a quarter of an hour: logging in would only end the other's.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from math import inf

import httpx
import msgspec

from sluice.destinations.bloom_growth.assumptions import (
    FRESH_FOR_S,
    MAX_FRESH_REFUSALS,
    REFUSED_FOR_S,
    TOKEN_LIFETIME_S,
)
from sluice.destinations.bloom_growth.settings import BloomGrowthSettings
from sluice.destinations.bloom_growth.token_file import TokenFile
from sluice.destinations.contract import BatchError, Misconfigured, Unavailable
from sluice.destinations.oauth import Token, TokenAuth
from sluice.setting_types import Secret
from sluice.wall_clock import unix_s


class ApiKey(httpx.Auth):
    """A token that a person has got and renews. §2"""

    def __init__(self, api_key: Secret) -> None:
        self._api_key = api_key

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Yield the request with the token."""
        request.headers["authorization"] = f"Bearer {self._api_key.reveal().strip()}"
        yield request


class Session(TokenAuth):
    """Session of the user ``user_name``."""

    credentials = "`user_name` and `password`"

    def __init__(
        self, host: str, user_name: str, password: Secret, file: TokenFile | None, *, fresh_for_s: float = FRESH_FOR_S
    ) -> None:
        form: dict[str, str | Secret] = {"grant_type": "password", "userName": user_name, "password": password}
        super().__init__(f"{host}/Token", form, default_lifetime_s=TOKEN_LIFETIME_S)
        self._user_name = user_name
        self._file = file
        self._fresh_for_s = fresh_for_s
        self._got_at_s = -inf
        self._judged: Token | None = None
        self._fresh_refusals = 0
        self._stopped_until_s = -inf

    @asynccontextmanager
    async def login_turn(self, stale: Token | None) -> AsyncIterator[Token | None]:
        """Wait until nobody else logs in; yield the token that somebody else has got."""
        self._judge(stale)
        if self._file is None:
            yield None
            return
        async with AsyncExitStack() as locked:
            try:
                await locked.enter_async_context(self._file.lock())
            except OSError as error:
                raise Misconfigured(f"cannot keep the token in `token_path`: {error}; correct it") from error
            yield await self._kept(stale)

    async def keep(self, found: Token | BatchError) -> None:
        """Take note of a login's end, in the file, too."""
        now_s = asyncio.get_running_loop().time()
        if isinstance(found, Token):
            self._got_at_s = now_s
        if self._file is None:
            return
        try:
            if isinstance(found, Token):
                lifetime_s = found.lifetime_s or TOKEN_LIFETIME_S
                await self._file.keep_token(found.value, unix_s() + lifetime_s)
            elif isinstance(found, LoginRefused):
                await self._file.keep_refusal(str(found), unix_s() + REFUSED_FOR_S)
        except OSError as error:
            raise Misconfigured(f"cannot keep the token in `token_path`: {error}; correct it") from error

    def read_token(self, response: httpx.Response) -> Token:
        """Return the token in ``response``. Raises ``LoginRefused``, and ``Unavailable`` for what passes."""
        try:
            return super().read_token(response)
        except Unavailable as error:
            # 400 as OAuth prescribes, or 401. §2 [client:other], [test:mock] Without OAuth's code it may be a proxy's.
            if response.status_code not in (400, 401) or not _names_an_error(response.content):
                raise
            raise LoginRefused("auth", f"{error}; no login is tried for {REFUSED_FOR_S / 60:g} minutes") from error

    def refusal_lasts_s(self, refusal: BatchError) -> float:
        """Return how long nobody logs in again after ``refusal``."""
        if isinstance(refusal, LoginRefused):
            return REFUSED_FOR_S
        return refusal.retry_after_s or 0.0 if isinstance(refusal, Unavailable) else 0.0

    def _judge(self, stale: Token | None) -> None:
        """Count fresh tokens that are refused. Raises ``Unavailable`` when two processes end each other's."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._stopped_until_s:
            raise Unavailable("auth", self._shared)
        if stale is None or stale is self._judged:
            return  # also where the login in its place has failed, and is tried again
        self._judged = stale
        self._fresh_refusals = self._fresh_refusals + 1 if now_s - self._got_at_s < self._fresh_for_s else 0
        if self._fresh_refusals >= MAX_FRESH_REFUSALS:
            self._fresh_refusals = 0
            self._stopped_until_s = now_s + REFUSED_FOR_S
            raise Unavailable("auth", self._shared)

    async def _kept(self, stale: Token | None) -> Token | None:
        kept = await self._file.read() if self._file is not None else None
        now_s = unix_s()
        if kept is None:
            return None
        if kept.token and (stale is None or kept.token != stale.value) and kept.expires_at_s > now_s:
            return Token(kept.token, kept.expires_at_s - now_s)
        if kept.refused_until_s > now_s:
            raise LoginRefused("auth", kept.refusal)
        return None

    @property
    def _shared(self) -> str:
        return (
            f"fresh tokens of {self._user_name} are refused: two processes seem to share a user who may have one "
            "session, and end each other's; give each a user of its own, or one `token_path` to all on this machine; "
            f"no login is tried for {REFUSED_FOR_S / 60:g} minutes"
        )


class _OAuthError(msgspec.Struct):
    """RFC 6749 §5.2"""

    error: str


_decode_error = msgspec.json.Decoder(_OAuthError).decode


def _names_an_error(content: bytes) -> bool:
    try:
        return bool(_decode_error(content).error)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


class LoginRefused(Unavailable):
    """A refusal of the user: each further one may lock the user out."""


def open_session(settings: BloomGrowthSettings) -> httpx.Auth:
    """Return the way in which ``settings`` say that calls are authorized."""
    if settings.password is None:
        return ApiKey(settings.api_key or Secret(""))
    path = settings.token_path
    file = None if path is None else TokenFile(path, settings.host, settings.user_name, settings.password)
    return Session(settings.host, settings.user_name, settings.password, file, fresh_for_s=settings.fresh_token_s)
