"""Records in an uploaded file: JSON or CSV, read when the job comes to them. liquid_decisions.md §7."""

import csv
import io
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Literal, NamedTuple

import msgspec

from sandbox.http.messages import UNREADABLE
from sandbox.liquid_decisions.forms import Form, required
from sandbox.liquid_decisions.refusal import Refusal
from sandbox.liquid_decisions.settings import FieldKind
from sandbox.liquid_decisions.template import Template

Record = dict[str, Any] | None
"""An item or a bare data object; null for a bad record."""
Format = Literal["json", "csv"]

_FORMATS: Mapping[str, Format] = {
    "application/json": "json",
    "plain/text": "csv",
    "text/plain": "csv",
    "text/csv": "csv",
}
"""Import is documented with ``plain/text`` (sic), export with ``text/plain``; both calls take all words. §7 [docs]"""


def format_of(form: Form) -> Format:
    """Return the format that a job's ``contentType`` names."""
    content_type = required(form, "contentType")
    if content_type not in _FORMATS:
        raise Refusal(f"contentType: expected one of {', '.join(_FORMATS)}, got {content_type!r}")
    return _FORMATS[content_type]


class RecordFile(NamedTuple):
    """Number of records, and the records, which can be read once."""

    total: int
    records: Iterator[Record]


def read_json(body: bytes) -> RecordFile:
    """Read an array; an element that is not an object is a bad record. [assumed]"""
    try:
        elements = msgspec.json.decode(body, type=list[msgspec.Raw])
    except UNREADABLE as error:
        raise Refusal(f"file: expected a JSON array of items: {error}") from None
    return RecordFile(len(elements), map(_object, elements))


def read_csv(body: bytes, *, has_header: bool, template: Template | None, kinds: Mapping[str, FieldKind]) -> RecordFile:
    """Read UTF-8, RFC 4180. The header row, which names the columns, and blank lines are not records. [assumed]"""
    if not has_header and template is None:
        raise Refusal("file: a CSV needs headerRow=True or a template")
    try:
        text = body.decode("utf-8-sig")
        count = sum(1 for row in _rows(text) if row)
        rows = _rows(text)
        header = next((row for row in rows if row), []) if has_header else []
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refusal(f"file: expected CSV in UTF-8 as RFC 4180 has it: {error}") from None
    records = (_record(row, header, template, kinds) for row in rows if row)
    return RecordFile(max(0, count - 1) if has_header else count, records)


def _rows(text: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), strict=True)


def _object(element: msgspec.Raw | str) -> Record:
    try:
        return msgspec.json.decode(element, type=dict[str, Any])
    except UNREADABLE:
        return None


def _record(row: list[str], header: list[str], template: Template | None, kinds: Mapping[str, FieldKind]) -> Record:
    if header and len(row) != len(header):
        return None
    if template is not None:
        columns = ((f"col{number}", value) for number, value in enumerate(row))
        return _object(template.render(dict(chain(columns, zip(header, row, strict=False)))))
    return {name: _typed(value, kinds.get(name)) for name, value in zip(header, row, strict=True) if value}


def _typed(text: str, kind: FieldKind | None) -> Any:
    """Convert a cell for a field of the schema. A cell that does not fit stays text and makes the item invalid."""
    match kind:
        case "number":
            try:
                return msgspec.json.decode(text, type=int | float)
            except msgspec.DecodeError:
                return text
        case "boolean":
            return {"true": True, "false": False}.get(text.lower(), text)
        case _:
            return text
