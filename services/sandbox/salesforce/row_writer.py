"""Operations on the records of one object, row by row. salesforce_bulk.md §5, §6.

insert      makes a record
update      changes the record that ``Id`` names
upsert      0 matches of the key make a record, 1 is changed, more are a row error
delete      puts the record in the recycle bin; once more: ``ENTITY_IS_DELETED``
hardDelete  removes it
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from sandbox.salesforce import ids
from sandbox.salesforce.columns import Columns
from sandbox.salesforce.parent_locks import BatchLocks
from sandbox.salesforce.results import RowRefused, RowResult
from sandbox.salesforce.table import Record, Table
from sandbox.salesforce.values import Value, refused

Row = Sequence[Any]
"""Cells by column: a text or JSON value; ``None`` sets null, ``""`` leaves as is. §6 [docs]"""
Values = dict[int, Value]


class UnreadableRow(list[Any]):
    """Row with a blank beside a quote, which is refused; its cells are a guess. §13.8"""


def with_cells(row: Row, cells: list[Any]) -> Row:
    """Return other cells for a row, which stays unreadable if it was."""
    return UnreadableRow(cells) if isinstance(row, UnreadableRow) else cells


class WrittenRow(NamedTuple):
    """Result of a row, its effect in the ledger, and whether any data changed."""

    result: RowResult
    effect: str
    changed: bool


class RowWriter:
    """Writer of one batch for one object."""

    def __init__(
        self,
        table: Table,
        columns: Columns,
        *,
        key_slot: int | None,
        creator: int,
        at: float,
        locks: BatchLocks | None = None,
    ) -> None:
        self._table = table
        self._kind = table.kind
        self._columns = columns
        self._key_slot = key_slot
        self._creator = creator
        self._owner = ids.make(ids.USER, creator)
        self._at = at
        self._locks = locks
        self._folds = key_slot is not None and table.kind.all_fields[key_slot].ignores_case
        self._repeated: set[str] = set()

    def write(self, operation: str, rows: Sequence[Row]) -> Iterable[WrittenRow]:
        """Apply rows in order; each sees the changes of earlier ones."""
        write_row = self._operation(operation, rows)
        for row in rows:
            try:
                if isinstance(row, UnreadableRow):
                    # The document names no code. [assumed: the nearest of §5]
                    raise refused("INVALID_FIELD", "a blank stands beside a quote")
                yield write_row(row)
            except RowRefused as refusal:
                error = refusal.error
                yield WrittenRow(RowResult(refusal.record_id, False, False, (error,)), error.status_code, False)

    def _operation(self, operation: str, rows: Sequence[Row]) -> Callable[[Row], WrittenRow]:
        match operation:
            case "insert":
                return self._insert
            case "update":
                return self._update
            case "delete":
                return self._delete
            case "hardDelete":
                return partial(self._delete, hard=True)
            case _ if self._key_slot is None:
                self._note_repeated(rows, self._columns.id_place)
                return self._upsert_by_id
            case _:
                self._note_repeated(rows, None if self._columns.key is None else self._columns.key[0])
                return self._upsert

    def _note_repeated(self, rows: Sequence[Row], place: int | None) -> None:
        """Note the upsert keys that stand in the batch more than once; ``place`` is their column, if there is one."""
        if place is None:
            return
        keys = [
            self._key(row[place]) for row in rows if row[place] not in (None, "") and not isinstance(row, UnreadableRow)
        ]
        if len(set(keys)) != len(keys):
            self._repeated = {key for key, times in Counter(keys).items() if times > 1}

    def _key(self, cell: Any) -> str:
        """Return a cell as upsert keys are compared: without case, unless the field tells it apart. §13.10 [docs]"""
        return str(cell).casefold() if self._folds else str(cell)

    def _insert(self, row: Row) -> WrittenRow:
        place = self._columns.id_place
        if place is not None and row[place]:
            raise refused("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")
        return self._create(self._values(row))

    def _update(self, row: Row) -> WrittenRow:
        serial, record = self._record_of(row, "update")
        return self._change(serial, record, row)

    def _upsert_by_id(self, row: Row) -> WrittenRow:
        """Upsert by ``Id``; an empty one creates. §6 [docs] [client CumulusCI]"""
        place = self._columns.id_place
        if place is None or not row[place]:
            return self._create(self._values(row))
        if str(row[place]) in self._repeated:
            raise refused("DUPLICATE_VALUE", f"Duplicate id specified: {row[place]}", "Id")
        return self._update(row)

    def _upsert(self, row: Row) -> WrittenRow:
        """Upsert by an external id. An ``Id`` beside it is refused. §13.12, the code [assumed]"""
        place = self._columns.id_place
        if place is not None and row[place]:
            raise refused("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an upsert by an external id", "Id")
        found = self._matches(row)
        if not found:
            return self._create(self._values(row))
        record = self._table.get(found[0])
        assert record is not None
        return self._change(found[0], record, row)

    def _matches(self, row: Row) -> list[int]:
        """Return the serial of the one record with the row's key, or nothing."""
        slot = self._key_slot
        assert slot is not None
        name = self._kind.all_fields[slot].name
        place, convert = self._columns.key or (0, None)
        cell = row[place] if convert else None
        if convert is None or cell is None or cell == "":
            raise refused("MISSING_ARGUMENT", f"{name} not specified", name)
        if self._key(cell) in self._repeated:
            raise refused("DUPLICATE_VALUE", f"Duplicate external id specified: {cell}", name)
        found = self._table.find(slot, convert(cell))
        if len(found) > 1:
            matches = ", ".join(map(self._table.id_of, found))
            message = f"{name}: more than one record found for external id field: [{matches}]"
            raise refused("DUPLICATE_EXTERNAL_ID", message, name)
        return found

    def _delete(self, row: Row, *, hard: bool = False) -> WrittenRow:
        serial, record = self._record_of(row, "delete")
        if self._locks is not None:
            self._locks.take(record[slot] for slot in self._kind.parents)
        self._table.delete(serial, self._at, hard=hard)
        effect = "HARD_DELETED" if hard else "DELETED"
        return WrittenRow(RowResult(self._table.id_of(serial), True, False), effect, True)

    def _record_of(self, row: Row, call: str) -> tuple[int, Record]:
        """Return the living record that the row's ``Id`` names."""
        place = self._columns.id_place
        record_id = "" if place is None else row[place]
        if not record_id:
            raise refused("MISSING_ARGUMENT", f"Id not specified in an {call} call", "Id")
        serial = self._table.serial_of(str(record_id))
        if serial is None:
            raise refused("MALFORMED_ID", f"{self._kind.name} ID: id value of incorrect type: {record_id}", "Id")
        record = self._table.get(serial)
        if record is None:
            raise refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if record[self._kind.slots["isdeleted"]]:
            raise self._with_record(serial, refused("ENTITY_IS_DELETED", "entity is deleted"))
        return serial, record

    def _values(self, row: Row) -> Values:
        for place, name in self._columns.unknown:
            if row[place] != "":
                message = f"No such column '{name}' on sobject of type {self._kind.name}"
                raise refused("INVALID_FIELD", message, name)
        values: Values = {}
        for place, slot, convert in self._columns.setters:
            cell = row[place]
            if cell is None:
                values[slot] = None
            elif cell != "":
                values[slot] = convert(cell)
        return values

    def _create(self, values: Values) -> WrittenRow:
        missing = [slot for slot in self._kind.required if values.get(slot) is None]
        if missing:
            raise self._missing(missing)
        self._refuse_taken(values, None)
        if self._kind.owner_slot is not None and values.get(self._kind.owner_slot) is None:
            values[self._kind.owner_slot] = self._owner
        if self._locks is not None:
            self._locks.take(values.get(slot) for slot in self._kind.parents)
        serial = self._table.insert(values, self._creator, self._at)
        return WrittenRow(RowResult(self._table.id_of(serial), True, True), "CREATED", True)

    def _change(self, serial: int, record: Record, row: Row) -> WrittenRow:
        try:
            values = self._values(row)
            missing = [slot for slot in self._kind.required if slot in values and values[slot] is None]
            if missing:
                raise self._missing(missing)
            self._refuse_taken(values, serial)
            if self._locks is not None:
                self._locks.take(one for slot in self._kind.parents for one in (record[slot], values.get(slot)))
        except RowRefused as refusal:
            raise self._with_record(serial, refusal) from None
        changed = self._table.update(serial, record, values, self._at)
        return WrittenRow(RowResult(self._table.id_of(serial), True, False), "UPDATED", changed)

    def _missing(self, slots: Sequence[int]) -> RowRefused:
        names = [self._kind.all_fields[slot].name for slot in slots]
        message = f"Required fields are missing: [{', '.join(names)}]"
        return refused("REQUIRED_FIELD_MISSING", message, *names)

    def _refuse_taken(self, values: Values, own_serial: int | None) -> None:
        for slot in self._kind.unique:
            value = values.get(slot)
            if value is None:
                continue
            for holder in self._table.find(slot, value):
                if holder != own_serial:
                    name = self._kind.all_fields[slot].name
                    where = f"duplicates value on record with id: {self._table.id_of(holder)}"
                    raise refused("DUPLICATE_VALUE", f"duplicate value found: {name} {where}", name)

    def _with_record(self, serial: int, refusal: RowRefused) -> RowRefused:
        return RowRefused(refusal.error, self._table.id_of(serial))
