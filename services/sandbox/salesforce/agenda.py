"""What is still to happen, by the sandbox's clock: phases of jobs, rows to be written.

There is no background task. Whoever asks the org something first has everything done that has become due, in the
order in which it became due, so what a test sees follows from the clock alone.
"""

import heapq
from collections.abc import Callable

from sandbox.clock import Clock

Act = Callable[[float], object]
"""Gets the instant at which it was due (seconds since 1970 by the sandbox's clock), however late it is called."""


class Agenda:
    """Acts to come. An act may put others on the agenda."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        self._acts: list[tuple[float, int, Act]] = []
        self._added = 0

    def add(self, due_at: float, act: Act) -> None:
        self._added += 1
        heapq.heappush(self._acts, (due_at, self._added, act))

    def when_left(self, count: int) -> float | None:
        """When so many acts will be left of those that are to come; null when there are not more now."""
        if len(self._acts) <= count:
            return None
        return sorted(due_at for due_at, _, _ in self._acts)[-count - 1]

    def catch_up(self) -> None:
        """Does what is due by now."""
        now = self._clock.now()
        while self._acts and self._acts[0][0] <= now:
            due_at, _, act = heapq.heappop(self._acts)
            act(due_at)
