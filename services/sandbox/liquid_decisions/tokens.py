"""Bearer tokens, who holds them, and the community they are bound to. liquid_decisions.md §2."""

import uuid

import msgspec

from sandbox.authorization import bearer_token
from sandbox.clock import Clock
from sandbox.liquid_decisions.errors import Refused
from sandbox.messages import Request

_MAX_KEPT = 100_000


class Session(msgspec.Struct, kw_only=True):
    """What one token stands for; the community is null until a scope or a call names one. Seconds since 1970."""

    user_id: str
    community: str | None
    expires_at: float


class Tokens:
    """The tokens that are alive. Past 100,000 the oldest dies; refresh tokens do not expire. [assumed]"""

    def __init__(self, clock: Clock, lifetime_s: int) -> None:
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._sessions: dict[str, Session] = {}
        self._refresh: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def issue(self, user_id: str, community: str | None) -> str:
        """UUID-like, as the sample is. §2 [docs]"""
        expires_at = self._clock.now() + self._lifetime_s
        return _keep(self._sessions, Session(user_id=user_id, community=community, expires_at=expires_at))

    def issue_refresh(self, user_id: str, community: str | None) -> str:
        return _keep(self._refresh, Session(user_id=user_id, community=community, expires_at=0))

    def use_refresh(self, token: str) -> Session | None:
        """What the refresh token stands for; it is dead now."""
        return self._refresh.pop(token, None)

    def session(self, request: Request) -> Session:
        """Raises a 401 for a bad or an expired token. §11 [docs] for validate, [assumed] elsewhere"""
        session = self._sessions.get(bearer_token(request.header("authorization")))
        if session is None or session.expires_at <= self._clock.now():
            raise Refused("the access token is missing, unknown or expired", error="invalid_token", status=401)
        return session

    def expire_all(self) -> int:
        """Ends every access token; returns how many there were."""
        count = len(self._sessions)
        self._sessions.clear()
        return count

    def clear(self) -> None:
        self._sessions.clear()
        self._refresh.clear()


def _keep(kept: dict[str, Session], session: Session) -> str:
    token = str(uuid.uuid4())
    kept[token] = session
    if len(kept) > _MAX_KEPT:
        del kept[next(iter(kept))]
    return token
