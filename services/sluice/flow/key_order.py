"""Order per key: at most one item of an ordering key is in flight, and later ones wait in the order they came.

A key is free → busy when an item of it is let through → free when that item is settled and no other waits. An item that
is to be tried again leaves its key busy (parked) until its retry is settled, so that no follower overtakes it.
"""

from collections import deque
from collections.abc import Iterable

from sluice.flow.batch import Item


class KeyOrder:
    """The busy keys of one lane, and the items that wait for them."""

    __slots__ = ("_busy", "_ordered", "waiting")

    def __init__(self, *, ordered: bool) -> None:
        """Let every item through at once when ``ordered`` is false (``ordering: none``)."""
        self._ordered = ordered
        self._busy: dict[bytes, deque[Item] | None] = {}
        self.waiting = 0
        """Number of items held back behind an earlier one of their key."""

    @property
    def busy(self) -> int:
        """Keys that are busy."""
        return len(self._busy)

    def admit(self, items: Iterable[Item]) -> list[Item]:
        """Return those of ``items`` that may go on now, and hold back the others until their key is free."""
        if not self._ordered:
            return list(items)
        busy = self._busy
        runnable = []
        for item in items:
            key = item.order_key
            if key not in busy:
                busy[key] = None
                runnable.append(item)
            else:
                queue = busy[key]
                if queue is None:
                    queue = busy[key] = deque()
                queue.append(item)
                self.waiting += 1
        return runnable

    def park(self, keys: Iterable[bytes]) -> None:
        """Mark ``keys`` as busy, when a lane is opened: their item waits in a retry topic."""
        if self._ordered:
            self._busy.update(dict.fromkeys(keys))

    def release(self, keys: Iterable[bytes]) -> list[Item]:
        """Free ``keys`` whose item is settled. Return the next item of each that has one waiting: these may go on."""
        if not self._ordered:
            return []
        busy = self._busy
        runnable = []
        for key in keys:
            queue = busy.get(key)
            if queue:
                runnable.append(queue.popleft())
                self.waiting -= 1
            else:
                busy.pop(key, None)
        return runnable
