"""The lanes of one batch, as far as the batch still has them.

A lane that is lost can be open again before its batch has ended. Its items are then read again, and those of the batch
are its own no longer: they are sent no more, and their answers are kept for the lane instead of being settled in it.
"""

from collections.abc import Sequence

from sluice.flow.batch import Item
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.lanes import Lanes


class BatchLanes:
    """View of the process's lanes for one batch."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._lost: set[int] = set()

    def lose(self, number: int) -> None:
        """Take note that lane ``number`` is lost, for good as far as this batch is concerned."""
        self._lost.add(number)

    def get(self, number: int) -> Lane | None:
        """Return lane ``number`` if it is alive and this batch has it."""
        lane = None if number in self._lost else self._lanes.get(number)
        return lane if lane is not None and lane.alive else None

    def of(self, items: Sequence[Item]) -> list[Lane]:
        """Return the lanes of ``items``, each once, as far as this batch has them."""
        found = (self.get(number) for number in {item.lane for item in items})
        return [lane for lane in found if lane is not None]

    def owned(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return those of ``items`` whose lane this batch has: nothing else may be sent."""
        numbers = {item.lane for item in items}
        owned = {number for number in numbers if self.get(number) is not None}
        return items if owned == numbers else [item for item in items if item.lane in owned]
