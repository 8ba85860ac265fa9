"""The part of a backlog that one writer holds in memory."""

import msgspec


class BufferLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds past which records partitions are paused."""

    max_items: int
    max_bytes: int


MIN_ITEMS, BYTES_PER_ITEM = 40_000, 1536
MIN_BYTES, MAX_BYTES = 64 * 1024 * 1024, 96 * 1024 * 1024
BATCHES = 8
"""Batches that can be collected side by side, each for another object: a smaller buffer would close them half full."""


def buffer_limits(max_batch_items: int, max_items: int | None, max_bytes: int | None) -> BufferLimits:
    """Return the settings ``max_items`` and ``max_bytes``, with the defaults for batches of so many items."""
    items = max_items or max(MIN_ITEMS, BATCHES * max_batch_items)
    return BufferLimits(max_items=items, max_bytes=max_bytes or min(MAX_BYTES, max(MIN_BYTES, items * BYTES_PER_ITEM)))


class Buffer:
    """Items that were read and are not settled yet, in lanes, windows and batches."""

    RESUME_SHARE = 0.75
    """Reading goes on below this share of the limits, not at once: a pause costs a fetch in flight."""

    def __init__(self, limits: BufferLimits) -> None:
        self.limits = limits
        self.resume_at = BufferLimits(
            max_items=int(limits.max_items * self.RESUME_SHARE), max_bytes=int(limits.max_bytes * self.RESUME_SHARE)
        )
        self.items = 0
        self.item_bytes = 0

    def enter(self, items: int, item_bytes: int) -> None:
        """Take note of items that were read."""
        self.items += items
        self.item_bytes += item_bytes

    def leave(self, items: int, item_bytes: int) -> None:
        """Take note of items that are settled."""
        self.items -= items
        self.item_bytes -= item_bytes

    def share(self) -> "BufferShare":
        """Return an account of its own for one lane, which enters and leaves here."""
        return BufferShare(self)

    @property
    def full(self) -> bool:
        """True while nothing more should be read."""
        return self.items >= self.limits.max_items or self.item_bytes >= self.limits.max_bytes

    @property
    def roomy(self) -> bool:
        """True when reading may go on after the buffer was full."""
        return self.items <= self.resume_at.max_items and self.item_bytes <= self.resume_at.max_bytes


class BufferShare:
    """The part of a buffer that one lane holds, so that a lane that is lost leaves nothing behind."""

    __slots__ = ("_buffer", "_item_bytes", "_items")

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        self._items = self._item_bytes = 0

    def enter(self, items: int, item_bytes: int) -> None:
        """Take note of items that were read."""
        self._items += items
        self._item_bytes += item_bytes
        self._buffer.enter(items, item_bytes)

    def leave(self, items: int, item_bytes: int) -> None:
        """Take note of items that are settled."""
        self._items -= items
        self._item_bytes -= item_bytes
        self._buffer.leave(items, item_bytes)

    @property
    def full(self) -> bool:
        """True while nothing more should be read into the whole buffer."""
        return self._buffer.full

    def clear(self) -> None:
        """Take note that all of them have left memory."""
        self.leave(self._items, self._item_bytes)
