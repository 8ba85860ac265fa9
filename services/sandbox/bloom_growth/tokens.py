"""Access tokens: issued, found on every call, limited in rate, dead after two weeks. bloom_growth.md §2, §11."""

import secrets

from sandbox.authorization import bearer_token
from sandbox.bloom_growth.settings import Settings
from sandbox.clock import Clock
from sandbox.routing import Pool

_MAX_ALIVE = 1000


class Token:
    """One user's token, until `expires_at` (sandbox seconds since 1970), with its bucket of requests.

    Its pool tells how many of its requests are in flight (§13.6).
    """

    def __init__(self, user_id: int, expires_at: float, number: int, burst: int) -> None:
        self.user_id = user_id
        self.expires_at = expires_at
        self.pool = Pool(f"token {number}")
        self._left = float(burst)
        self._filled_at = 0.0

    def take(self, now: float, per_second: float, burst: int) -> bool:
        """Takes one request out of the bucket, if there is one in it."""
        left = min(float(burst), self._left + (now - self._filled_at) * per_second)
        self._filled_at = now
        self._left = left - 1 if left >= 1 else left
        return left >= 1


class Tokens:
    """The tokens that are alive, at most 1,000: then the oldest dies. The first is the settings' API key."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._settings = settings
        self._alive: dict[str, Token] = {}
        self._issued = 0

    def __len__(self) -> int:
        return len(self._alive)

    def issue(self, user_id: int, *, name: str | None = None) -> str:
        """A new token, under a name nobody can guess unless one is given."""
        expires_at = self._clock.now() + self._settings.token_lifetime_s
        name = name or secrets.token_urlsafe(48)
        # Numbers come again, so that a ledger with a count for each of them stays small.
        self._alive[name] = Token(user_id, expires_at, self._issued % _MAX_ALIVE + 1, self._settings.burst)
        self._issued += 1
        if len(self._alive) > _MAX_ALIVE:
            del self._alive[next(iter(self._alive))]
        return name

    def find(self, authorization: str) -> Token | None:
        """The living token of an `Authorization` header."""
        token = self._alive.get(bearer_token(authorization))
        return token if token is not None and self._clock.now() < token.expires_at else None

    def admits(self, token: Token) -> bool:
        """Whether the token's bucket has a request left; it is taken. §11 [assumed]"""
        per_second = self._settings.requests_per_second
        return per_second is None or token.take(self._clock.now(), per_second, self._settings.burst)

    def expire_all(self) -> int:
        """Ends every token; returns how many were alive."""
        now = self._clock.now()
        count = sum(now < token.expires_at for token in self._alive.values())
        self._alive.clear()
        return count

    def clear(self) -> None:
        self._alive.clear()
        self._issued = 0
