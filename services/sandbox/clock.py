"""The sandbox's clock: real time plus an offset that a test moves.

Token lifetimes, dates, delays and outages follow this clock, so a test sees an hour pass without waiting for it.
"""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime


class Clock:
    """Real time plus the seconds given to ``advance``. Only ``reset`` moves it back."""

    def __init__(self) -> None:
        self._offset_s = 0.0
        self._stands_at: float | None = None
        self._moved = asyncio.Event()

    @property
    def offset_s(self) -> float:
        return self._offset_s

    def now(self) -> float:
        """Return the seconds since 1970-01-01 UTC."""
        real = time.time() if self._stands_at is None else self._stands_at
        return real + self._offset_s

    def now_ms(self) -> int:
        return int(self.now() * 1000)

    def advance(self, seconds: float) -> None:
        self._offset_s += seconds
        self.wake()

    def stop(self) -> None:
        """Stop the flow of real time, so that only ``advance`` moves the clock and a slow machine changes nothing."""
        self._stands_at = time.time()

    def reset(self) -> None:
        self._offset_s = 0.0
        self._stands_at = None
        self.wake()

    def wake(self) -> None:
        """End every ``wait``, so that each waiting task reads the clock again."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait for at most ``seconds``, or until the clock is moved."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._moved.wait()


def rfc3339(milliseconds: int) -> str:
    """Format an instant as vendors show it: ``2025-01-22T11:21:33.872Z``."""
    instant = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
