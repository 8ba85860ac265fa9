"""Windows collect items of one group; a closed window is a batch.

A window opens with its first item and its age counts from then. Items and encoded bytes are hard limits, checked
before an item is added, never overshot. Windows are per group and shared by all lanes of a process: vendors meter
batches, so twelve lanes must not mean twelve small ones.

A due window is closed when somebody takes it, not by the clock: while the vendor is busy it goes on filling.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from sluice.flow.batch import Batch, FlushReason, Item
from sluice.setting_types import Frozen, Positive


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor allows; settings may narrow it, never widen it."""

    max_items: int
    max_bytes: int
    """Encoded bytes of one request body."""
    max_concurrent: int
    """Requests in flight at once."""
    max_age_s: float
    """The default age at which a window closes; ours to choose."""


class WindowSettings(Frozen, frozen=True):
    """When a window closes. Left out, the destination kind's own limit holds; it can be narrowed, not widened."""

    max_items: Positive | None = None
    max_bytes: Positive | None = None
    max_age_s: Annotated[float, Meta(ge=0)] | None = None


class WindowLimits(msgspec.Struct, frozen=True, kw_only=True):
    """When a window closes. An item that alone exceeds ``max_bytes`` never gets here."""

    max_items: int
    max_bytes: int
    max_age_s: float


class Window:
    """Items of one group being collected."""

    __slots__ = ("batch_key", "body_bytes", "identities", "in_doubt", "items", "since_s")

    def __init__(self, first: Item, since_s: float) -> None:
        self.batch_key = first.encoded.batch_key
        self.in_doubt = first.in_doubt
        self.items: list[Item] = []
        self.identities: set[object] = set()
        self.body_bytes = 0
        self.since_s = since_s


class Windows:
    """All open windows of one destination, and the full ones that wait to be taken."""

    def __init__(self, limits: WindowLimits) -> None:
        self._limits = limits
        self._open: dict[str, Window] = {}
        self._full: deque[tuple[Window, FlushReason]] = deque()

    def add(self, items: Iterable[Item], now_s: float) -> None:
        """Add ``items`` in their order; a window that cannot hold the next one closes first."""
        max_items, max_bytes = self._limits.max_items, self._limits.max_bytes
        windows = self._open
        for item in items:
            encoded = item.encoded
            # What an earlier batch left open is gathered again by itself: it is asked after before it is sent.
            name = encoded.batch_key if item.in_doubt is None else item.in_doubt.batch_id
            window = windows.get(name)
            if window is None:
                window = windows[name] = Window(item, now_s)
            elif window.body_bytes + len(encoded.body) > max_bytes:
                self._full.append((windows.pop(name), "bytes"))
                window = windows[name] = Window(item, now_s)
            elif encoded.identity in window.identities:
                self._full.append((windows.pop(name), "duplicate"))
                window = windows[name] = Window(item, now_s)
            window.items.append(item)
            window.identities.add(encoded.identity)
            window.body_bytes += len(encoded.body) + 1
            if len(window.items) == max_items:
                self._full.append((windows.pop(name), "count"))

    def take(self, now_s: float, batch_id: str) -> Batch | None:
        """The next batch: of the first full window and the first whose age is due at ``now_s``, the older one."""
        # Windows stand in the order in which they were opened, so only the first can be the oldest.
        name, oldest = next(iter(self._open.items()), (None, None))
        if name is None or oldest is None or oldest.since_s + self._limits.max_age_s > now_s:
            name = oldest = None
        # Whichever was opened first: groups that are always full must not keep a due one waiting.
        if self._full and (oldest is None or self._full[0][0].since_s <= oldest.since_s):
            window, reason = self._full.popleft()
            return _close(window, reason, now_s, batch_id)
        return None if name is None else _close(self._open.pop(name), "age", now_s, batch_id)

    def due_at_s(self) -> float | None:
        """When the next batch can be taken: 0 for now, ``None`` while nothing waits."""
        if self._full:
            return 0.0
        oldest = next(iter(self._open.values()), None)
        return None if oldest is None else oldest.since_s + self._limits.max_age_s

    def discard(self, lane: int) -> None:
        """Forget the items of a lane that is given up; its next owner reads them again."""
        for window in self._all():
            kept = [item for item in window.items if item.lane != lane]
            if len(kept) < len(window.items):
                window.items = kept
                window.identities = {item.encoded.identity for item in kept}
                window.body_bytes = sum(len(item.encoded.body) + 1 for item in kept)
        self._open = {name: window for name, window in self._open.items() if window.items}
        self._full = deque(entry for entry in self._full if entry[0].items)

    def __len__(self) -> int:
        return sum(len(window.items) for window in self._all())

    def _all(self) -> Iterator[Window]:
        yield from (window for window, _ in self._full)
        yield from self._open.values()


def _close(window: Window, reason: FlushReason, now_s: float, batch_id: str) -> Batch:
    for row, item in enumerate(window.items):
        item.row = row
    return Batch(
        batch_id=batch_id,
        batch_key=window.batch_key,
        items=window.items,
        body_bytes=window.body_bytes - 1,  # there are separators between the items only
        reason=reason,
        since_s=window.since_s,
        closed_at_s=now_s,
        in_doubt=window.in_doubt,
    )
