"""Actions that are due later by the sandbox's clock: phases of jobs, rows to be written.

There is no background task. Each question to the org first runs all actions that are due by then, the earliest first,
so a test sees a state that follows from the clock alone.
"""

import heapq
from collections.abc import Callable

from sandbox.clock import Clock

Action = Callable[[float], object]
"""Action that gets the instant at which it was due (seconds since 1970), however late it runs."""


class Schedule:
    """Actions to come. An action may add others."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        self._actions: list[tuple[float, int, Action]] = []
        self._added = 0

    def add(self, due_at: float, action: Action) -> None:
        self._added += 1
        heapq.heappush(self._actions, (due_at, self._added, action))

    def due_when_left(self, count: int) -> float | None:
        """Return when only ``count`` of the actions will be left; null when there are no more than that now."""
        if len(self._actions) <= count:
            return None
        return sorted(due_at for due_at, _, _ in self._actions)[-count - 1]

    def catch_up(self) -> None:
        """Run the actions that are due by now."""
        now = self._clock.now()
        while self._actions and self._actions[0][0] <= now:
            due_at, _, action = heapq.heappop(self._actions)
            action(due_at)
