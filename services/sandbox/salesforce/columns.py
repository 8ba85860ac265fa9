"""Columns of a batch, and the fields that they set. salesforce_bulk.md §6.

A column is a field (``LastName``), ``Id``, or a relationship by external id, of a parent and no further:
``Account.Ext__c``, ``Parent__r.Ext__c``, and where it may lead to several objects ``Lead:Who.Email`` with the name of
one, without which the column is unknown. §13.13 [docs] One unknown column fails the whole batch, or the rows that have
it in a JSON job.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sandbox.salesforce.objects import Field, ObjectType
from sandbox.salesforce.refusals import BatchRefused
from sandbox.salesforce.results import RowRefused
from sandbox.salesforce.table import Table
from sandbox.salesforce.values import WRONG_TYPE, Convert, Value, converter, refused

_TYPED = ("int", "double", "boolean", "date", "datetime")


class Columns(NamedTuple):
    """Place of ``Id`` in a row, and for each other column its place, slot and conversion."""

    id_place: int | None
    setters: list[tuple[int, int, Convert]]
    key: tuple[int, Convert] | None
    """Place and conversion of the upsert key"""
    unknown: list[tuple[int, str]]
    """Places and names that no field has; rows that say something of them are refused"""


def read_columns(
    names: Sequence[str],
    kind: ObjectType,
    tables: Mapping[str, Table],
    key_slot: int | None,
    *,
    takes_unknown: bool = False,
    hidden: Collection[str] = (),
) -> Columns:
    """Return the columns of a header, or of JSON rows, which ``takes_unknown`` ones. §13.14 ``hidden`` fields, in lower
    case, are unknown.

    Raises ``BatchRefused``: ``InvalidBatch : Field name not found : Foo``. §3.10 [client issue reports]
    """
    id_place: int | None = None
    key: tuple[int, Convert] | None = None
    setters, unknown = [], []
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name.lower() in seen:
            raise BatchRefused("InvalidBatch", f"Duplicate field name : {name}")
        seen.add(name.lower())
        if name.lower() == "id":
            id_place = place
            continue
        try:
            if name.lower() in hidden:
                raise _not_found(name)
            slot, convert = _read_column(name, kind, tables)
        except BatchRefused:
            if not takes_unknown:
                raise
            unknown.append((place, name))
            continue
        setters.append((place, slot, convert))
        if slot == key_slot and "." not in name:
            key = (place, convert)
    return Columns(id_place, setters, key, unknown)


def check_mapped(columns: Columns, kind: ObjectType, rows: Sequence[Sequence[Any]]) -> None:
    """Raise ``BatchRefused`` for a value that its field's type cannot be read from, as JSON jobs are refused. §13.14"""
    typed = [(place, convert) for place, slot, convert in columns.setters if kind.all_fields[slot].type in _TYPED]
    for row in rows:
        for place, convert in typed:
            try:
                if row[place] is not None and row[place] != "":
                    convert(row[place])
            except RowRefused as refusal:
                if refusal.error.status_code == WRONG_TYPE:
                    raise BatchRefused("InvalidBatch", f"Records not processed : {refusal.error.message}") from None


def is_spelt_exactly(name: str, kind: ObjectType, tables: Mapping[str, Table]) -> bool:
    """Return true when a column is spelt as the API names it: ``Ext__c``, ``Account.Ext__c``, ``Lead:Who.Email``."""
    path, dot, target_field = name.partition(".")
    if not dot:
        slot = kind.slot(name)
        return name == ("Id" if slot is None else kind.all_fields[slot].name)
    wanted, _, relationship = path.rpartition(":")
    try:
        slot, target, target_slot = _relationship(name, kind, tables)
    except BatchRefused:
        return False
    spelling = (kind.all_fields[slot].relationship, target.kind.all_fields[target_slot].name)
    return (relationship, target_field) == spelling and wanted in ("", target.kind.name)


def _read_column(name: str, kind: ObjectType, tables: Mapping[str, Table]) -> tuple[int, Convert]:
    if "." in name:
        slot, target, target_slot = _relationship(name, kind, tables)
        return slot, _by_external_id(target, target_slot)
    named = kind.slot(name)
    if named is None:
        raise _not_found(name)
    slot, field = named, kind.all_fields[named]
    if field.read_only:
        return slot, _refuse_read_only(field)
    if field.type == "reference":
        return slot, _existing(field, tables)
    return slot, converter(field)


def _relationship(name: str, kind: ObjectType, tables: Mapping[str, Table]) -> tuple[int, Table, int]:
    """Return the slot that a relationship column sets, the object that it leads to, and the key's slot there."""
    path, _, target_field = name.partition(".")
    wanted, _, relationship = path.rpartition(":")
    for slot, field in enumerate(kind.all_fields):
        if field.relationship.lower() != relationship.lower() or not relationship or field.read_only:
            continue
        if len(field.refers_to) > 1 and not wanted:
            break
        for target in field.refers_to:
            table = tables.get(target.lower())
            target_slot = table.kind.slot(target_field) if table is not None else None
            if table is None or target_slot is None or wanted.lower() not in ("", target.lower()):
                continue
            if table.kind.all_fields[target_slot].external_id:
                return slot, table, target_slot
    raise _not_found(name)


def _by_external_id(table: Table, slot: int) -> Convert:
    field = table.kind.all_fields[slot]
    convert_key = converter(field)

    def convert(cell: Any) -> Value:
        found = table.find(slot, convert_key(cell))
        if len(found) == 1:
            return table.id_of(found[0])
        where = f"for field {field.name} in entity {table.kind.name}"
        if found:
            raise refused("DUPLICATE_EXTERNAL_ID", f"Foreign key external ID: {cell} matches several records {where}")
        raise refused("INVALID_CROSS_REFERENCE_KEY", f"Foreign key external ID: {cell} not found {where}")

    return convert


def _existing(field: Field, tables: Mapping[str, Table]) -> Convert:
    shape = converter(field)
    targets = [tables[name.lower()] for name in field.refers_to if name.lower() in tables]

    def convert(cell: Any) -> Value:
        found = shape(cell)
        for table in targets:
            serial = table.serial_of(str(found))
            if serial is not None:
                if table.is_alive(serial):
                    return found
                raise refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", field.name)
        raise refused("MALFORMED_ID", f"{field.name}: id value of incorrect type: {cell}", field.name)

    return convert


def _refuse_read_only(field: Field) -> Convert:
    def convert(_: Any) -> Value:
        message = f"Unable to create/update fields: {field.name}. Please check the security settings of this field"
        raise refused("INVALID_FIELD_FOR_INSERT_UPDATE", message, field.name)

    return convert


def _not_found(name: str) -> BatchRefused:
    return BatchRefused("InvalidBatch", f"Field name not found : {name}")
