"""Tables of the tokens, sessions and codes that a vendor has issued."""

import secrets
from math import inf
from typing import Generic, NamedTuple, TypeVar

from sandbox.clock import Clock

Value = TypeVar("Value")


class _Issued(NamedTuple, Generic[Value]):
    value: Value
    ends_at: float


class TokenTable(Generic[Value]):
    """Values by token, until the token expires by the sandbox's clock. Past ``max_tokens`` the oldest token is dropped.
    [assumed for every vendor]"""

    def __init__(self, clock: Clock, *, max_tokens: int = 100_000) -> None:
        self._clock = clock
        self._max_tokens = max_tokens
        self._issued: dict[str, _Issued[Value]] = {}

    def __len__(self) -> int:
        """Return the number of tokens, including expired ones that nobody has looked up since."""
        return len(self._issued)

    def issue(self, value: Value, lifetime_s: float = inf, *, name: str = "") -> str:
        """Issue a token and return it: ``name``, which renews it if it exists, or by default an unguessable one."""
        name = name or secrets.token_urlsafe(24)
        self._issued[name] = _Issued(value, self._clock.now() + lifetime_s)
        if len(self._issued) > self._max_tokens:
            del self._issued[next(iter(self._issued))]
        return name

    def find(self, name: str) -> Value | None:
        """Return the value of a token that is alive."""
        issued = self._issued.get(name)
        if issued is None:
            return None
        if issued.ends_at <= self._clock.now():
            del self._issued[name]
            return None
        return issued.value

    def take(self, name: str) -> Value | None:
        """Return the value like ``find``, and end the token."""
        found = self.find(name)
        self._issued.pop(name, None)
        return found

    def end_all(self) -> int:
        """End every token; return how many were alive."""
        now = self._clock.now()
        count = sum(issued.ends_at > now for issued in self._issued.values())
        self._issued.clear()
        return count
