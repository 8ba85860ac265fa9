"""Records as the REST API shows them: an object with `attributes`, parents as objects inside it.

    {"attributes": {"type": "Contact", "url": "/services/data/v59.0/sobjects/Contact/003X00000000001AAA"},
     "LastName": "Berg", "CreatedDate": "2024-11-21T09:28:59.000+0000",
     "Account": {"attributes": {"type": "Account", "url": "..."}, "Name": "Acme"}}

`attributes` {type, url} as in §3.8 [docs], JSON dates as in §3.1 [docs]; parents inside as clients read them [assumed].
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.salesforce.query_fields import QueryField, find_field
from sandbox.salesforce.table import Record, Table
from sandbox.salesforce.values import Value

_Object = dict[str, Any]


class RecordWriter:
    """Writes the records of one query, for one version's addresses."""

    def __init__(self, table: Table, fields: Sequence[QueryField], tables: Mapping[str, Table], version: int) -> None:
        self._table = table
        self._fields = [(field.name.split("."), field) for field in fields]
        self._base = f"/services/data/v{version}.0/sobjects"
        self._parents = {path: find_field(f"{path}.Id", table, tables) for path in _parent_paths(fields)}

    def write(self, serials: Iterable[int]) -> list[_Object]:
        return [self._written(serial, record) for serial in serials if (record := self._table.get(serial)) is not None]

    def _written(self, serial: int, record: Record) -> _Object:
        written = self._with_attributes(self._table.kind.name, self._table.id_of(serial))
        for path, parent in self._parents.items():
            *above, name = path.split(".")
            parent_id = parent.read(serial, record)
            place = _inside(written, above)
            if place is not None:
                place[name] = None if parent_id is None else self._with_attributes(parent.object_name, str(parent_id))
        for (*above, name), field in self._fields:
            place = _inside(written, above)
            if place is not None:
                place[name] = _shown(field.read(serial, record), field)
        return written

    def _with_attributes(self, object_name: str, record_id: str) -> _Object:
        return {"attributes": {"type": object_name, "url": f"{self._base}/{object_name}/{record_id}"}}


def _parent_paths(fields: Sequence[QueryField]) -> list[str]:
    """Every parent that a field leads through, nearest first: `Account`, `Account.CreatedBy`."""
    paths: dict[str, None] = {}
    for field in fields:
        parents = field.name.split(".")[:-1]
        for end in range(1, len(parents) + 1):
            paths[".".join(parents[:end])] = None
    return list(paths)


def _inside(written: _Object, parents: Sequence[str]) -> _Object | None:
    place: _Object | None = written
    for parent in parents:
        if place is None:
            return None
        place = place[parent]
    return place


def _shown(value: Value, field: QueryField) -> Value:
    """`2024-11-21T09:28:59.000+0000` in JSON. §3.1 [docs]"""
    return value[:-1] + "+0000" if field.type == "datetime" and isinstance(value, str) else value
