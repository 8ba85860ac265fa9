"""Transformation specs: a CSV of its own maps the columns of a job's CSV batches. salesforce_bulk.md §3.2 call 11.

The document only names the four columns; their meaning is [assumed] from the names: the field ``Salesforce Field`` is
read from the column ``Csv Header``, an empty or absent value becomes ``Value``, and ``Hint`` is the pattern of its
dates (``dd MMM yy``). A column without a line stays as it is.
"""

import csv
import io
import re
from datetime import datetime

import msgspec

from sandbox.salesforce.bulk1.content import Content
from sandbox.salesforce.bulk1.refusal import Refusal
from sandbox.salesforce.row_writer import Row, with_cells

_COLUMNS = ["Salesforce Field", "Csv Header", "Value", "Hint"]
_MAX_LINES = 5_000
"""Fields per record. §7 [docs]"""
_PATTERNS = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMM": "%b",
    "MM": "%m",
    "M": "%m",
    "dd": "%d",
    "d": "%d",
    "HH": "%H",
    "H": "%H",
    "mm": "%M",
    "ss": "%S",
}
_PATTERN_LETTERS = re.compile("|".join(_PATTERNS))
_TIMES = frozenset("Hms")


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a spec."""

    field: str
    header: str
    default: str
    hint: str


Transformation = tuple[Mapping, ...]
"""Transformation spec. An empty one changes nothing."""


def transformed(spec: Transformation, columns: list[str], rows: list[Row]) -> Content:
    """Return the columns and rows as fields of the object."""
    places = {name: place for place, name in enumerate(columns)}
    mapped = {mapping.header for mapping in spec}
    kept = [name for name in columns if name not in mapped]
    sources = [(mapping, places.get(mapping.header)) for mapping in spec]
    changed: list[Row] = [
        with_cells(
            row,
            [
                *(_value(mapping, "" if place is None else row[place]) for mapping, place in sources),
                *(row[places[name]] for name in kept),
            ],
        )
        for row in rows
    ]
    return Content([*(mapping.field for mapping in spec), *kept], changed)


def read_transformation(body: bytes) -> Transformation:
    """Read a spec. Raises ``Refusal`` for anything but such a CSV."""
    try:
        lines = [line for line in csv.reader(io.StringIO(body.decode(), newline=""), strict=True) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _bad(str(error)) from error
    if not lines or lines[0] != _COLUMNS:
        raise _bad(f"the header must be {','.join(_COLUMNS)}")
    if len(lines) > _MAX_LINES:
        raise _bad("too many lines")
    return tuple(map(_mapping, lines[1:]))


def _mapping(line: list[str]) -> Mapping:
    if len(line) != len(_COLUMNS) or not line[0] or not (line[1] or line[2]):
        raise _bad(f"a field and its header or value are expected, got {','.join(line)}")
    field, header, default, hint = line
    return Mapping(field=field, header=header, default=default, hint=hint)


def _value(mapping: Mapping, given: str | None) -> str | None:
    value = mapping.default if given == "" else given
    if not value or not mapping.hint:
        return value
    pattern = _PATTERN_LETTERS.sub(lambda letters: _PATTERNS[letters[0]], mapping.hint.replace("%", "%%"))
    try:
        read = datetime.strptime(value, pattern)  # noqa: DTZ007 - a date without a zone is UTC here
    except ValueError:
        return value  # The field's own check then refuses the row.
    has_time = not _TIMES.isdisjoint(mapping.hint)
    return f"{read:%Y-%m-%dT%H:%M:%S}.000Z" if has_time else f"{read:%Y-%m-%d}"


def _bad(reason: str) -> Refusal:
    return Refusal("ClientInputError", f"Failed to parse transformation spec: {reason}")
