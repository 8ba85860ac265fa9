"""Rows of a CSV file: a header line, then rows whose values stay text."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from sluice.cli.publish.input_file import BadRow, InputFile, Row, UnusableFile, excerpt, reading

Empty = Literal["omit", "null", "text"]
"""The value of an empty cell: none at all, ``null``, or an empty text."""

MAX_FIELD_BYTES = 4 * 1024 * 1024
"""The longest cell; a longer one most likely begins with a quote that is never closed."""

_OTHER_DELIMITERS = (";", "\t", "|", ",")


def csv_header(file: InputFile, delimiter: str) -> tuple[list[str], Iterator[list[str]]]:
    """Return the column names, and a reader of the rest. Raises ``UnusableFile``."""
    csv.field_size_limit(MAX_FIELD_BYTES)
    # Bytes that are not UTF-8 become surrogates: decoding strictly would end at the first bad row.
    text = io.TextIOWrapper(file.stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, strict=True, delimiter=delimiter)
    with reading(file.name):
        try:
            header = next(reader, None)
        except csv.Error as error:
            raise UnusableFile(f"expected CSV with a header line in {file.name}: {error}") from error
    if not header:
        raise UnusableFile(f"expected CSV with the names of the columns in the first line of {file.name}, got none")
    _check_header(header, file.name)
    return header, reader


def csv_rows(
    header: Sequence[str], reader: Iterator[list[str]], name: str, empty: Empty = "omit"
) -> Iterator[Row | BadRow]:
    """Yield the rows below the header. Raises ``UnusableFile``."""
    line = 1
    while True:
        begins_at = line + 1
        cells: list[str] | None = []
        try:
            with reading(name):
                cells = next(reader, None)
        except csv.Error as error:
            yield BadRow(begins_at, f"not CSV: {error}", "")
        if cells is None:
            return
        line = reader.line_num  # type: ignore[attr-defined]
        if cells:
            yield _row(begins_at, header, cells, empty)


def delimiter_hint(header: Sequence[str]) -> str:
    """Return advice for a header of one column that looks like several, else an empty text."""
    for delimiter in _OTHER_DELIMITERS:
        if len(header) == 1 and delimiter in header[0]:
            return f"; if {delimiter!r} separates the columns, say so with --delimiter"
    return ""


def is_utf8(text: str) -> bool:
    """Return whether ``text`` was UTF-8 in the file."""
    return not any("\udc80" <= character <= "\udcff" for character in text)


def _row(line: int, header: Sequence[str], cells: list[str], empty: Empty) -> Row | BadRow:
    if len(cells) != len(header):
        return BadRow(line, f"expected {len(header)} columns, got {len(cells)}", excerpt(",".join(cells)))
    pairs = zip(header, cells, strict=True)
    match empty:
        case "omit":
            return Row(line, {name: value for name, value in pairs if value})
        case "null":
            return Row(line, {name: value or None for name, value in pairs})
        case "text":
            return Row(line, dict(pairs))


def _check_header(header: Sequence[str], name: str) -> None:
    if not all(map(is_utf8, header)):
        raise UnusableFile(f"expected text in UTF-8, got another encoding in the header of {name}; convert the file")
    if "" in header:
        raise UnusableFile(f"column {header.index('') + 1} of {name} has no name; name it in the first line")
    twice = [column for column, count in Counter(header).items() if count > 1]
    if twice:
        raise UnusableFile(f"the column `{twice[0]}` is more than once in the first line of {name}; rename one")
