"""SOQL over what was written. salesforce_bulk.md §3.8, §4.2, §9."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from sandbox.salesforce.objects import FieldType
from sandbox.salesforce.query_conditions import candidates, wanted
from sandbox.salesforce.query_fields import QueryField, find_field
from sandbox.salesforce.refusals import QueryRefused
from sandbox.salesforce.soql import Query, parse
from sandbox.salesforce.table import Record, Table
from sandbox.salesforce.values import Value

Found = tuple[int, Record]


class QueryResult(NamedTuple):
    """Rows of values by field; `Id` is a field of type `reference`. Instants are texts: `2024-11-21T09:28:59.000Z`."""

    object_name: str
    fields: tuple[str, ...]
    """As the object spells them; of a parent `Account.Name`"""
    types: tuple[FieldType, ...]
    rows: list[tuple[Value, ...]]
    ids: list[str]
    """The records' ids, row by row, whether or not `Id` was selected"""


def check_query(soql: str, tables: Mapping[str, Table]) -> str:
    """The name of the object that is asked for. Raises :class:`QueryRefused` for what `run_query` would refuse."""
    query = parse(soql)
    return _run(query._replace(limit=0), tables, with_deleted=True).object_name


def run_query(soql: str, tables: Mapping[str, Table], *, with_deleted: bool) -> QueryResult:
    """Raises :class:`QueryRefused`."""
    return _run(parse(soql), tables, with_deleted=with_deleted)


def _run(query: Query, tables: Mapping[str, Table], *, with_deleted: bool) -> QueryResult:
    table = tables.get(query.object_name.lower())
    if table is None or not table.kind.bulk:
        raise QueryRefused(f"INVALID_TYPE: sObject type '{query.object_name}' is not supported.")
    fields = [find_field(name, table, tables) for name in query.fields]
    orders = [(order, find_field(order.field, table, tables)) for order in query.order]
    found = list(_wanted(query, table, tables, with_deleted=with_deleted))
    for order, field in reversed(orders):
        found.sort(key=_sort_key(field), reverse=order.descending)
        _move_nulls(found, field, last=order.nulls_last)
    found = found[: query.limit]
    return QueryResult(
        object_name=table.kind.name,
        fields=tuple(field.name for field in fields),
        types=tuple(field.type for field in fields),
        rows=[tuple(field.read(serial, record) for field in fields) for serial, record in found],
        ids=[table.id_of(serial) for serial, _ in found],
    )


def _wanted(query: Query, table: Table, tables: Mapping[str, Table], *, with_deleted: bool) -> Iterator[Found]:
    """Matching records, first created first, as many as the limit needs."""
    wants = wanted(query.where, table, tables) if query.where else None
    few = None if with_deleted else candidates(query.where, table, tables)
    # With an order all are needed, unless none is.
    left = query.limit if query.limit is not None and not (query.order and query.limit) else -1
    for serial, record in table.scan(with_deleted=with_deleted) if few is None else _living(few, table):
        if left == 0:
            return
        if wants is None or wants(serial, record):
            left -= 1
            yield serial, record


def _living(serials: Any, table: Table) -> Iterator[Found]:
    for serial in serials:
        record = table.get(serial)
        if record is not None and table.is_alive(serial):
            yield serial, record


def _sort_key(field: QueryField) -> Callable[[Found], Any]:
    def key(found: Found) -> Any:
        value = field.read(*found)
        return ("" if field.type not in ("int", "double", "boolean") else 0) if value is None else value

    return key


def _move_nulls(found: list[Found], field: QueryField, *, last: bool) -> None:
    """Nulls come first unless the query says last; the sort before this kept their order."""
    nulls = [one for one in found if field.read(*one) is None]
    others = [one for one in found if field.read(*one) is not None]
    found[:] = [*others, *nulls] if last else [*nulls, *others]
