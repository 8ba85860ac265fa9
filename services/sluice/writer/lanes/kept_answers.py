"""Answers of the vendor whose receipts Kafka has not taken.

A lane can be lost between an answer and the commit of its receipts. The vendor must not be asked to do it again, so the
answers are kept, and are the first that is written when the lane is open again.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeAlias

from sluice.writer.lanes.buffer import Buffer, BufferShare
from sluice.writer.lanes.settlement import Settlement, VendorAnswer

Kept: TypeAlias = Settlement | VendorAnswer
"""What was settled and is not committed, or was answered when the lane was lost already."""


class KeptAnswers:
    """Answers that wait for their lane, by its number. They count as held in memory."""

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        self._answers: dict[int, list[Kept]] = {}
        self._shares: dict[int, BufferShare] = {}
        self._topic_ids: Sequence[str] = ()

    def __len__(self) -> int:
        """Return how many items wait."""
        return sum(_items(one) for answers in self._answers.values() for one in answers)

    def keep(self, lane: int, answers: Iterable[Kept]) -> None:
        """Keep ``answers`` of ``lane`` until it is open again."""
        kept = self._answers.setdefault(lane, [])
        share = self._shares.setdefault(lane, self._buffer.share())
        for one in answers:
            kept.append(one)
            share.enter(_items(one), _held_bytes(one))

    def take(self, lane: int) -> list[Kept]:
        """Return what was kept for ``lane``, and keep it no longer."""
        share = self._shares.pop(lane, None)
        if share is not None:
            share.clear()
        return self._answers.pop(lane, [])

    def keep_only(self, lanes: Collection[int]) -> None:
        """Forget the answers of all lanes but ``lanes``: their new owners find out by themselves."""
        for lane in [one for one in self._answers if one not in lanes]:
            self.take(lane)

    def now_from(self, topic_ids: Sequence[str]) -> None:
        """Forget the answers for records of input topics that were deleted since; ``topic_ids`` are those of now."""
        before, self._topic_ids = self._topic_ids, topic_ids
        gone = {number for number, (old, new) in enumerate(zip(before, topic_ids, strict=False)) if old != new}
        for lane in list(self._answers) if gone else ():
            self.keep(lane, [one for one in self.take(lane) if gone.isdisjoint(_topics(one))])


def _items(kept: Kept) -> int:
    return kept.items if isinstance(kept, Settlement) else len(kept.fates)


def _held_bytes(kept: Kept) -> int:
    if isinstance(kept, Settlement):
        return kept.item_bytes + kept.message_bytes
    return sum(item.held_bytes for item, _ in kept.fates)


def _topics(kept: Kept) -> Collection[int]:
    """Return the numbers of the input topics whose records were answered."""
    return kept.offsets.keys() if isinstance(kept, Settlement) else {item.topic for item, _ in kept.fates}
