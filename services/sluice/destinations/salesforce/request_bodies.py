"""Request bodies: the rows of a batch in one of the forms of §3.5. The order of the rows is that of the batch.

A table has one header, the union of its rows' columns, and each row is spread over it: a cell that it lacks is empty,
which leaves the field as it is. §6 Lines end with LF, the last one does not.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sluice.destinations.salesforce.row_formats import ContentType
from sluice.flow.batch import Encoded
from sluice.flow.table_header import union


class Frame(NamedTuple):
    """The bytes around the rows of a body."""

    start: bytes
    separator: bytes
    end: bytes

    @property
    def extra_bytes(self) -> int:
        """Bytes of a body that windows, which count rows and one byte between them, do not know of."""
        return len(self.start) + len(self.end)


_XML_START = (
    b'<?xml version="1.0" encoding="UTF-8"?><sObjects xmlns="http://www.force.com/2009/06/asyncapi/dataload" '
    b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
)
FRAMES: dict[ContentType, Frame] = {
    "CSV": Frame(b"", b"\n", b""),
    "JSON": Frame(b"[", b",", b"]"),
    "XML": Frame(_XML_START, b"\n", b"</sObjects>"),
}
MEDIA_TYPES: dict[ContentType, str] = {
    "CSV": "text/csv; charset=UTF-8",
    "JSON": "application/json; charset=UTF-8",
    "XML": "application/xml; charset=UTF-8",
}
"""§3.1 [docs]"""


def encode_body(content_type: ContentType, rows: Sequence[Encoded], spellings: Mapping[str, str]) -> bytes:
    """Return the body with ``rows``, of which there is at least one.

    ``spellings`` has the columns of a table as Salesforce spells them, by their casefolded names: a result repeats no
    other ones. §13 row 2
    """
    frame = FRAMES[content_type]
    lines = _table(rows, spellings) if content_type == "CSV" else [row.body for row in rows]
    # The first and the last are changed, so that a body of megabytes is copied once only.
    lines[0] = frame.start + lines[0]
    lines[-1] += frame.end
    return frame.separator.join(lines)


def _table(rows: Sequence[Encoded], spellings: Mapping[str, str]) -> list[bytes]:
    """Return the lines of ``rows`` as a table. A column that is spelt in two ways is one, or the batch would fail."""
    header: dict[str, str] = {}
    for column in union(rows):
        header.setdefault(column.casefold(), spellings.get(column.casefold(), column))
    places = {folded: place for place, folded in enumerate(header)}
    spread: dict[tuple[str, ...], Callable[[bytes], bytes]] = {}
    lines = [",".join(header.values()).encode()]
    for row in rows:
        columns = row.columns
        if columns not in spread:
            spread[columns] = _spread([places[column.casefold()] for column in columns], len(places))
        lines.append(spread[columns](row.body))
    return lines


def _spread(places: list[int], width: int) -> Callable[[bytes], bytes]:
    """Return what puts the cells of a row at ``places`` of a row of ``width`` cells."""
    if places == list(range(len(places))):
        lacking = b"," * (width - len(places))
        return lambda row: row + lacking

    sources = [places.index(place) if place in places else len(places) for place in range(width)]

    def spread(row: bytes) -> bytes:
        cells = [*_cells(row), b""]
        return b",".join([cells[source] for source in sources])

    return spread


_find_cells = re.compile(rb'("(?:[^"]|"")*"|[^,]*)(?:,|\Z)').findall


def _cells(row: bytes) -> list[bytes]:
    """Return the cells of ``row`` as they stand there, with their quotes."""
    if b'"' not in row:
        return row.split(b",")
    # Behind the last cell the expression matches once more, with nothing.
    cells: list[bytes] = _find_cells(row)
    return cells[:-1]
