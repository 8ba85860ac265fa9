"""Uploaded rows as results echo them: every value quoted. salesforce_bulk.md §4.1 [docs].

Results echo only the columns whose header is spelt as the API names it, and lack the others. §13.2 [docs]

A row is the text between its outer quotes, ``A-1","Berg","x@example.com``, so that more columns can go before it.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from operator import methodcaller

from sandbox.salesforce.bulk2.dialect import DELIMITERS, Dialect
from sandbox.salesforce.csv_data import MAX_COLUMNS, MAX_FIELD_CHARACTERS, MAX_HEADER_CHARACTERS, CsvRows
from sandbox.salesforce.refusals import BatchRefused


class Echo:
    """Rows of one upload. Text that is not CSV has no columns, or no rows from there on.

    Most uploads have no quotes, and the same number of values in each line: their lines are quoted by replacing
    delimiters, which costs a fifth of reading them as CSV.
    """

    def __init__(self, body: bytes, dialect: Dialect, *, is_echoed: Callable[[str], bool] | None = None) -> None:
        self._delimiter = DELIMITERS[dialect.delimiter]
        self._between = f'"{self._delimiter}"'
        self._plain = _plain(body, self._delimiter.encode())
        self._body = body if self._plain is None else self._plain
        sent = self._read_columns()
        self.columns = [name for name in sent if is_echoed is None or is_echoed(name)]
        self._places = [place for place, name in enumerate(sent) if is_echoed is None or is_echoed(name)]
        self._is_whole = len(self._places) == len(sent)

    def pieces(self, size: int) -> Iterator[list[str]]:
        """Return all rows, ``size`` at a time."""
        return self._csv_pieces(size) if self._plain is None else self._plain_pieces(self._plain, size)

    def _read_columns(self) -> list[str]:
        if self._plain is not None:
            return self._plain.partition(b"\n")[0].decode().split(self._delimiter)
        try:
            return list(CsvRows(self._body, delimiter=self._delimiter).columns)
        except BatchRefused:
            return []

    def _plain_pieces(self, body: bytes, size: int) -> Iterator[list[str]]:
        lines = io.BytesIO(body)
        next(lines)
        while piece := b"".join(islice(lines, size)):
            text = piece.decode().removesuffix("\n")
            if self._is_whole:
                yield text.replace(self._delimiter, self._between).split("\n")
            else:
                yield [self._between.join(self._kept(line.split(self._delimiter))) for line in text.split("\n")]

    def _csv_pieces(self, size: int) -> Iterator[list[str]]:
        try:
            for rows in CsvRows(self._body, delimiter=self._delimiter).raw_pieces(size):
                yield [self._between.join(cell.replace('"', '""') for cell in self._kept(row)) for row in rows]
        except BatchRefused:
            return

    def _kept(self, row: Sequence[str]) -> Sequence[str]:
        return row if self._is_whole else [row[place] for place in self._places]


def _plain(body: bytes, delimiter: bytes) -> bytes | None:
    """Return the body with lines ended by LF if every line is only values and delimiters; null otherwise."""
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
    header = body.partition(b"\n")[0]
    breaks = header.count(delimiter)
    if not header or breaks >= MAX_COLUMNS or len(header) > MAX_HEADER_CHARACTERS:
        return None
    if b'"' in body or b"\r" in body or b"\n\n" in body or not _is_text(body):
        return None
    if set(map(methodcaller("count", delimiter), io.BytesIO(body))) != {breaks}:
        return None
    return body if max(map(len, io.BytesIO(body))) <= MAX_FIELD_CHARACTERS else None


def _is_text(body: bytes) -> bool:
    try:
        return body.isascii() or bool(body.decode())
    except UnicodeDecodeError:
        return False
