"""SOQL over the stored records: for the Bulk APIs (``run_query``) and for any call (``plan``). §3.8, §4.2, §9."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sandbox.salesforce.objects import FieldType
from sandbox.salesforce.query_conditions import candidates, predicate
from sandbox.salesforce.query_fields import QueryField, find_field
from sandbox.salesforce.refusals import QueryRefused
from sandbox.salesforce.soql import Order, Query, parse_bulk
from sandbox.salesforce.table import Record, Table
from sandbox.salesforce.values import Value

Found = tuple[int, Record]


class Plan(NamedTuple):
    """Query resolved over one object: the fields it selects, and its records, which are found when iterated."""

    table: Table
    fields: list[QueryField]
    found: Iterator[Found]
    """Records in order, from ``OFFSET`` to ``LIMIT``"""


class QueryResult(NamedTuple):
    """Rows of values by field; ``Id`` is of type ``reference``. Instants are texts: ``2024-11-21T09:28:59.000Z``."""

    object_name: str
    fields: tuple[str, ...]
    """Names as the object spells them; of a parent ``Account.Name``"""
    types: tuple[FieldType, ...]
    rows: list[tuple[Value, ...]]
    ids: list[str]
    """Ids of the records, row by row, even when ``Id`` is not selected"""


def plan(query: Query, tables: Mapping[str, Table], *, with_deleted: bool) -> Plan:
    """Resolve a query. Raises ``QueryRefused`` for an unknown object or field."""
    table = tables.get(query.object_name.lower())
    if table is None:
        raise unknown_object(query.object_name)
    fields = [find_field(name, table, tables) for name in query.fields]
    orders = [(order, find_field(order.field, table, tables)) for order in query.order]
    matches = predicate(query.where, table, tables) if query.where else None
    found = (one for one in _scan(query, table, tables, with_deleted=with_deleted) if matches is None or matches(*one))
    first = query.offset or 0
    end = None if query.limit is None else first + query.limit
    return Plan(table, fields, islice(_ordered(found, orders) if orders else found, first, end))


def count(query: Query, tables: Mapping[str, Table], *, with_deleted: bool) -> int:
    """Return the ``COUNT()``. No record is read where the table knows the number. Raises ``QueryRefused``."""
    table, _, found = plan(query, tables, with_deleted=with_deleted)
    is_whole = query.where is None and query.limit is None and query.offset is None
    return len(table) if is_whole and not with_deleted else sum(1 for _ in found)


def unknown_object(name: str) -> QueryRefused:
    return QueryRefused("INVALID_TYPE", f"sObject type '{name}' is not supported.")


def check_query(soql: str, tables: Mapping[str, Table]) -> str:
    """Return the name of the object. Raises ``QueryRefused`` for what ``run_query`` would refuse."""
    return _bulk_plan(soql, tables, with_deleted=True).table.kind.name


def run_query(soql: str, tables: Mapping[str, Table], *, with_deleted: bool) -> QueryResult:
    """Run a query of the Bulk APIs. Raises ``QueryRefused``."""
    table, fields, found = _bulk_plan(soql, tables, with_deleted=with_deleted)
    rows, ids = [], []
    for serial, record in found:
        rows.append(tuple(field.read(serial, record) for field in fields))
        ids.append(table.id_of(serial))
    names, types = tuple(field.name for field in fields), tuple(field.type for field in fields)
    return QueryResult(object_name=table.kind.name, fields=names, types=types, rows=rows, ids=ids)


def _bulk_plan(soql: str, tables: Mapping[str, Table], *, with_deleted: bool) -> Plan:
    found = plan(parse_bulk(soql), tables, with_deleted=with_deleted)
    if not found.table.kind.bulk:
        raise unknown_object(found.table.kind.name)
    return found


def _scan(query: Query, table: Table, tables: Mapping[str, Table], *, with_deleted: bool) -> Iterator[Found]:
    """Yield the records that may match, first created first; from an index, which has living ones only, if possible."""
    few = None if with_deleted else candidates(query.where, table, tables)
    return table.scan(with_deleted=with_deleted) if few is None else _living(few, table)


def _ordered(found: Iterable[Found], orders: Sequence[tuple[Order, QueryField]]) -> Iterator[Found]:
    """Sort when the first record is asked for."""
    kept = list(found)
    for order, field in reversed(orders):
        kept.sort(key=_sort_key(field, nulls_are_high=order.nulls_last != order.descending), reverse=order.descending)
    yield from kept


def _living(serials: Iterable[int], table: Table) -> Iterator[Found]:
    for serial in serials:
        record = table.get(serial)
        if record is not None and table.is_alive(serial):
            yield serial, record


def _sort_key(field: QueryField, *, nulls_are_high: bool) -> Callable[[Found], Any]:
    def key(found: Found) -> Any:
        value = field.read(*found)
        return (nulls_are_high, 0) if value is None else (not nulls_are_high, value)

    return key
