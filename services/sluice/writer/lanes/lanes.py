"""The lanes that this process owns now."""

from collections.abc import Iterator, Sequence

from sluice.flow.batch import Item
from sluice.writer.lanes.buffer import Buffer
from sluice.writer.lanes.lane import Lane


class Lanes:
    """Lanes by partition number, and the buffer that they share. ``LaneAssignment`` alone adds and removes."""

    def __init__(self, buffer: Buffer) -> None:
        self.buffer = buffer
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

    def oldest_age_s(self, now_s: float) -> float:
        """Return the largest :meth:`Lane.oldest_age_s`; 0 without lanes."""
        return max((lane.oldest_age_s(now_s) for lane in self), default=0.0)

    def get(self, number: int) -> Lane | None:
        """Return lane ``number``; ``None`` when it is not here, or not any more."""
        return self._lanes.get(number)

    def of(self, items: Sequence[Item]) -> list[Lane]:
        """Return the lanes of ``items``, each once, as far as they are here."""
        found = (self._lanes.get(number) for number in {item.lane for item in items})
        return [lane for lane in found if lane is not None]

    def owned(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return those of ``items`` whose lane is still ours: nothing else may be sent."""
        owned = {number for number, lane in self._lanes.items() if lane.alive}
        if owned.issuperset({item.lane for item in items}):
            return items
        return [item for item in items if item.lane in owned]

    def add(self, lane: Lane) -> None:
        """Take ``lane`` in, ready to run."""
        self._lanes[lane.partition] = lane

    def remove(self, lane: Lane) -> None:
        """Forget ``lane``, if it is here, and what it has in memory: its next owner reads that again."""
        self._lanes.pop(lane.partition, None)
        lane.forget()
