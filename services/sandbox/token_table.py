"""Tokens, sessions and codes that a vendor gave out: what each stands for, until when, and not too many of them."""

import secrets
from math import inf
from typing import Generic, NamedTuple, TypeVar

from sandbox.clock import Clock

Meaning = TypeVar("Meaning")


class _Issued(NamedTuple, Generic[Meaning]):
    meaning: Meaning
    ends_at: float


class TokenTable(Generic[Meaning]):
    """Tokens by name, alive by the sandbox's clock. Past `max_tokens` the oldest dies. [assumed for every vendor]"""

    def __init__(self, clock: Clock, *, max_tokens: int = 100_000) -> None:
        self._clock = clock
        self._max_tokens = max_tokens
        self._issued: dict[str, _Issued[Meaning]] = {}

    def __len__(self) -> int:
        """Those that nobody has looked at since they died are still there."""
        return len(self._issued)

    def issue(self, meaning: Meaning, lifetime_s: float = inf, *, name: str = "") -> str:
        """Gives out a token under an unguessable name, or under this one, which renews its token; returns the name."""
        name = name or secrets.token_urlsafe(24)
        self._issued[name] = _Issued(meaning, self._clock.now() + lifetime_s)
        if len(self._issued) > self._max_tokens:
            del self._issued[next(iter(self._issued))]
        return name

    def find(self, name: str) -> Meaning | None:
        """What a living token stands for."""
        issued = self._issued.get(name)
        if issued is None:
            return None
        if issued.ends_at <= self._clock.now():
            del self._issued[name]
            return None
        return issued.meaning

    def take(self, name: str) -> Meaning | None:
        """Like `find`, and the token is dead then."""
        found = self.find(name)
        self._issued.pop(name, None)
        return found

    def end_all(self) -> int:
        """Ends every token; returns how many were alive."""
        now = self._clock.now()
        count = sum(issued.ends_at > now for issued in self._issued.values())
        self._issued.clear()
        return count
