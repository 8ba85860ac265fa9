"""Retries: when an item that failed for now is tried again, and when it is given up."""

import math

import msgspec


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the attempts at an item.

    Attempt n that failed goes to retry topic n; past the last topic it stays with the last. After ``max_attempts``
    attempts, or ``max_age_s`` after the first one failed, the item becomes a dead letter.
    """

    delays_s: tuple[float, ...]
    """The fixed delay of each retry topic; that of number n is ``delays_s[n - 1]``."""
    max_attempts: int
    max_age_s: float = math.inf

    def tier(self, attempt: int, age_s: float = 0.0) -> int | None:
        """Return the number (from 1) of the retry topic for an item whose ``attempt`` (from 1) has failed.

        ``age_s`` counts from its first failure. ``None``: give up.
        """
        if attempt >= self.max_attempts or age_s >= self.max_age_s or not self.delays_s:
            return None
        return min(attempt, len(self.delays_s))


def backoff_s(failures: int, *, base_s: float, cap_s: float, uniform: float) -> float:
    """Return ``uniform × min(cap_s, base_s × 2^(failures-1))``: full jitter; ``uniform`` is drawn from [0, 1)."""
    return uniform * min(cap_s, base_s * 2.0 ** min(failures - 1, 32))
