"""Content of export files: items or rows as JSON, or lines of CSV. liquid_decisions.md §10, content [assumed]."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import msgspec

from sandbox.liquid_decisions.export_files import CSV_TYPE, JSON_TYPE, Content
from sandbox.liquid_decisions.forms import as_text
from sandbox.liquid_decisions.template import Template

T = TypeVar("T")


def json_files(found: Iterable[object], rows_per_file: int) -> Iterator[Content]:
    """Yield arrays; the first may be empty."""
    for rows in _blocks(found, rows_per_file):
        yield Content(JSON_TYPE, msgspec.json.encode(rows))


def csv_files(
    found: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    rows_per_file: int,
    *,
    template: Template | None,
    has_header: bool,
    in_each_file: bool,
) -> Iterator[Content]:
    """Yield a line per row: the columns, or the rendered template; the header, if any, in each file or the first."""
    header = _line(template.names if template else columns) if has_header else ""
    lines = (_line(_cells(row, columns)) if template is None else _rendered(row, template) for row in found)
    for block in _blocks(lines, rows_per_file):
        yield Content(CSV_TYPE, "".join([header, *block]).encode())
        header = header if in_each_file else ""


def _blocks(found: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the rows, ``size`` at a time; one empty block if there are none."""
    rest = iter(found)
    yield list(islice(rest, size))
    while rows := list(islice(rest, size)):
        yield rows


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    return [as_text(row.get(column)) for column in columns]


def _rendered(row: Mapping[str, Any], template: Template) -> str:
    return template.render({name: as_text(value) for name, value in row.items()}) + "\r\n"


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
