"""The lanes that this process owns now."""

from collections.abc import Iterator

from sluice.writer.lanes.buffer import Buffer
from sluice.writer.lanes.kept_answers import KeptAnswers
from sluice.writer.lanes.lane import Lane


class Lanes:
    """Lanes by partition number, and the buffer that they share. ``LaneAssignment`` alone adds and removes."""

    def __init__(self, buffer: Buffer) -> None:
        self.buffer = buffer
        self.answers = KeptAnswers(buffer)
        self._lanes: dict[int, Lane] = {}

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def __len__(self) -> int:
        return len(self._lanes)

    @property
    def numbers(self) -> list[int]:
        """Their partition numbers."""
        return list(self._lanes)

    @property
    def waiting(self) -> int:
        """Items that wait for an earlier one of their key."""
        return sum(lane.order.waiting for lane in self)

    @property
    def left_in_kafka(self) -> int:
        """Records that wait for an earlier one of their key, and are left in Kafka for want of room."""
        return sum(len(lane.order.deferred.offsets) for lane in self)

    def oldest_age_s(self, now_s: float) -> float:
        """Return the largest :meth:`Lane.oldest_age_s`; 0 without lanes."""
        return max((lane.oldest_age_s(now_s) for lane in self), default=0.0)

    def get(self, number: int) -> Lane | None:
        """Return lane ``number``; ``None`` when it is not here, or not any more."""
        return self._lanes.get(number)

    def add(self, lane: Lane) -> None:
        """Take ``lane`` in, ready to run."""
        self._lanes[lane.partition] = lane

    def remove(self, lane: Lane) -> None:
        """Forget ``lane``, if it is here, and what it has in memory: its next owner reads that again."""
        self._lanes.pop(lane.partition, None)
        lane.forget()
