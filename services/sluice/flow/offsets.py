"""Progress in one topic partition: which offsets are settled, and how far it may be committed.

Batches finish out of order, and a commit says "everything below is settled", so only a contiguous prefix is committed.
Offsets have gaps: transactions leave control records, compaction and aborts leave holes. So the contiguous prefix is
taken over the offsets that were *given*, in their order, never over the integers.

Only what was given and is not settled is kept. That is in memory anyway, or its key has left it in Kafka; what is
settled behind one open offset may be millions.
"""

from collections.abc import Sequence

from sluice.flow.offset_set import OffsetSet


class OffsetProgress:
    """Offsets of one topic partition that a lane was given, and those of them that are not settled."""

    __slots__ = ("_next", "_unsettled")

    def __init__(self, position: int) -> None:
        """Start at ``position``, which the group has committed: nothing below it will be given."""
        self._next = position
        self._unsettled = OffsetSet()

    @property
    def position(self) -> int:
        """The offset to commit: everything given below it is settled."""
        first = self._unsettled.first
        return self._next if first is None else first

    @property
    def next(self) -> int:
        """The least offset that can be given next."""
        return self._next

    @property
    def gap(self) -> int:
        """Offsets from the one to commit to the last one given: what a restart reads again."""
        return self._next - self.position

    @property
    def unsettled(self) -> int:
        """Number of given offsets that are not settled yet."""
        return len(self._unsettled)

    @property
    def oldest(self) -> int | None:
        """The first given offset that is not settled."""
        return self._unsettled.first

    def follows(self, offset: int) -> bool:
        """Return whether ``offset`` lies beyond everything given before, as the next one must."""
        return offset >= self._next

    def give(self, offsets: Sequence[int]) -> None:
        """Remember ``offsets`` as given. They must rise, and follow all that were given before."""
        if offsets:
            self._unsettled.add(offsets)
            self._next = offsets[-1] + 1

    def skip_to(self, offset: int) -> None:
        """Go on at ``offset``: what lies before it was given, or is settled."""
        self._next = max(self._next, offset)

    def settle(self, offsets: Sequence[int]) -> None:
        """Mark given ``offsets``, which rise, as settled; :attr:`position` moves over the contiguous prefix."""
        self._unsettled.remove(offsets)
