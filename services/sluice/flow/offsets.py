"""Progress in one topic partition: which offsets are settled, and how far it may be committed.

Batches finish out of order, and a commit says "everything below is settled", so only a contiguous prefix is committed.
Offsets have gaps: transactions leave control records, compaction and aborts leave holes. So the contiguous prefix is
taken over the offsets that were *given*, in their order, never over the integers.
"""

from collections import deque
from collections.abc import Iterable


class OffsetProgress:
    """Offsets of one topic partition that a lane was given, and those of them that are settled."""

    __slots__ = ("_given", "_last", "_position", "_settled")

    def __init__(self, position: int) -> None:
        """Start at ``position``, which the group has committed: nothing below it will be given."""
        self._position = position
        self._last = position - 1
        self._given: deque[int] = deque()
        self._settled: set[int] = set()

    @property
    def position(self) -> int:
        """The offset to commit: everything given below it is settled."""
        return self._position

    @property
    def next(self) -> int:
        """The least offset that can be given next."""
        return self._last + 1

    @property
    def unsettled(self) -> int:
        """Number of given offsets that are not settled yet."""
        return len(self._given) - len(self._settled)

    @property
    def oldest(self) -> int | None:
        """The first given offset that is not settled."""
        return self._given[0] if self._given else None

    def follows(self, offset: int) -> bool:
        """Return whether ``offset`` lies beyond everything given before, as the next one must."""
        return offset > self._last

    def give(self, offsets: Iterable[int]) -> None:
        """Remember ``offsets`` as given. They must rise, and follow all that were given before."""
        self._given.extend(offsets)
        if self._given:
            self._last = self._given[-1]

    def settle(self, offsets: Iterable[int]) -> None:
        """Mark given ``offsets`` as settled and move :attr:`position` over the contiguous prefix."""
        given, settled = self._given, self._settled
        settled.update(offsets)
        while given and given[0] in settled:
            offset = given.popleft()
            settled.remove(offset)
            self._position = offset + 1
