"""Records as the REST API shows them: an object with ``attributes``, parents as objects inside it.

    {"attributes": {"type": "Contact", "url": "/services/data/v59.0/sobjects/Contact/003X00000000001AAA"},
     "LastName": "Berg", "CreatedDate": "2024-11-21T09:28:59.000+0000",
     "Account": {"attributes": {"type": "Account", "url": "..."}, "Name": "Acme"}}

``attributes`` {type, url} as in §3.8 [docs], JSON dates as in §3.1 [docs]; parents inside as clients read them
[assumed].
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.salesforce.query_fields import QueryField, find_field
from sandbox.salesforce.table import Record, Table
from sandbox.salesforce.values import Value, json_instant

_Object = dict[str, Any]


class RecordWriter:
    """Writer of the records of one query, with addresses of one version."""

    def __init__(self, table: Table, fields: Sequence[QueryField], tables: Mapping[str, Table], version: int) -> None:
        self._table = table
        self._fields = [(field.name.split("."), field) for field in fields]
        self._base = f"/services/data/v{version}.0/sobjects"
        self._parents = {path: find_field(".".join([*path, "Id"]), table, tables) for path in _parents_of(fields)}

    def write(self, serials: Iterable[int]) -> list[_Object]:
        return [self._written(serial, record) for serial in serials if (record := self._table.get(serial)) is not None]

    def _written(self, serial: int, record: Record) -> _Object:
        written = self._with_attributes(self._table.kind.name, self._table.id_of(serial))
        for (*parents, name), field in self._fields:
            place = self._inside(written, parents, serial, record)
            if place is not None:
                place[name] = _shown(field.read(serial, record), field)
        return written

    def _inside(self, written: _Object, parents: Sequence[str], serial: int, record: Record) -> _Object | None:
        """Return the object of the parent, made where it is first named; null where there is no parent."""
        place: _Object | None = written
        for depth, name in enumerate(parents, 1):
            if place is None:
                return None
            if name not in place:
                parent = self._parents[tuple(parents[:depth])]
                parent_id = parent.read(serial, record)
                place[name] = None if parent_id is None else self._with_attributes(parent.object_name, str(parent_id))
            place = place[name]
        return place

    def _with_attributes(self, object_name: str, record_id: str) -> _Object:
        return {"attributes": {"type": object_name, "url": f"{self._base}/{object_name}/{record_id}"}}


def _parents_of(fields: Sequence[QueryField]) -> set[tuple[str, ...]]:
    """Return every parent on the path of a field: ``Account`` and ``Account.CreatedBy`` of ``Account.CreatedBy.Id``."""
    paths = (tuple(field.name.split(".")) for field in fields)
    return {path[:depth] for path in paths for depth in range(1, len(path))}


def _shown(value: Value, field: QueryField) -> Value:
    """Return an instant as ``2024-11-21T09:28:59.000+0000``. §3.1 [docs]"""
    return json_instant(value) if field.type == "datetime" and isinstance(value, str) else value
