"""Rows of a CSV file: a header line, then values that stay text."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from sluice.cli.publish.input_file import InputFile, readable
from sluice.cli.publish.rows import BadRow, Row, UnusableFile, shown

Empty = Literal["omit", "null", "text"]
"""What an empty cell becomes: nothing, ``null``, or an empty text."""

MAX_FIELD_BYTES = 4 * 1024 * 1024
"""A longer cell is most likely a quote that is never closed."""

_OTHER_DELIMITERS = (";", "\t", "|", ",")


def csv_header(file: InputFile, delimiter: str) -> tuple[list[str], Iterator[list[str]]]:
    """The column names, and a reader of what follows. Raises :class:`~sluice.cli.publish.rows.UnusableFile`."""
    csv.field_size_limit(MAX_FIELD_BYTES)
    # Bytes that are no UTF-8 become surrogates, so that one bad row is found in its place and harms no other.
    text = io.TextIOWrapper(file.stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, strict=True, delimiter=delimiter)
    with readable(file.name):
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
    """Everything below the header."""
    line = 1
    while True:
        begins_at = line + 1
        cells: list[str] | None = []
        try:
            with readable(name):
                cells = next(reader, None)
        except csv.Error as error:
            yield BadRow(begins_at, f"not CSV: {error}", "")
        if cells is None:
            return
        line = reader.line_num  # type: ignore[attr-defined]
        if cells:
            yield _row(begins_at, header, cells, empty)


def delimiter_hint(header: Sequence[str]) -> str:
    """What to say about a header that is one column and looks as if it were several."""
    for delimiter in _OTHER_DELIMITERS:
        if len(header) == 1 and delimiter in header[0]:
            return f"; if {delimiter!r} separates the columns, say so with --delimiter"
    return ""


def is_utf8(text: str) -> bool:
    """Whether ``text`` was valid when it was read."""
    return not any("\udc80" <= character <= "\udcff" for character in text)


def _row(line: int, header: Sequence[str], cells: list[str], empty: Empty) -> Row | BadRow:
    if len(cells) != len(header):
        return BadRow(line, f"expected {len(header)} columns, got {len(cells)}", shown(",".join(cells)))
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
        raise UnusableFile(f"the column `{twice[0]}` stands more than once in the first line of {name}; rename one")
