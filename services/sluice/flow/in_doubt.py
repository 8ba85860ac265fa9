"""Offsets in doubt: which earlier batch each of them was sent in, for as long as its fate there is not known."""

from collections.abc import Sequence

from sluice.flow.batch import InDoubt
from sluice.flow.offset_set import OffsetSet


class InDoubtOffsets:
    """Offsets of one topic, each with the batch that it was sent in last. Few batches are in doubt at a time."""

    __slots__ = ("_batches",)

    def __init__(self) -> None:
        self._batches: list[tuple[InDoubt, OffsetSet]] = []

    def add(self, batch: InDoubt, offsets: Sequence[int]) -> None:
        """Note that ``offsets``, which rise, were sent in ``batch``, and in no earlier one that counts any more."""
        self.remove(offsets)
        for known, own in self._batches:
            if known == batch:
                own.add(offsets)
                return
        if offsets:
            self._batches.append((batch, OffsetSet(offsets)))

    def remove(self, offsets: Sequence[int]) -> None:
        """Forget ``offsets``, which rise: their fate is known, or is being looked up."""
        for _, own in self._batches:
            own.remove(offsets)
        self._batches = [one for one in self._batches if one[1]]

    def batch_of(self, offset: int) -> InDoubt | None:
        """Return the batch that ``offset`` was sent in last."""
        for batch, own in self._batches:
            if offset in own:
                return batch
        return None

    def __len__(self) -> int:
        return sum(len(own) for _, own in self._batches)

    def __bool__(self) -> bool:
        return bool(self._batches)
