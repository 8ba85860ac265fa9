"""Windows, which collect items with one batch key until they are a batch.

1. A window opens with its first item, and its age counts from then.
2. It fills. Items and encoded bytes are hard limits: it closes before an item that would exceed one is added. Where a
   batch is a table, its header and the cells that a row lacks count, too: ``table_header.py`` beside this file.
3. It is taken as a batch once it is full, or older than ``max_age_s``. A window that is only old closes when it is
   taken, not by the clock: while the vendor is busy it goes on filling.
4. When memory is full, no window can fill any more, and the largest are closed early.
5. While the vendor has no room for another job, windows that would become one are held back, and go on filling.

Windows are shared by all lanes of a process: vendors meter batches, so twelve lanes must not mean twelve small ones.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from sluice.flow.batch import Batch, Encoded, FlushReason, Item, Part
from sluice.flow.table_header import TableHeader
from sluice.setting_types import Frozen, Positive, SecondsOrZero


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits that the vendor sets; settings may narrow them, never widen them."""

    max_items: int
    max_bytes: int
    """Encoded bytes of one request body."""
    max_concurrent: int
    """Requests in flight at once. Each writer keeps to it by itself: n writers make n times as many."""
    max_age_s: float
    """The default age at which a window closes; ours to choose."""
    max_jobs: int = 0
    """Vendor jobs outstanding at once, each writer by itself; 0 for a vendor that answers at once."""
    max_header_bytes: int | None = None
    """The header line of a batch that is a table, with its end of line; ``None`` for no limit but ``max_bytes``."""


class WindowSettings(Frozen, frozen=True):
    """Limits of a window. One that is left out is the destination kind's own, which can only be narrowed."""

    max_items: Positive | None = None
    max_bytes: Positive | None = None
    max_age_s: SecondsOrZero | None = None


class WindowLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of a window. No item that alone exceeds ``max_bytes`` may be added."""

    max_items: int
    max_bytes: int
    max_age_s: float
    max_header_bytes: int | None = None


def narrow(limits: Limits, settings: WindowSettings) -> WindowLimits:
    """Return the vendor's ``limits`` as far as ``settings`` do not narrow them."""
    return WindowLimits(
        max_items=min(limits.max_items, settings.max_items or limits.max_items),
        max_bytes=min(limits.max_bytes, settings.max_bytes or limits.max_bytes),
        max_age_s=limits.max_age_s if settings.max_age_s is None else settings.max_age_s,
        max_header_bytes=limits.max_header_bytes,
    )


class Window:
    """Items with one batch key, being collected."""

    __slots__ = (
        "answered_at_loss",
        "batch_key",
        "body_bytes",
        "header",
        "identities",
        "in_doubt",
        "is_job",
        "items",
        "since_s",
        "suspected",
    )

    def __init__(self, first: Item, since_s: float) -> None:
        self.batch_key = first.encoded.batch_key
        self.in_doubt = first.in_doubt
        self.items: list[Item] = []
        self.identities: set[object] = set()
        self.header = TableHeader()
        self.body_bytes = 0
        self.since_s = since_s
        self.suspected = 0
        self.answered_at_loss: int | None = None
        self.is_job = False
        """True once it was found that it becomes a vendor job; it stays one while it fills."""

    @property
    def item_bytes(self) -> int:
        """Bytes of its items, as the buffer counts them."""
        return sum([item.held_bytes for item in self.items])


