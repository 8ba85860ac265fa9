"""Bearer tokens: issued, checked on every call, expired by the sandbox's clock, revoked."""

import secrets
from typing import NamedTuple, TypeVar

from sandbox.authorization import bearer_token
from sandbox.clock import Clock
from sandbox.messages import Request, Response

_MAX_KEPT = 100_000
T = TypeVar("T")


class Token(NamedTuple):
    """What its bearer may do, and until when (sandbox seconds since 1970)."""

    scopes: frozenset[str]
    expires_at: float


class Tokens:
    """The tokens that are alive. Past 100,000 the oldest dies; refresh tokens do not expire. [assumed]"""

    def __init__(self, clock: Clock, lifetime_s: int) -> None:
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._alive: dict[str, Token] = {}
        self._refresh: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._alive)

    def issue(self, scopes: frozenset[str]) -> str:
        token = Token(scopes, self._clock.now() + self._lifetime_s)
        return keep_under_new_name(self._alive, token)

    def issue_refresh(self) -> str:
        return keep_under_new_name(self._refresh, None)

    def use_refresh(self, name: str) -> bool:
        """Whether there was such a refresh token; it is dead now."""
        return self._refresh.pop(name, False) is None

    def revoke(self, name: str) -> None:
        """Ends an access or refresh token, if there is one of that name."""
        self._alive.pop(name, None)
        self._refresh.pop(name, None)

    def expire_all(self) -> int:
        """Ends every access token; returns how many there were."""
        count = len(self._alive)
        self._alive.clear()
        return count

    def clear(self) -> None:
        self._alive.clear()
        self._refresh.clear()

    def refuse(self, request: Request, scope: str, *, missing_scope_status: int) -> Response | None:
        """The answer to a request that may not go on: 401 with an empty body (blueconic.md §7 [assumed, RFC 6750])."""
        token = self._alive.get(bearer_token(request.header("authorization")))
        if token is None or token.expires_at <= self._clock.now():
            return _challenge(401, "invalid_token")
        if scope not in token.scopes:
            return _challenge(missing_scope_status, "insufficient_scope")
        return None


def keep_under_new_name(kept: dict[str, T], value: T) -> str:
    """Keeps a value under a name nobody can guess, and not more than 100,000 values."""
    name = secrets.token_urlsafe(24)
    kept[name] = value
    if len(kept) > _MAX_KEPT:
        del kept[next(iter(kept))]
    return name


def _challenge(status: int, error: str) -> Response:
    return Response(status=status, headers=(("www-authenticate", f'Bearer error="{error}"'),))
