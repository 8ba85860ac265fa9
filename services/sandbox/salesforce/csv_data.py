"""Uploaded CSV, read strictly and in pieces. salesforce_bulk.md §6.

The first row names the columns. ``"`` quotes and is doubled inside quotes; line breaks may stand inside quotes; nothing
is trimmed, and a blank beside a quote is an error for its row. ``#N/A`` is null, an empty value means "leave as is".
[docs] A BOM is part of the first header, and so names no field. §13.8 [issue cli 720]
"""

import csv
from collections.abc import Iterator, Sequence
from io import BytesIO, TextIOWrapper
from itertools import islice

from sandbox.salesforce.refusals import BatchRefused
from sandbox.salesforce.row_writer import Row, UnreadableRow
from sandbox.salesforce.stray_blanks import mend

MAX_FIELD_CHARACTERS = 131_072
MAX_RECORD_CHARACTERS = 400_000
MAX_COLUMNS = 5_000
MAX_HEADER_CHARACTERS = 32_000
"""§7, §12 [docs]"""

_NULL = "#N/A"


class CsvRows:
    """Reader of CSV: ``columns`` at once, rows in pieces. Raises ``BatchRefused`` where the text is not CSV."""

    def __init__(self, body: bytes, *, delimiter: str = ",") -> None:
        self._is_large = len(body) > MAX_RECORD_CHARACTERS
        self._may_have_nulls = _NULL.encode() in body
        body, unreadable = mend(body, delimiter)
        if 0 in unreadable:
            raise _malformed("a blank beside a quote in the header")
        self._unreadable = {record - 1 for record in unreadable}
        text = TextIOWrapper(BytesIO(body), encoding="utf-8", newline="")
        self._reader = csv.reader(text, delimiter=delimiter, strict=True)
        self.columns: Sequence[str] = next(iter(self._read(1)), [])
        if len(self.columns) > MAX_COLUMNS or sum(map(len, self.columns)) > MAX_HEADER_CHARACTERS:
            raise _malformed(f"expected at most {MAX_COLUMNS} columns and {MAX_HEADER_CHARACTERS} characters of header")

    def pieces(self, size: int) -> Iterator[list[Row]]:
        """Yield the rows, ``size`` at a time, each as long as the header, ``#N/A`` as ``None``."""
        read = 0
        for rows in self.raw_pieces(size):
            piece = self._with_nulls(rows) if self._may_have_nulls else rows
            for number in self._unreadable.intersection(range(read, read + len(piece))):
                piece[number - read] = UnreadableRow(piece[number - read])
            read += len(piece)
            yield piece

    def raw_pieces(self, size: int) -> Iterator[list[Row]]:
        """Yield the rows as they were sent, with texts only."""
        while rows := self._read(size):
            self._check(rows)
            yield rows

    def _read(self, size: int) -> list[Row]:
        # The limit is one for the whole process, and another reader of CSV may have changed it.
        csv.field_size_limit(MAX_FIELD_CHARACTERS)
        try:
            return list(islice(filter(None, self._reader), size))
        except csv.Error as error:
            raise _malformed(f"line {self._reader.line_num}: {error}") from None
        except UnicodeDecodeError:
            raise _malformed("expected UTF-8") from None

    def _check(self, rows: list[Row]) -> None:
        width = len(self.columns)
        if set(map(len, rows)) != {width}:
            longest = max(map(len, rows))
            if longest > width:
                raise _malformed(f"expected {width} values for {width} columns, found {longest}")
            rows[:] = [[*row, *[""] * (width - len(row))] for row in rows]
        if self._is_large and max(sum(map(len, row)) for row in rows) > MAX_RECORD_CHARACTERS:
            raise _malformed(f"expected at most {MAX_RECORD_CHARACTERS} characters in a record")

    def _with_nulls(self, rows: list[Row]) -> list[Row]:
        return [[None if cell == _NULL else cell for cell in row] if _NULL in row else row for row in rows]


def _malformed(reason: str) -> BatchRefused:
    """Return the refusal of a batch. The document names no code for it. [assumed: content is checked with the batch]"""
    return BatchRefused("InvalidBatch", f"Failed to parse CSV: {reason}")
