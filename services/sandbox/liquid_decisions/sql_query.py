"""``POST /ls/api/data/sqlQuery``: SQL over a community's items. liquid_decisions.md §6."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from sandbox.http.messages import Request, Response
from sandbox.liquid_decisions.community import Community
from sandbox.liquid_decisions.forms import Form, flag, read_form, required
from sandbox.liquid_decisions.item import serial_of, without_blocks
from sandbox.liquid_decisions.item_table import ItemTable
from sandbox.liquid_decisions.refusal import Refusal
from sandbox.liquid_decisions.sql import open_query

_ROWS_AT_ONCE = 500
_TABLE_TYPES = ("Item", "History", "Transaction")


def sql_query(request: Request, community: Community) -> Response:
    """Answer flat rows, or full items when an ``itemType`` is given. [docs]

    Ignore ``queryName``, ``preserveEnvironmentsList`` and the community's header. [docs] [client:web]
    """
    form = read_form(request)
    query = required(form, "query")
    table = _item_table(form, community)
    settings = community.settings
    with open_query(community.database, query, settings.sql_timeout_s) as selected:
        rows = _bounded(selected.rows, settings.max_sql_rows)
        if table is None:
            return _answer(flat_rows(selected.columns, rows), settings.max_sql_answer_bytes)
        serials = selected_serials(selected.columns, rows)
    found = items_of(table, serials, with_blocks=flag(form, "faultBlocks"))
    return _answer(found, settings.max_sql_answer_bytes)


def _bounded(rows: Iterator[tuple[Any, ...]], most: int) -> Iterator[tuple[Any, ...]]:
    yield from islice(rows, most)
    if next(rows, None) is not None:
        raise Refusal(f"the query has more than {most} rows", error="invalid_query")


def _answer(found: Iterator[object], most_bytes: int) -> Response:
    """Return one JSON array in either format. [docs] [client:web]"""
    pieces = []
    length = 0
    while some := list(islice(found, _ROWS_AT_ONCE)):
        pieces.append(msgspec.json.encode(some)[1:-1])
        length += len(pieces[-1])
        if length > most_bytes:
            raise Refusal(f"the answer is longer than {length} bytes", error="invalid_query")
    return Response(status=200, body=b"[" + b",".join(pieces) + b"]", content_type="application/json")


def flat_rows(columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """Yield TableData: the data part only. [docs:guide]"""
    return (dict(zip(columns, row, strict=True)) for row in rows)


def selected_serials(columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> list[int]:
    """Return the items that the query's ``h_id`` column names, except rows without one, as in an outer join."""
    if "h_id" not in columns:
        raise Refusal("with itemType the query must select h_id", error="invalid_query")
    place = columns.index("h_id")
    ids = [row[place] for row in rows if row[place] is not None]
    serials = [serial for serial in map(serial_of, ids) if serial is not None]
    if len(serials) < len(ids):
        raise Refusal("h_id must be selected from the table of itemType", error="invalid_query")
    return serials


def items_of(table: ItemTable, serials: Sequence[int], *, with_blocks: bool) -> Iterator[dict[str, object]]:
    """Yield full items in the order of the query. [docs]"""
    for start in range(0, len(serials), _ROWS_AT_ONCE):
        wanted = serials[start : start + _ROWS_AT_ONCE]
        rows = table.by_serial(wanted)
        if not rows.keys() >= set(wanted):
            raise Refusal("h_id must be selected from the table of itemType", error="invalid_query")
        for serial in wanted:
            row = rows[serial]
            yield table.as_item(row, None if with_blocks else without_blocks(row.fields))


def _item_table(form: Form, community: Community) -> ItemTable | None:
    """Return the table of ``itemType``, with which alone ``faultBlocks`` and ``tableType`` count. [docs]

    No History or Transaction is kept.
    """
    if "itemType" not in form:
        return None
    table_type = form.get("tableType", "Item")
    if table_type not in _TABLE_TYPES:
        raise Refusal(f"tableType: expected one of {', '.join(_TABLE_TYPES)}, got {table_type[:40]!r}")
    if table_type != "Item":
        raise Refusal(f"the sandbox keeps no {table_type} of items")
    flag(form, "faultBlocks")
    return community.table(form["itemType"])
