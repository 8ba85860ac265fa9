"""Bearer tokens: issued, checked on every call, expired by the sandbox's clock, revoked."""

from sandbox.clock import Clock
from sandbox.http.authorization import bearer_token
from sandbox.http.messages import Request, Response
from sandbox.token_table import TokenTable

Scopes = frozenset[str]


class Tokens:
    """Access tokens, and refresh tokens, which do not expire [assumed]. Both have scopes as their values."""

    def __init__(self, clock: Clock, lifetime_s: int) -> None:
        self._lifetime_s = lifetime_s
        self._access = TokenTable[Scopes](clock)
        self._refresh = TokenTable[Scopes](clock)

    def __len__(self) -> int:
        return len(self._access)

    def issue(self, scopes: Scopes) -> str:
        return self._access.issue(scopes, self._lifetime_s)

    def issue_refresh(self, scopes: Scopes) -> str:
        return self._refresh.issue(scopes)

    def use_refresh(self, name: str) -> Scopes | None:
        """Return the scopes of a refresh token, and end the token."""
        return self._refresh.take(name)

    def revoke(self, name: str) -> None:
        """End the access or refresh token of that name, if there is one."""
        self._access.take(name)
        self._refresh.take(name)

    def expire_all(self) -> int:
        """End every access token; return how many were alive."""
        return self._access.end_all()

    def clear(self) -> None:
        self._access.end_all()
        self._refresh.end_all()

    def refuse(self, request: Request, scope: str, *, missing_scope_status: int) -> Response | None:
        """Return the refusal of a request without token or scope: empty 401 or 403 (§7 [assumed, RFC 6750])."""
        scopes = self._access.find(bearer_token(request.header("authorization")))
        if scopes is None:
            return _challenge(401, "invalid_token")
        if scope not in scopes:
            return _challenge(missing_scope_status, "insufficient_scope")
        return None


def _challenge(status: int, error: str) -> Response:
    return Response(status=status, headers=(("www-authenticate", f'Bearer error="{error}"'),))
