"""Followers that are left in Kafka: a hot key may have more of them than memory holds.

1. A follower for which there is no room is dropped, and so is every later one of its key: order must hold.
2. When the key has few followers left in memory it is hungry.
3. What was left is read again from the first offset on at which the hungry keys can have left something. One pass
   serves all of them, and each takes what it has room for.
4. A key that has taken all that it left is as any other key again.
"""

from collections.abc import Collection

from sluice.flow.offset_set import OffsetSet


class DeferredFollowers:
    """Followers of one lane that are left in Kafka. A key costs the same, however many it has left."""

    __slots__ = ("hungry", "offsets", "spans")

    def __init__(self) -> None:
        self.offsets = OffsetSet()
        """Offsets in the records topic, of all keys."""
        self.spans: dict[bytes, range] = {}
        """The offsets among which all that a key has left must be."""
        self.hungry: set[bytes] = set()
        """Keys that are ready for what they have left."""

    def add(self, key: bytes, offset: int) -> None:
        """Leave the follower at ``offset``, beyond all that ``key`` has left before."""
        self.offsets.add((offset,))
        span = self.spans.get(key)
        self.spans[key] = range(offset if span is None else span.start, offset + 1)

    def wanted(self) -> list[range]:
        """Return where to look for what the hungry keys have left, in runs that rise."""
        spans = [self.spans[key] for key in self.hungry]
        if not spans:
            return []
        return self.offsets.stretches(range(min(span.start for span in spans), max(span.stop for span in spans)))

    def seekers(self, looked_at: range) -> set[bytes]:
        """Return the hungry keys that have left nothing before ``looked_at``: they may take what is found there."""
        return {key for key in self.hungry if self.spans[key].start >= looked_at.start}

    def take(self, key: bytes, offset: int) -> None:
        """Take note that ``key`` has its next follower, from ``offset``."""
        self.offsets.remove((offset,))
        self._move(key, offset + 1)

    def sate(self, key: bytes, offset: int) -> None:
        """Take note that ``key`` has no room for its next follower, at ``offset``."""
        self.hungry.discard(key)
        self._move(key, offset)

    def looked(self, keys: Collection[bytes], stop: int) -> None:
        """Take note that ``keys`` have left nothing below ``stop``."""
        for key in keys:
            if key in self.spans:
                self._move(key, stop)

    def _move(self, key: bytes, start: int) -> None:
        """Begin the span of ``key`` at ``start``, if not later; forget a key that has left nothing any more."""
        span = self.spans[key]
        if start >= span.stop:
            del self.spans[key]
            self.hungry.discard(key)
        elif start > span.start:
            self.spans[key] = range(start, span.stop)
