"""``GET /services/data/vNN.0/query?q=SOQL``, ``queryAll``, and the pages after the first.

    {"totalSize": 4001, "done": false, "nextRecordsUrl": "/services/data/v59.0/query/01gX0000000000BEAQ-2000",
     "records": [...]}

The wire document names read-back by query (§9), not the call: all of this is [assumed], see settings.py.
"""

from array import array
from functools import partial
from typing import Any

from sandbox.http.messages import Request, Response
from sandbox.http.routing import Route
from sandbox.salesforce.org import Org
from sandbox.salesforce.query import count, plan
from sandbox.salesforce.refusals import QueryRefused
from sandbox.salesforce.rest import Caller, as_rest_json, bad_request, rest_handler
from sandbox.salesforce.rest_query.records import RecordWriter
from sandbox.salesforce.soql import Query, parse


def query_routes(org: Org) -> list[Route]:
    """Return the calls under both names; ``queryAll`` finds deleted records too."""
    calls = QueryCalls(org)
    routes = []
    for name in ("query", "queryAll"):
        path = f"/services/data/{{version}}/{name}"
        routes.append(Route("GET", path, rest_handler(org, partial(calls.first_page, name=name))))
        routes.append(Route("GET", f"{path}/{{locator}}", rest_handler(org, partial(calls.further_page, name=name))))
    return routes


class QueryCalls:
    """Calls that answer queries page by page."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._page_rows = org.settings.rest_page_rows

    def first_page(self, request: Request, caller: Caller, *, name: str) -> Response:
        try:
            return self._asked(self._parsed(request.argument("q") or ""), caller, name)
        except QueryRefused as refusal:
            raise bad_request(refusal.query_code, refusal.detail) from None

    def further_page(self, request: Request, caller: Caller, *, name: str) -> Response:
        cursor_id, _, digits = request.params["locator"].rpartition("-")
        cursor = self._org.cursors.get(caller.user, cursor_id)
        start = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else -1
        if cursor is None or not 0 <= start < len(cursor.serials):
            raise bad_request("INVALID_QUERY_LOCATOR", "invalid query locator")
        writer = RecordWriter(cursor.table, cursor.fields, self._org.tables, caller.version)
        return self._page(writer, cursor.serials, start, f"/services/data/v{caller.version}.0/{name}/{cursor_id}")

    def _asked(self, query: Query, caller: Caller, name: str) -> Response:
        with_deleted = name == "queryAll"
        if query.counts:
            total = count(query, self._org.tables, with_deleted=with_deleted)
            return as_rest_json({"totalSize": total, "done": True, "records": []})
        table, fields, found = plan(query, self._org.tables, with_deleted=with_deleted)
        serials = array("Q", (serial for serial, _ in found))
        writer = RecordWriter(table, fields, self._org.tables, caller.version)
        cursor = self._org.cursors.open(caller.user, table, fields, serials) if len(serials) > self._page_rows else ""
        return self._page(writer, serials, 0, f"/services/data/v{caller.version}.0/{name}/{cursor}")

    def _parsed(self, soql: str) -> Query:
        query = parse(soql)
        if query.counts and query.order:
            raise QueryRefused("MALFORMED_QUERY", "COUNT() takes no ORDER BY")
        maximum = self._org.settings.max_query_offset
        if (query.offset or 0) > maximum:
            raise QueryRefused("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {maximum}")
        return query

    def _page(self, writer: RecordWriter, serials: "array[int]", start: int, address: str) -> Response:
        end = start + self._page_rows
        answer: dict[str, Any] = {"totalSize": len(serials), "done": end >= len(serials)}
        if end < len(serials):
            answer["nextRecordsUrl"] = f"{address}-{end}"
        return as_rest_json({**answer, "records": writer.write(serials[start:end])})
