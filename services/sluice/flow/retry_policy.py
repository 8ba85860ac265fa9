"""When an item that failed for now is tried again, and when no more."""

import math
from typing import NamedTuple

import msgspec


class RetryTier(NamedTuple):
    """A retry topic: its number among a lane's input topics, and its fixed delay."""

    topic: int
    delay_s: float


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often an item is tried.

    Attempt n that failed goes to tier n; past the last tier it stays with the last. After ``max_attempts`` attempts,
    or ``max_age_s`` after the first one failed, the item becomes a dead letter.
    """

    delays_s: tuple[float, ...]
    max_attempts: int
    max_age_s: float = math.inf

    def tier(self, attempt: int, age_s: float = 0.0) -> RetryTier | None:
        """Where an item waits whose attempt number ``attempt`` (from 1) has failed, ``age_s`` after the first failure.

        ``None``: give up.
        """
        if attempt >= self.max_attempts or age_s >= self.max_age_s or not self.delays_s:
            return None
        number = min(attempt, len(self.delays_s))
        return RetryTier(number, self.delays_s[number - 1])


def backoff_s(failures: int, *, base_s: float, cap_s: float, uniform: float) -> float:
    """``uniform × min(cap_s, base_s × 2^(failures-1))``: full jitter; ``uniform`` is drawn from [0, 1)."""
    return uniform * min(cap_s, base_s * 2.0 ** min(failures - 1, 32))
