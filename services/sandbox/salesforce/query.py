"""SOQL over what was written. salesforce_bulk.md §3.8, §4.2, §9."""

from collections.abc import Mapping
from typing import NamedTuple

from sandbox.salesforce.objects import FieldType
from sandbox.salesforce.refusals import QueryRefused
from sandbox.salesforce.table import Table
from sandbox.salesforce.values import Value


class QueryResult(NamedTuple):
    """Rows of values by field; `Id` is a field of type `reference`. Instants are texts: `2024-11-21T09:28:59.000Z`."""

    object_name: str
    fields: tuple[str, ...]
    types: tuple[FieldType, ...]
    rows: list[tuple[Value, ...]]
    ids: list[str]
    """The records' ids, row by row, whether or not `Id` was selected; empty for a `COUNT()`"""


def run_query(soql: str, tables: Mapping[str, Table], *, with_deleted: bool) -> QueryResult:
    raise QueryRefused(f"not yet: {soql} {len(tables)} {with_deleted}")
