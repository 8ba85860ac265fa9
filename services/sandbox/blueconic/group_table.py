"""Storage of the groups of one type as MessagePack: about half a kilobyte for a group of eight short properties.

Groups are listed in the order of their creation. Each has a serial number, after which the next page begins, so that a
cursor stays valid whatever is created or deleted in between. Or else they are listed by their last modification.
"""

from array import array
from bisect import bisect_left
from typing import NamedTuple

import msgspec

from sandbox.blueconic.listing_order import ListingOrder, Place
from sandbox.blueconic.rules import Values

_MIN_GAPS = 1000


class Group(msgspec.Struct, array_like=True, gc=False):
    """A stored group; times in epoch milliseconds."""

    serial: int
    created_ms: int
    modified_ms: int
    values: Values


class Page(NamedTuple):
    """Some groups by id, and the place at which the page ends; null on the last page."""

    groups: list[tuple[str, bytes]]
    ends_at: Place | None


class GroupTable:
    """All groups of one type, by id."""

    def __init__(self, *, by_modification: bool = False) -> None:
        self._modified = ListingOrder() if by_modification else None
        self.lag_ms = 0
        """How long reads see a group as before, when it is written now."""
        self._packed: dict[str, bytes] = {}
        self._ids: list[str | None] = []
        self._serials = array("Q")
        self._next_serial = 1
        self._replaced: dict[str, tuple[int, bytes | None]] = {}

    def __len__(self) -> int:
        return len(self._packed)

    def get(self, group_id: str) -> Group | None:
        """Return the current group, without the lag of reads."""
        packed = self._packed.get(group_id)
        return None if packed is None else unpack(packed)

    def create(self, group_id: str, values: Values, now_ms: int) -> None:
        serial = self._next_serial
        self._next_serial += 1
        self._ids.append(group_id)
        self._serials.append(serial)
        self._put(group_id, Group(serial, now_ms, now_ms, values), now_ms)

    def modify(self, group_id: str, group: Group, now_ms: int) -> None:
        group.modified_ms = now_ms
        self._put(group_id, group, now_ms)

    def delete(self, group_id: str, now_ms: int) -> bool:
        """Delete a group; return whether it existed. Listings lose it at once."""
        packed = self._packed.pop(group_id, None)
        if packed is None:
            return False
        if self.lag_ms:
            self._replaced[group_id] = (now_ms + self.lag_ms, packed)
        if self._modified is not None:
            self._modified.remove(group_id)
        self._ids[bisect_left(self._serials, unpack(packed).serial)] = None
        if len(self._ids) > 2 * len(self._packed) + _MIN_GAPS:
            self._compact()
        return True

    def read(self, group_id: str, now_ms: int) -> bytes | None:
        """Return the packed group as a read sees it now."""
        if group_id in self._replaced:
            visible_at_ms, before = self._replaced[group_id]
            if now_ms < visible_at_ms:
                return before
            del self._replaced[group_id]
        return self._packed.get(group_id)

    def page(self, after: Place, count: int, now_ms: int) -> Page:
        """Return at most ``count`` groups after a place: a serial number, or else an instant and a group's id."""
        if self._modified is not None:
            return self._page_by_modification(self._modified, after, count, now_ms)
        groups: list[tuple[str, bytes]] = []
        last = after
        for index in range(bisect_left(self._serials, max(0, after[0] + 1)), len(self._ids)):
            group_id = self._ids[index]
            packed = None if group_id is None else self.read(group_id, now_ms)
            if group_id is None or packed is None:
                continue
            if len(groups) == count:
                return Page(groups, last)
            groups.append((group_id, packed))
            last = (self._serials[index], "")
        return Page(groups, None)

    def _page_by_modification(self, order: ListingOrder, after: Place, count: int, now_ms: int) -> Page:
        places = order.after(after, count + 1)
        read = ((group_id, self.read(group_id, now_ms)) for _, group_id in places[:count])
        groups = [(group_id, packed) for group_id, packed in read if packed is not None]
        return Page(groups, places[count - 1] if len(places) > count > 0 else None)

    def _put(self, group_id: str, group: Group, now_ms: int) -> None:
        if self.lag_ms:
            self._replaced[group_id] = (now_ms + self.lag_ms, self._packed.get(group_id))
        if self._modified is not None:
            self._modified.put(group_id, group.modified_ms)
        self._packed[group_id] = _pack(group)

    def _compact(self) -> None:
        kept = [(group_id, serial) for group_id, serial in zip(self._ids, self._serials, strict=True) if group_id]
        self._ids = [group_id for group_id, _ in kept]
        self._serials = array("Q", (serial for _, serial in kept))


unpack = msgspec.msgpack.Decoder(Group).decode
_pack = msgspec.msgpack.Encoder().encode
