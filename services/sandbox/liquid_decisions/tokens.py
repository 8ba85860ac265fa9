"""Bearer tokens, their users, and the community they are bound to. liquid_decisions.md §2."""

import uuid

import msgspec

from sandbox.clock import Clock
from sandbox.http.authorization import bearer_token
from sandbox.http.messages import Request
from sandbox.liquid_decisions.refusal import Refusal
from sandbox.token_table import TokenTable


class Session(msgspec.Struct, kw_only=True):
    """User of one token; the community is null until a scope or a call names one."""

    user_id: str
    community: str | None


class Tokens:
    """Access tokens, and refresh tokens, which do not expire [assumed]. Both are UUID-like, as the sample is. [docs]"""

    def __init__(self, clock: Clock, lifetime_s: int) -> None:
        self._lifetime_s = lifetime_s
        self._access = TokenTable[Session](clock)
        self._refresh = TokenTable[Session](clock)

    def __len__(self) -> int:
        return len(self._access)

    def issue(self, user_id: str, community: str | None) -> str:
        session = Session(user_id=user_id, community=community)
        return self._access.issue(session, self._lifetime_s, name=str(uuid.uuid4()))

    def issue_refresh(self, user_id: str, community: str | None) -> str:
        return self._refresh.issue(Session(user_id=user_id, community=community), name=str(uuid.uuid4()))

    def use_refresh(self, token: str) -> Session | None:
        """Return the session of the refresh token, and end the token."""
        return self._refresh.take(token)

    def session(self, request: Request) -> Session:
        """Raise a 401 for a bad or an expired token. §11 [docs] for validate, [assumed] elsewhere"""
        session = self._access.find(bearer_token(request.header("authorization")))
        if session is None:
            raise Refusal("the access token is missing, unknown or expired", error="invalid_token", status=401)
        return session

    def expire_all(self) -> int:
        """End every access token and return how many were alive."""
        return self._access.end_all()

    def clear(self) -> None:
        self._access.end_all()
        self._refresh.end_all()
