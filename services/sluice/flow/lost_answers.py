"""Lost answers: whether a record or the vendor is to blame when the answers to the same items get lost again and again.

An item is blamed only when it stands alone and others are answered meanwhile: a firewall that resets writes harms no
record. So after ``MAX_IN_A_ROW`` losses the items let others have their turn, and go on after them.
"""

from collections.abc import Sequence

from sluice.flow.batch import Item, Part

MAX_IN_A_ROW = 5
"""Answers lost in a row for the same items, after which others have their turn; ours to choose."""


class LostAnswers:
    """Answers lost in a row to requests with the same items."""

    def __init__(self, answered_at_loss: int | None) -> None:
        """``answered_at_loss`` is that of items that were put back after such losses: one more is enough then."""
        self.in_a_row = 0 if answered_at_loss is None else MAX_IN_A_ROW - 1
        self._put_back_before = answered_at_loss is not None
        self._answered_at_loss = answered_at_loss
        self._others_work = False

    def add(self, answered: int) -> None:
        """Take note of one, when the vendor has ``answered`` so many requests of this process."""
        self.in_a_row += 1
        self._others_work = self._answered_at_loss is not None and answered > self._answered_at_loss
        self._answered_at_loss = answered

    @property
    def enough(self) -> bool:
        """True when the items should not be sent again before others."""
        return self.in_a_row >= MAX_IN_A_ROW

    def blames(self, items: Sequence[Item]) -> bool:
        """Return whether ``items`` are a single one that is to blame."""
        return len(items) == 1 and self._others_work

    def parts(self, items: Sequence[Item]) -> list[Part]:
        """Return ``items`` as they are put back.

        Halves tell more than the whole: one that is answered shows that the other is to blame. But while no other
        request is answered either, an outage would cut a batch into ever smaller ones.
        """
        middle = len(items) // 2
        halves = middle and (self._others_work or not self._put_back_before)
        found = [items[:middle], items[middle:]] if halves else [items]
        return [Part(items=list(part), answered_at_loss=self._answered_at_loss) for part in found]
