"""Records of one object, packed, and found by id or by the values of a field.

A record is one MessagePack array by slot: about 100 bytes and its values. An id is made from a record's place in the
table, so ids need no memory.
"""

from array import array
from collections.abc import Iterator
from typing import Any

import msgspec

from sandbox.salesforce import ids
from sandbox.salesforce.objects import SYSTEM_FIELDS, ObjectType
from sandbox.salesforce.values import Value, instant_at

Record = list[Any]
"""Values by slot: system fields (instants in epoch seconds, the creator's serial), then the object's own fields."""
Index = dict[Value, "int | array[int]"]
"""Serial of the record with a value, or of all of them when there are several; texts folded where case is ignored."""

_CREATED, _MODIFIED, _STAMP, _CREATOR, _IS_DELETED = range(5)


class Table:
    """Records by serial, counted from 1. Hard-deleted ones are gone; deleted ones stay, outside every index."""

    def __init__(self, kind: ObjectType) -> None:
        self.kind = kind
        self._packed: list[bytes | None] = [None]
        self._indexes: dict[int, Index] = {slot: {} for slot in kind.unique}
        self._folded = {slot for slot, field in enumerate(kind.all_fields) if field.ignores_case}
        self._deleted = 0
        self._gone = 0

    def __len__(self) -> int:
        """Count the records that are not deleted."""
        return len(self._packed) - 1 - self._deleted - self._gone

    def id_of(self, serial: int) -> str:
        return ids.make(self.kind.prefix, serial)

    def serial_of(self, record_id: str) -> int | None:
        """Return the serial that the id names: of a living, a deleted, or no record at all."""
        return ids.serial_of(record_id, self.kind.prefix)

    def get(self, serial: int) -> Record | None:
        """Return the record, also when it is deleted; null when there is none."""
        packed = self._packed[serial] if 0 < serial < len(self._packed) else None
        return None if packed is None else _unpack(packed)

    def is_alive(self, serial: int) -> bool:
        record = self.get(serial)
        return record is not None and not record[_IS_DELETED]

    def insert(self, values: dict[int, Value], creator: int, at: float) -> int:
        """Store values by slot as a new record and return its serial."""
        record: Record = [at, at, at, creator, False]
        record += [values.get(slot) for slot in range(len(SYSTEM_FIELDS), len(self.kind.all_fields))]
        serial = len(self._packed)
        self._packed.append(_pack(record))
        for slot, index in self._indexes.items():
            _add(index, self._key(slot, record[slot]), serial)
        return serial

    def update(self, serial: int, record: Record, values: dict[int, Value], at: float) -> bool:
        """Change ``record`` in place, store it, and return whether any value differs."""
        changed = False
        for slot, value in values.items():
            before = record[slot]
            if before == value and type(before) is type(value):
                continue
            changed = True
            record[slot] = value
            if slot in self._indexes:
                _discard(self._indexes[slot], self._key(slot, before), serial)
                _add(self._indexes[slot], self._key(slot, value), serial)
        record[_MODIFIED] = record[_STAMP] = at
        self._packed[serial] = _pack(record)
        return changed

    def delete(self, serial: int, at: float, *, hard: bool = False) -> None:
        """Take a living record out of every index, and with ``hard`` out of the table."""
        record = self.get(serial)
        assert record is not None
        for slot, index in self._indexes.items():
            _discard(index, self._key(slot, record[slot]), serial)
        record[_IS_DELETED] = True
        record[_MODIFIED] = record[_STAMP] = at
        self._packed[serial] = None if hard else _pack(record)
        self._deleted += not hard
        self._gone += hard

    def find(self, slot: int, value: Value) -> list[int]:
        """Return the living records with that value. The first search by a field makes its index."""
        if slot not in self._indexes:
            index: Index = {}
            for serial, record in self.scan():
                _add(index, self._key(slot, record[slot]), serial)
            self._indexes[slot] = index
        found = self._indexes[slot].get(self._key(slot, value), ())
        return [found] if isinstance(found, int) else list(found)

    def scan(self, *, with_deleted: bool = False) -> Iterator[tuple[int, Record]]:
        """Yield every living record, first created first, and the deleted ones between them if asked for."""
        for serial, packed in enumerate(self._packed):
            if packed is not None:
                record = _unpack(packed)
                if with_deleted or not record[_IS_DELETED]:
                    yield serial, record

    def shown(self, record: Record, slot: int) -> Value:
        """Return a value as reads show it: instants as text, creators as ids."""
        value: Value = record[slot]
        if slot <= _STAMP:
            return instant_at(record[slot])
        return ids.make(ids.USER, record[slot]) if slot == _CREATOR else value

    def _key(self, slot: int, value: Value) -> Value:
        return value.casefold() if slot in self._folded and isinstance(value, str) else value


def _add(index: Index, value: Value, serial: int) -> None:
    if value is None:
        return
    holders = index.setdefault(value, serial)
    if not isinstance(holders, int):
        holders.append(serial)
    elif holders != serial:
        index[value] = array("Q", (holders, serial))


def _discard(index: Index, value: Value, serial: int) -> None:
    holders = index.get(value)
    if isinstance(holders, int):
        del index[value]
    elif holders is not None:
        holders.remove(serial)
        if len(holders) == 1:
            index[value] = holders[0]


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list).decode
