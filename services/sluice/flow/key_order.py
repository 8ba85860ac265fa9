"""One item in flight per ordering key; what comes later for that key waits, in its order."""

from collections import deque
from collections.abc import Iterable

from sluice.flow.batch import Item


class KeyOrder:
    """The keys of one lane that are busy, and the items that wait for them.

    A key is busy from the moment its first item is let through until that item is settled. A key can also be parked:
    its item waits in a retry topic, and followers wait with it until the retry is settled.
    """

    __slots__ = ("_busy", "_ordered", "waiting")

    def __init__(self, *, ordered: bool) -> None:
        """With ``ordered`` false every item is let through at once (``ordering: none``)."""
        self._ordered = ordered
        self._busy: dict[bytes, deque[Item] | None] = {}
        self.waiting = 0
        """Items held back behind an earlier one of their key."""

    @property
    def busy(self) -> int:
        """Keys that are busy."""
        return len(self._busy)

    def admit(self, items: Iterable[Item]) -> list[Item]:
        """Those of ``items`` that may go on now; the others wait for their key."""
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
        """Mark ``keys`` as busy: their item waits in a retry topic."""
        if self._ordered:
            self._busy.update(dict.fromkeys(keys))

    def release(self, keys: Iterable[bytes]) -> list[Item]:
        """Free ``keys`` whose item is settled; the next item of each, where one waits, may go on."""
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
