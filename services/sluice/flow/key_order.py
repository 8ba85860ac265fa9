"""Order per key: at most one item of an ordering key is in flight, and later ones wait in the order they came.

A key is free → busy when an item of it is let through → free when that item is settled and no other waits. An item that
is to be tried again leaves its key busy (parked) until its retry is settled, so that no follower overtakes it.

Followers wait in memory as long as there is room, and in Kafka beyond that. A key takes no more than what all others
leave free: alone it has half of the room, and however many are hot, there is some for the next one. So no key stops its
neighbours.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from sluice.flow.batch import Item
from sluice.flow.deferred import DeferredFollowers
from sluice.flow.key_hashes import KeyHashes, hash_of

PARKED_KEY_BYTES = 150
"""Memory of a parked key, beside its bytes."""


class OrderTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of the order in one lane: if there is one, and what is kept in memory for it."""

    ordered: bool = True
    """False to let every item through at once (``ordering: none``)."""
    max_items: int
    """Followers that wait."""
    max_bytes: int
    """Memory of these followers, and again as much for keys that are parked."""


class Admission(NamedTuple):
    """Items that stay in memory, of those that have come in; all others are left in Kafka, for want of room."""

    runnable: list[Item]
    """Items that may go on now."""
    kept: Sequence[Item]
    """Those, and the items that wait in memory for their key."""


class KeyOrder:
    """The busy keys of one lane, and the items that wait for them."""

    def __init__(self, terms: OrderTerms) -> None:
        self._terms = terms
        self._ordered = terms.ordered
        # Lists, and no deques, which take 600 bytes each: most keys have one follower.
        self._busy: dict[bytes, list[Item] | None] = {}
        self._parked: set[bytes] = set()
        self._starved: set[bytes] = set()
        """Busy keys without an item: their next one has to be read again first."""
        self._with_vendor = KeyHashes()
        """Busy keys whose item is in a vendor job, and not in memory."""
        self.deferred = DeferredFollowers()
        self.waiting = 0
        """Number of items held back behind an earlier one of their key."""
        self._waiting_bytes = 0
        self.parked_bytes = 0
        """Memory of the keys that are parked."""

    @property
    def busy(self) -> int:
        """Keys that are busy."""
        return len(self._busy) + len(self._with_vendor)

    @property
    def crowded(self) -> bool:
        """True while so many keys are parked that no more records should be read."""
        return self.parked_bytes >= self._terms.max_bytes

    def admit(self, items: Sequence[Item]) -> Admission:
        """Let those of ``items`` through that may go on now, and hold the others back until their key is free."""
        if not self._ordered:
            return Admission(list(items), items)
        runnable: list[Item] = []
        left: set[int] = set()
        busy, with_vendor = self._busy, self._with_vendor
        for item in items:
            key = item.order_key
            if key not in busy and not (with_vendor and hash_of(key) in with_vendor):
                busy[key] = None
                runnable.append(item)
            elif key in self.deferred.spans or not self._has_room(item):
                self.deferred.add(key, item.offset)
                left.add(item.offset)
            else:
                self._hold_back(item)
        return Admission(runnable, [item for item in items if item.offset not in left] if left else items)

    def readmit(self, items: Sequence[Item], looked_at: range) -> Admission:
        """Do the same with items that were left in Kafka, of hungry keys at least, now that they were read again.

        Nothing else of these keys stands among the offsets ``looked_at``.
        """
        runnable: list[Item] = []
        kept: list[Item] = []
        seekers = self.deferred.seekers(looked_at)
        for item in items:
            key = item.order_key
            if key not in seekers:
                continue
            if key in self._starved:
                self._starved.remove(key)
                runnable.append(item)
            elif self._has_room(item):
                self._hold_back(item)
            else:
                seekers.remove(key)
                self.deferred.sate(key, item.offset)
                continue
            self.deferred.take(key, item.offset)
            kept.append(item)
        self.deferred.looked(seekers, looked_at.stop)
        for key in [key for key in seekers & self._starved if key not in self.deferred.spans]:
            # Nothing of what it had left is in Kafka any more.
            self._starved.remove(key)
            self._busy.pop(key)
        return Admission(runnable, kept)

    def park(self, keys: Iterable[bytes]) -> None:
        """Mark ``keys`` as busy until their item, which waits in a retry topic, is settled."""
        if not self._ordered:
            return
        for key in keys:
            self._busy.setdefault(key)
            if key not in self._parked:
                self._parked.add(key)
                self.parked_bytes += PARKED_KEY_BYTES + len(key)

    def release(self, keys: Iterable[bytes]) -> list[Item]:
        """Free ``keys`` whose item is settled. Return the next item of each that has one waiting: these may go on."""
        if not self._ordered:
            return []
        busy, deferred = self._busy, self.deferred.spans
        runnable = []
        for key in keys:
            if self._with_vendor:
                self._with_vendor.discard(hash_of(key))
            if waiting := busy.get(key):
                runnable.append(self._next(key, waiting))
            elif key in deferred:
                busy.setdefault(key)
                self._starved.add(key)
                self.deferred.hungry.add(key)
            else:
                busy.pop(key, None)
            if self._parked and key in self._parked:
                self._parked.remove(key)
                self.parked_bytes -= PARKED_KEY_BYTES + len(key)
        return runnable

    def hand_over(self, keys: Iterable[bytes], hashes: Iterable[int]) -> None:
        """Take note that the item of each of ``keys`` leaves memory for a vendor job; its hash stays busy."""
        if not self._ordered:
            return
        for key, own in zip(keys, hashes, strict=True):
            self._with_vendor.add(own)
            if self._busy.get(key, ()) is None:
                del self._busy[key]

    def found_with_vendor(self, hashes: Iterable[int]) -> None:
        """Take note of keys, by their hashes, whose item is in a vendor job that was found in the journal."""
        if self._ordered:
            for one in hashes:
                self._with_vendor.add(one)

    def forget_with_vendor(self, hashes: Iterable[int]) -> list[bytes]:
        """Take note that no vendor job has an item of these keys any more; return those that others wait for."""
        forgotten = set(hashes)
        for one in forgotten:
            self._with_vendor.discard(one)
        return [key for key in {*self._busy, *self.deferred.spans} if hash_of(key) in forgotten] if forgotten else []

    def _has_room(self, item: Item) -> bool:
        own = len(self._busy.get(item.order_key) or ())
        return (
            own < self._terms.max_items - self.waiting
            and self._waiting_bytes + item.held_bytes <= self._terms.max_bytes
        )

    def _hold_back(self, item: Item) -> None:
        waiting = self._busy.get(item.order_key)
        if waiting is None:
            waiting = self._busy[item.order_key] = []
        waiting.append(item)
        self.waiting += 1
        self._waiting_bytes += item.held_bytes

    def _next(self, key: bytes, waiting: list[Item]) -> Item:
        item = waiting.pop(0)
        self.waiting -= 1
        self._waiting_bytes -= item.held_bytes
        if not waiting:
            self._busy[key] = None
        if key in self.deferred.spans and self._has_little(len(waiting)):
            self.deferred.hungry.add(key)
        return item

    def _has_little(self, own: int) -> bool:
        """Return whether a key with ``own`` followers in memory should have more: a look at Kafka must be worth it."""
        return 4 * own <= self._terms.max_items - self.waiting and 2 * self._waiting_bytes <= self._terms.max_bytes
