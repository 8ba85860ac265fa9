"""CSV of answers, read piece by piece: quoted line breaks, in memory for a piece and a row."""

import csv
import io
from collections.abc import AsyncIterator

from sluice.destinations.vendor_jobs import ResultsIncomplete

MAX_ROW_BYTES = 8 * 2**20
"""Bytes of one row: a record of 400,000 characters, §7, with quotes doubled, and room to spare."""


async def read_csv(pieces: AsyncIterator[bytes]) -> AsyncIterator[list[str]]:
    """Yield the rows of a CSV that comes in ``pieces``, the header first; nothing for an empty one.

    Raises :class:`~sluice.destinations.vendor_jobs.ResultsIncomplete` for one that ends within a row, or is no CSV.
    """
    # Python's own bound is the length of the longest field that Salesforce has; an answer may say more than that.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW_BYTES))
    pending = b""
    is_first = True
    async for piece in pieces:
        pending += piece
        end = _end_of_rows(pending)
        if end:
            for row in _rows(pending[:end], is_first=is_first):
                yield row
            is_first = False
            pending = pending[end:]
        if len(pending) > MAX_ROW_BYTES:
            raise ResultsIncomplete(f"expected rows of at most {MAX_ROW_BYTES} bytes")
    if pending.count(b'"') % 2:
        raise ResultsIncomplete("the answer ends within a row")
    for row in _rows(pending, is_first=is_first):
        yield row


def _end_of_rows(pending: bytes) -> int:
    """Return the end of the last whole row: behind the last line break outside quotes, before which they are even."""
    quotes = pending.count(b'"')
    end = len(pending)
    while True:
        line_break = pending.rfind(b"\n", 0, end)
        if line_break < 0:
            return 0
        quotes -= pending.count(b'"', line_break, end)
        if quotes % 2 == 0:
            return line_break + 1
        end = line_break


def _rows(text: bytes, *, is_first: bool) -> list[list[str]]:
    # A letter that cannot be read spoils no other row; whatever it stands in will not match.
    decoded = text.decode("utf-8", "replace")
    if is_first:
        decoded = decoded.removeprefix("\ufeff")
    try:
        return [row for row in csv.reader(io.StringIO(decoded, newline="")) if row]
    except csv.Error as error:
        raise ResultsIncomplete(f"expected CSV: {error}") from error
