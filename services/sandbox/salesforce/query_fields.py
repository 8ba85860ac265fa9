"""Fields by name in a query: ``LastName``, ``Id``, or of a parent ``Account.Name``, ``Parent__r.Account__r.Ext__c``."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sandbox.salesforce.objects import FieldType
from sandbox.salesforce.refusals import QueryRefused
from sandbox.salesforce.table import Record, Table
from sandbox.salesforce.values import Value

Read = Callable[[int, Record], Value]
_MAX_PARENTS = 5


class QueryField(NamedTuple):
    """Reader of one field: its name as the objects spell it, the object it belongs to, its type, its slot (null:
    ``Id``, or a parent's), the function that reads it, and whether it is a key that is compared without case.
    """

    name: str
    object_name: str
    type: FieldType
    slot: int | None
    read: Read
    ignores_case: bool = False


def find_field(path: str, table: Table, tables: Mapping[str, Table]) -> QueryField:
    """Resolve a name. Raises ``QueryRefused`` for an unknown name, and for compound fields. §3.8 [docs]"""
    *parents, name = path.split(".")
    if len(parents) > _MAX_PARENTS:
        raise QueryRefused("MALFORMED_QUERY", f"at most {_MAX_PARENTS} parents: {path}")
    if parents and parents[0].lower() == table.kind.name.lower():
        parents = parents[1:]
    return _of_parent(parents, name, table, tables) if parents else _own(name, table)


def _own(name: str, table: Table) -> QueryField:
    if name.lower() == "id":
        return QueryField("Id", table.kind.name, "reference", None, lambda serial, _: table.id_of(serial))
    slot = table.kind.slot(name)
    if slot is None:
        raise QueryRefused("INVALID_FIELD", f"No such column '{name}' on entity '{table.kind.name}'")
    field = table.kind.all_fields[slot]
    if field.type == "address":
        raise QueryRefused("INVALID_FIELD", f"compound field {field.name} cannot be queried")
    if slot < 4:
        return QueryField(field.name, table.kind.name, field.type, slot, lambda _, record: table.shown(record, slot))
    if field.made_of:
        return QueryField(field.name, table.kind.name, field.type, slot, _joined(field.made_of, table))
    ignores_case = field.ignores_case
    return QueryField(field.name, table.kind.name, field.type, slot, lambda _, record: record[slot], ignores_case)


def _joined(names: Sequence[str], table: Table) -> Read:
    slots = [slot for name in names if (slot := table.kind.slot(name)) is not None]
    return lambda _, record: " ".join(record[slot] for slot in slots if record[slot]) or None


def _of_parent(parents: list[str], name: str, table: Table, tables: Mapping[str, Table]) -> QueryField:
    relationship = parents[0].lower()
    for slot, field in enumerate(table.kind.all_fields):
        if field.relationship.lower() == relationship and field.refers_to:
            above = tables.get(field.refers_to[0].lower())
            if above is None:
                break
            found = find_field(".".join([*parents[1:], name]), above, tables)
            spelt = f"{field.relationship}.{found.name}"
            read = _through(table, slot, above, found.read)
            return QueryField(spelt, found.object_name, found.type, None, read, found.ignores_case)
    raise QueryRefused("INVALID_FIELD", f"Didn't understand relationship '{parents[0]}'")


def _through(table: Table, slot: int, above: Table, read: Read) -> Read:
    """Read from the record that a reference points to; null when there is none, or it is of another object."""

    def read_parent(_: int, record: Record) -> Value:
        serial = above.serial_of(str(table.shown(record, slot) or ""))
        parent = None if serial is None else above.get(serial)
        return None if serial is None or parent is None else read(serial, parent)

    return read_parent
