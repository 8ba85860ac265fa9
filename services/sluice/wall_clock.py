"""The time of day, from one place. No promise rests on it: clocks of machines differ, and are set.

What must not depend on it uses a monotonic clock. ``shift`` is for tests that let the clocks of processes differ.
"""

import time
from datetime import UTC, datetime, timedelta

_ahead = timedelta()


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC) + _ahead


def unix_s() -> float:
    """Return the same in seconds since 1970."""
    return time.time() + _ahead.total_seconds()


def shift(seconds: float) -> None:
    """Be so much ahead of this machine's clock from now on."""
    global _ahead
    _ahead = timedelta(seconds=seconds)
