"""Due times of the messages of one retry topic's partition, by the clock of the process that reads them.

A message is due when the wall clock reaches its header ``sluice.not-before``, and never later than its topic's delay
after it was known to be in Kafka. The header comes from another process, whose wall clock may be hours ahead; ours may
be set back. So the header alone delays nothing, and the second term is by the monotonic clock.
"""

from collections import deque

STEPS = 64
"""A delay is cut into so many steps, within which messages count as known together."""


class DueTimes:
    """Remembers up to which offset messages were known to be in Kafka, and since when."""

    def __init__(self, delay_s: float) -> None:
        """``delay_s`` is the topic's delay."""
        self._delay_s = delay_s
        self._known: deque[tuple[int, float]] = deque()

    def note(self, end: int, now_s: float) -> None:
        """Take note that everything below the offset ``end`` is in Kafka at ``now_s``."""
        known = self._known
        # Of two entries whose messages are all due the first says nothing more.
        while len(known) > 1 and known[1][1] + self._delay_s <= now_s:
            known.popleft()
        if known and end <= known[-1][0]:
            return
        if known and now_s < known[-1][1] + self._delay_s / STEPS:
            known[-1] = (end, known[-1][1])
        else:
            known.append((end, now_s))

    def wait_s(self, offset: int, not_before_in_s: float, now_s: float) -> float:
        """Return in how many seconds the message at ``offset`` is due; 0 or less when it is.

        ``not_before_in_s``: in how many seconds its header says so. It was noted before, and offsets rise.
        """
        known = self._known
        while known and known[0][0] <= offset:
            known.popleft()
        known_at_s = known[0][1] if known else now_s
        return min(not_before_in_s, known_at_s + self._delay_s - now_s)

    def __len__(self) -> int:
        return len(self._known)
