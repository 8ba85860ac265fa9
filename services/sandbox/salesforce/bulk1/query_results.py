"""Rows of a query as CSV, JSON or XML. salesforce_bulk.md §3.8."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sandbox.salesforce.bulk1.layout import DECLARATION, json_document, xml_text
from sandbox.salesforce.bulk1.media_types import ContentType
from sandbox.salesforce.bulk1.xml_reading import NAMESPACE, XSI
from sandbox.salesforce.query import QueryResult
from sandbox.salesforce.values import Value, as_text

NO_ROWS = "Records not found for this query"
"""Line in place of a header. §3.8 [client CumulusCI, StreamSets and others]"""


def query_rows(found: QueryResult, content_type: ContentType, version: str, line_end: str) -> bytes:
    """Return one result file."""
    match content_type:
        case "JSON":
            return json_document(_json_objects(found, version))
        case "XML":
            return _xml(found)
        case _:
            return _csv(found, line_end)


def _csv(found: QueryResult, line_end: str) -> bytes:
    """Quote every value. §3.8 [docs] [client CumulusCI]"""
    if not found.rows:
        return (NO_ROWS + line_end).encode()
    lines = [_csv_line(found.fields), *map(_csv_line, found.rows), ""]
    return line_end.join(lines).encode("utf-8", "replace")


def _csv_line(values: tuple[Value, ...]) -> str:
    return ",".join(f'"{as_text(value).replace(chr(34), chr(34) * 2)}"' for value in values)


def _json_objects(found: QueryResult, version: str) -> list[dict[str, Any]]:
    """Return objects with ``attributes``; date-times are epoch milliseconds. §3.8 [docs]"""
    shown = [_epoch_ms if kind == "datetime" else _as_is for kind in found.types]
    path = f"/services/data/v{version}/sobjects/{found.object_name}"
    objects = []
    for record_id, row in zip(found.ids, found.rows, strict=True):
        shown_row = [show(value) for show, value in zip(shown, row, strict=True)]
        attributes = {"type": found.object_name, "url": f"{path}/{record_id}"}
        objects.append({"attributes": attributes, **_nested(found.fields, shown_row)})
    return objects


def _nested(fields: Sequence[str], values: Sequence[Value]) -> dict[str, Any]:
    """Return ``Account.Name`` as the member ``Name`` of an object ``Account``, as in uploaded rows (§6). [assumed]"""
    nested: dict[str, Any] = {}
    for field, value in zip(fields, values, strict=True):
        *parents, name = field.split(".")
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = value
    return nested


def _as_is(value: Value) -> Value:
    return value


def _epoch_ms(value: Value) -> Value:
    return None if value is None else round(datetime.fromisoformat(str(value)).timestamp() * 1000)


def _xml(found: QueryResult) -> bytes:
    """Return partner-style records, in which ``Id`` appears twice. §3.8 [docs]"""
    records = "".join(
        f'<records xsi:type="sObject"><type>{xml_text(found.object_name)}</type><Id>{record_id}</Id>'
        f"{_xml_fields(_nested(found.fields, row))}</records>"
        for record_id, row in zip(found.ids, found.rows, strict=True)
    )
    return f'{DECLARATION}<queryResult xmlns="{NAMESPACE}" xmlns:xsi="{XSI}">{records}</queryResult>'.encode()


def _xml_fields(fields: dict[str, Any]) -> str:
    return "".join(_xml_field(name, value) for name, value in fields.items())


def _xml_field(name: str, value: Any) -> str:
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    inside = _xml_fields(value) if isinstance(value, dict) else xml_text(as_text(value))
    return f"<{name}>{inside}</{name}>"
