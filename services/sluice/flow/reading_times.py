"""When offsets of one topic partition were read, to know how long the oldest is open."""

from collections import deque
from itertools import islice

MAX_READINGS = 1000
"""Polls of which the time is remembered: there is no end of them while a record stays open."""


class ReadingTimes:
    """Times of polls, each with the first offset that it brought."""

    __slots__ = ("_readings",)

    def __init__(self) -> None:
        self._readings: deque[tuple[int, float]] = deque()

    def note(self, offset: int, now_s: float) -> None:
        """Note that ``offset`` and what follows is read at ``now_s``."""
        self._readings.append((offset, now_s))
        if len(self._readings) > MAX_READINGS:
            # Of each two the older stays: an age is rather said too large than too small.
            self._readings = deque(islice(self._readings, 0, None, 2))

    def of(self, offset: int | None) -> float | None:
        """Return the time of ``offset``, at the earliest, and forget all older ones; ``None`` for none."""
        while len(self._readings) > 1 and (offset is None or self._readings[1][0] <= offset):
            self._readings.popleft()
        return None if offset is None or not self._readings else self._readings[0][1]
