"""Storage of objects of one kind: MessagePack by id, found by meeting and by person; about 200 bytes each."""

from array import array
from bisect import bisect_left, insort
from typing import Generic, TypeVar

import msgspec

from sandbox.bloom_growth import ids
from sandbox.bloom_growth.refusals import Refusal

_ENTRY_BYTES = 150
"""Size of an object beside its bytes: its dictionary entry, its id, its places in the indexes."""


class Row(msgspec.Struct, array_like=True, kw_only=True, gc=False):
    """A stored object; lists find it by its ``people`` and ``meetings``."""

    def people(self) -> tuple[int, ...]:
        raise NotImplementedError

    def meetings(self) -> tuple[int, ...]:
        return ()


Kind = TypeVar("Kind", bound=Row)


class StorageLimit:
    """Limit on the bytes that all kinds together may hold, and the switch that stops all changes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.used_bytes = 0
        self.is_frozen = False
        """True while writes are to be ignored."""

    def take(self, size_bytes: int) -> None:
        """Add to the bytes in use. Raises ``Refusal`` 503 when there is no more room."""
        if size_bytes > 0 and self.used_bytes + size_bytes > self._max_bytes:
            raise Refusal(503, f"The sandbox holds {self.used_bytes} of at most {self._max_bytes} bytes.")
        self.used_bytes += size_bytes


class Records(Generic[Kind]):
    """All objects of one kind. Lists are in the order of ids, which is that of creation."""

    def __init__(self, name: ids.Kind, kind: type[Kind], storage: StorageLimit) -> None:
        self.name = name
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._storage = storage
        self._packed: dict[int, bytes] = {}
        self._by_person: dict[int, array[int]] = {}
        self._by_meeting: dict[int, array[int]] = {}

    def __len__(self) -> int:
        return len(self._packed)

    def get(self, key: int) -> Kind | None:
        packed = self._packed.get(key)
        return None if packed is None else self._decode(packed)

    def put(self, key: int, row: Kind) -> bool:
        """Store an object; return whether it changed. Raises ``Refusal`` for lack of room, and keeps the old one."""
        if self._storage.is_frozen:
            return False
        packed = _encode(row)
        before = self._packed.get(key)
        self._storage.take(len(packed) + (_ENTRY_BYTES if before is None else -len(before)))
        self._packed[key] = packed
        was = None if before is None else self._decode(before)
        _move(self._by_person, key, was.people() if was else (), row.people())
        _move(self._by_meeting, key, was.meetings() if was else (), row.meetings())
        return packed != before

    def remove(self, key: int) -> None:
        packed = self._packed.pop(key)
        self._storage.take(-len(packed) - _ENTRY_BYTES)
        was = self._decode(packed)
        _move(self._by_person, key, was.people(), ())
        _move(self._by_meeting, key, was.meetings(), ())

    def of_person(self, user_id: int) -> list[tuple[int, Kind]]:
        return self._rows(self._by_person.get(user_id))

    def of_meeting(self, meeting_id: int) -> list[tuple[int, Kind]]:
        return self._rows(self._by_meeting.get(meeting_id))

    def _rows(self, keys: "array[int] | None") -> list[tuple[int, Kind]]:
        return [(key, self._decode(self._packed[key])) for key in keys or ()]


def _move(index: "dict[int, array[int]]", key: int, before: tuple[int, ...], after: tuple[int, ...]) -> None:
    if before == after:
        return
    for place in before:
        keys = index[place]
        del keys[bisect_left(keys, key)]
        if not keys:
            del index[place]
    for place in after:
        insort(index.setdefault(place, array("Q")), key)


_encode = msgspec.msgpack.Encoder().encode
