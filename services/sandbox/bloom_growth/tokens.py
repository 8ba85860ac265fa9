"""Access tokens: issued, found on every call, limited in rate, expired after two weeks. bloom_growth.md §2, §11."""

from sandbox.bloom_growth.settings import Settings
from sandbox.clock import Clock
from sandbox.http.authorization import bearer_token
from sandbox.http.routing import Pool
from sandbox.token_table import TokenTable

_MAX_ALIVE = 1000


class Token:
    """One user's token, with its bucket of requests; its pool counts the requests in flight (§13.6)."""

    def __init__(self, user_id: int, number: int, burst: int) -> None:
        self.user_id = user_id
        self.pool = Pool(f"token {number}")
        self._left = float(burst)
        self._filled_at = 0.0

    def take(self, now: float, per_second: float, burst: int) -> bool:
        """Take one request out of the bucket, if there is one; return whether there was."""
        left = min(float(burst), self._left + (now - self._filled_at) * per_second)
        self._filled_at = now
        self._left = left - 1 if left >= 1 else left
        return left >= 1


class Tokens:
    """Tokens that are alive, at most 1,000: past that the oldest is dropped. The first is the settings' API key."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._settings = settings
        self._alive = TokenTable[Token](clock, max_tokens=_MAX_ALIVE)
        self._issued = 0
        self._last: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._alive)

    def issue(self, user_id: int, *, name: str = "") -> str:
        """Issue a token and return it: ``name`` if given, else an unguessable one. §15: a setting ends the older."""
        # Numbers are reused: the ledger keeps a count for each, and stays small.
        token = Token(user_id, self._issued % _MAX_ALIVE + 1, self._settings.burst)
        self._issued += 1
        if self._settings.has_one_token_per_user:
            self._alive.take(self._last.get(user_id, ""))
        self._last[user_id] = self._alive.issue(token, self._settings.token_lifetime_s, name=name)
        return self._last[user_id]

    def find(self, authorization: str) -> Token | None:
        """Return the living token of an ``Authorization`` header."""
        return self._alive.find(bearer_token(authorization))

    def admits(self, token: Token) -> bool:
        """Take a request out of the token's bucket; return whether one was left. §11 [assumed]"""
        per_second = self._settings.requests_per_second
        return per_second is None or token.take(self._clock.now(), per_second, self._settings.burst)

    def expire_all(self) -> int:
        """End every token; return how many were alive."""
        return self._alive.end_all()

    def clear(self) -> None:
        self._alive.end_all()
        self._last.clear()
        self._issued = 0