class Windows:
    """The open windows of one destination, and the full ones that wait to be taken."""

    def __init__(self, limits: WindowLimits, is_job: Callable[[Sequence[Item]], bool] = lambda _: True) -> None:
        """``is_job`` returns whether items become a vendor job, which takes room that the vendor may not have."""
        self._limits = limits
        self._is_job = is_job
        self._open: dict[object, Window] = {}
        self._full: deque[tuple[Window, FlushReason]] = deque()

    def add(self, items: Iterable[Item], now_s: float) -> None:
        """Add ``items`` in their order, and close each window that cannot hold its next item."""
        max_items, max_bytes = self._limits.max_items, self._limits.max_bytes
        windows = self._open
        for item in items:
            encoded = item.encoded
            name: object = encoded.batch_key
            # Items of a request in doubt keep to themselves: the vendor is asked about them before they are sent. One
            # batch can be several requests, and its lanes may have been taken over one after the other.
            if (in_doubt := item.in_doubt) is not None:
                name = (in_doubt.batch_id, in_doubt.lost_at_s, in_doubt.vendor_at, *in_doubt.refs.items())
            window = windows.get(name)
            if window is None:
                window = windows[name] = Window(item, now_s)
            elif (
                self._overflows(window, encoded)
                if encoded.columns
                else window.body_bytes + len(encoded.body) > max_bytes
            ):
                self._full.append((windows.pop(name), "bytes"))
                window = windows[name] = Window(item, now_s)
            elif encoded.identity in window.identities:
                self._full.append((windows.pop(name), "duplicate"))
                window = windows[name] = Window(item, now_s)
            window.items.append(item)
            window.identities.add(encoded.identity)
            window.body_bytes += len(encoded.body) + 1
            if encoded.columns:
                window.body_bytes += window.header.add(encoded.columns)
            if len(window.items) == max_items:
                self._full.append((windows.pop(name), "count"))

    def take(self, now_s: float, batch_id: str, *, has_room: bool = True) -> Batch | None:
        """Return the next batch, or ``None`` if no window is full or due at ``now_s``.

        Without room at the vendor for another job, windows that become one stay.
        """
        if not has_room:
            return self._take_write(now_s, batch_id)
        # The dict holds windows in the order in which they were opened, so its first is the oldest.
        name, oldest = next(iter(self._open.items()), (None, None))
        if name is None or oldest is None or oldest.since_s + self._limits.max_age_s > now_s:
            name = oldest = None
        # Of the first full and the first due window take the older: full ones first would starve the due ones.
        if self._full and (oldest is None or self._full[0][0].since_s <= oldest.since_s):
            window, reason = self._full.popleft()
            return _close(window, reason, now_s, batch_id)
        return None if name is None else _close(self._open.pop(name), "age", now_s, batch_id)

    def _take_write(self, now_s: float, batch_id: str) -> Batch | None:
        """Return the next batch that becomes no job, if there is one."""
        for place, (window, reason) in enumerate(self._full):
            if not self._held(window):
                del self._full[place]
                return _close(window, reason, now_s, batch_id)
        for name, window in self._open.items():
            if window.since_s + self._limits.max_age_s > now_s:
                return None
            if not self._held(window):
                return _close(self._open.pop(name), "age", now_s, batch_id)
        return None

    def _held(self, window: Window) -> bool:
        """Find out whether ``window`` becomes a job."""
        # What is in doubt was no job, and the vendor is asked about it first.
        window.is_job = window.is_job or (window.in_doubt is None and self._is_job(window.items))
        return window.is_job

    def due_at_s(self, *, has_room: bool = True) -> float | None:
        """Return when the next batch can be taken: 0 for at once, ``None`` while nothing waits.

        Without room for another job, windows count that are not known to become one.
        """
        if not has_room:
            if any(not window.is_job for window, _ in self._full):
                return 0.0
            since = (window.since_s for window in self._open.values() if not window.is_job)
            first = next(since, None)
            return None if first is None else first + self._limits.max_age_s
        if self._full:
            return 0.0
        oldest = next(iter(self._open.values()), None)
        return None if oldest is None else oldest.since_s + self._limits.max_age_s

    def relieve(self, max_items: int, max_bytes: int) -> bool:
        """Close the largest windows until the open ones hold no more than this; return whether one was closed."""
        by_items = {name: len(window.items) for name, window in self._open.items()}
        by_bytes = {name: window.item_bytes for name, window in self._open.items()}
        largest = _largest_beyond(by_items, max_items) | _largest_beyond(by_bytes, max_bytes)
        for name in [name for name in self._open if name in largest]:
            self._full.append((self._open.pop(name), "pressure"))
        return bool(largest)

    def put_back(self, parts: Iterable[Part], now_s: float) -> None:
        """Have each of ``parts`` of a batch taken again as a batch of its own, after what is full or due by now."""
        for part in parts:
            window = Window(part.items[0], now_s)
            window.items = part.items
            window.in_doubt = None  # whatever was in doubt was found out about before
            _measure(window)
            window.suspected = part.suspected
            window.answered_at_loss = part.answered_at_loss
            self._full.append((window, part.reason))

    @property
    def suspected(self) -> list[tuple[int, int]]:
        """Of each window with items that seem to be bad, how many it has, and how many of these."""
        return [(len(window.items), window.suspected) for window, _ in self._full if window.suspected]

    def trust(self) -> None:
        """Suspect nothing any more: a person has looked at it."""
        for window, _ in self._full:
            window.suspected = 0

    def discard(self, lane: int) -> None:
        """Forget the items of ``lane``, which is given up: its next owner reads them again."""
        for window in self._all():
            kept = [item for item in window.items if item.lane != lane]
            if len(kept) < len(window.items):
                window.items = kept
                window.suspected = min(window.suspected, len(kept))
                window.identities = {item.encoded.identity for item in kept}
                window.is_job = False
                _measure(window)
        self._open = {name: window for name, window in self._open.items() if window.items}
        self._full = deque(entry for entry in self._full if entry[0].items)

    def __len__(self) -> int:
        return sum(len(window.items) for window in self._all())

    def _overflows(self, window: Window, row: Encoded) -> bool:
        """Return whether ``window``, a table, would exceed a limit with one ``row`` more."""
        added_bytes, header_bytes = window.header.cost(row.columns)
        if window.body_bytes + len(row.body) + added_bytes > self._limits.max_bytes:
            return True
        max_header_bytes = self._limits.max_header_bytes
        return max_header_bytes is not None and window.header.line_bytes + header_bytes > max_header_bytes

    def _all(self) -> Iterator[Window]:
        yield from (window for window, _ in self._full)
        yield from self._open.values()


def _largest_beyond(sizes: dict[object, int], limit: int) -> set[object]:
    """Return the names of the largest of ``sizes`` without which the others are at most ``limit`` together."""
    chosen: set[object] = set()
    total = sum(sizes.values())
    for name in sorted(sizes, key=sizes.__getitem__, reverse=True) if total > limit else ():
        if total <= limit:
            break
        chosen.add(name)
        total -= sizes[name]
    return chosen


def _measure(window: Window) -> None:
    """Count the bytes of ``window`` anew, after its items have changed."""
    window.header = TableHeader()
    window.body_bytes = 0
    for item in window.items:
        window.body_bytes += len(item.encoded.body) + 1
        if item.encoded.columns:
            window.body_bytes += window.header.add(item.encoded.columns)


def _close(window: Window, reason: FlushReason, now_s: float, batch_id: str) -> Batch:
    if window.items[0].encoded.sort_key is not None:
        window.items.sort(key=_sort_key)
    for row, item in enumerate(window.items):
        item.row = row
    return Batch(
        batch_id=batch_id,
        batch_key=window.batch_key,
        items=window.items,
        body_bytes=window.body_bytes - 1,  # separators stand only between items
        reason=reason,
        since_s=window.since_s,
        closed_at_s=now_s,
        suspected=window.suspected,
        answered_at_loss=window.answered_at_loss,
        in_doubt=window.in_doubt,
    )


def _sort_key(item: Item) -> str:
    return item.encoded.sort_key or ""
