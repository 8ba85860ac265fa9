"""SOQL over what was written. salesforce_bulk.md §3.8, §4.2, §9."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sandbox.salesforce.objects import FieldType
from sandbox.salesforce.query_conditions import candidates, wanted
from sandbox.salesforce.query_fields import QueryField, find_field
from sandbox.salesforce.refusals import QueryRefused
from sandbox.salesforce.soql import Order, Query, parse
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
    nothing = parse(soql)._replace(limit=0)
    return _run(nothing, tables, with_deleted=True).object_name


def run_query(soql: str, tables: Mapping[str, Table], *, with_deleted: bool) -> QueryResult:
    """Raises :class:`QueryRefused`."""
    return _run(parse(soql), tables, with_deleted=with_deleted)


def _run(query: Query, tables: Mapping[str, Table], *, with_deleted: bool) -> QueryResult:
    table = tables.get(query.object_name.lower())
    if table is None or not table.kind.bulk:
        raise QueryRefused(f"INVALID_TYPE: sObject type '{query.object_name}' is not supported.")
    fields = [find_field(name, table, tables) for name in query.fields]
    orders = [(order, find_field(order.field, table, tables)) for order in query.order]
    wants = wanted(query.where, table, tables) if query.where else None
    found = (one for one in _examined(query, table, tables, with_deleted=with_deleted) if wants is None or wants(*one))
    rows, ids = [], []
    for serial, record in islice(_ordered(found, orders) if orders and query.limit != 0 else found, query.limit):
        rows.append(tuple(field.read(serial, record) for field in fields))
        ids.append(table.id_of(serial))
    names, types = tuple(field.name for field in fields), tuple(field.type for field in fields)
    return QueryResult(object_name=table.kind.name, fields=names, types=types, rows=rows, ids=ids)


def _examined(query: Query, table: Table, tables: Mapping[str, Table], *, with_deleted: bool) -> Iterator[Found]:
    """The records that may be wanted, first created first: by an index, which knows living ones only, where it can."""
    few = None if with_deleted else candidates(query.where, table, tables)
    return table.scan(with_deleted=with_deleted) if few is None else _living(few, table)


def _ordered(found: Iterable[Found], orders: Sequence[tuple[Order, QueryField]]) -> list[Found]:
    kept = list(found)
    for order, field in reversed(orders):
        kept.sort(key=_sort_key(field), reverse=order.descending)
        _move_nulls(kept, field, last=order.nulls_last)
    return kept


def _living(serials: Iterable[int], table: Table) -> Iterator[Found]:
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
