"""JSON bodies of requests to Bulk API 2.0. salesforce_bulk.md §4.1, §4.2.

Other text than JSON, a wrong type, or an unknown member is a ``JSON_PARSER_ERROR``. §4.3 [assumed]
"""

from typing import Literal, TypeVar

import msgspec

from sandbox.http.messages import UNREADABLE, Request
from sandbox.salesforce.bulk2.dialect import ColumnDelimiter, Dialect, LineEnding
from sandbox.salesforce.rest import RestRefusal, bad_request

T = TypeVar("T")


class _CsvRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Format of the rows that are sent or asked for. §4.1, §4.2 [docs]"""

    content_type: Literal["CSV"] = "CSV"
    line_ending: LineEnding = "LF"
    column_delimiter: ColumnDelimiter = "COMMA"

    @property
    def dialect(self) -> Dialect:
        return Dialect(delimiter=self.column_delimiter, line_ending=self.line_ending)


class IngestRequest(_CsvRequest, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Job to create. §4.1 [docs]"""

    object: str
    operation: Literal["insert", "update", "upsert", "delete", "hardDelete"]
    external_id_field_name: str | None = None
    assignment_rule_id: str | None = None


class QueryRequest(_CsvRequest, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Query to run. §4.2 [docs]"""

    operation: Literal["query", "queryAll"]
    query: str


class StateChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """State that a PATCH asks for."""

    state: str


def read_json(request: Request, kind: type[T]) -> T:
    """Return the body of a JSON call. Raises ``RestRefusal``."""
    content_type = request.header("content-type").split(";")[0].strip().lower()
    if content_type != "application/json":
        raise unsupported(request, "application/json")
    return decode_json(request.body, kind)


def decode_json(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE as error:
        raise bad_request("JSON_PARSER_ERROR", str(error)) from None


def unsupported(request: Request, expected: str) -> RestRefusal:
    """Return 1.0's ``UnsupportedContentType`` in upper case. §4.3 [docs], this code [assumed]"""
    found = request.header("content-type")
    return bad_request("UNSUPPORTEDCONTENTTYPE", f"expected Content-Type {expected}, found: {found or 'none'}")
