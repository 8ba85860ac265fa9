"""Header of a batch that is a table: its columns, and the bytes that they cost.

Each item of such a batch knows its own columns, and its ``body`` is its row in their order: cells joined by one comma,
without an end of line. The request body is the header and the rows, one a line, each row spread over the union of all
columns. So a row of ``n`` cells, which has ``n - 1`` commas by itself, gets ``m - 1`` commas under ``m`` columns: one
byte more for each column that it lacks, since the missing cells are empty. The count is exact::

    header   sum(len(column) + 1)      over the union: a comma after each column, an end of line after the last
    row      len(body) + (m - n) + 1   1 for its end of line, which the last one has not

A batch in which no item has columns is no table and costs nothing here; items with and without are never mixed.
"""

from collections.abc import Iterable

from sluice.flow.batch import Encoded


class TableHeader:
    """Union of the columns of a batch's rows, in the order in which they came."""

    __slots__ = ("_last", "_seen", "_union", "line_bytes", "rows")

    def __init__(self) -> None:
        self._union: dict[str, None] = {}
        # A stream has few shapes of rows, and a row mostly has that of the row before, as the same object.
        self._seen: set[tuple[str, ...]] = set()
        self._last: tuple[str, ...] | None = None
        self.line_bytes = 0
        """The header with its end of line."""
        self.rows = 0

    def cost(self, columns: tuple[str, ...]) -> tuple[int, int]:
        """Return the bytes that a row with ``columns`` adds besides its own, and how many of these are the header's."""
        if columns is self._last or columns in self._seen:
            return len(self._union) - len(columns), 0
        new = [column for column in columns if column not in self._union]
        header_bytes = sum([len(column.encode()) + 1 for column in new])
        lacking = len(self._union) + len(new) - len(columns)
        return header_bytes + len(new) * self.rows + lacking, header_bytes

    def add(self, columns: tuple[str, ...]) -> int:
        """Add a row with ``columns``; return the bytes that this adds to the table besides the row's own."""
        if columns is self._last:
            self.rows += 1
            return len(self._union) - len(columns)
        added_bytes, header_bytes = self.cost(columns)
        if columns not in self._seen:
            self._union.update(dict.fromkeys(columns))
            self._seen.add(columns)
            self.line_bytes += header_bytes
        self.rows += 1
        self._last = columns
        return added_bytes


def union(rows: Iterable[Encoded]) -> tuple[str, ...]:
    """Return the columns of a batch of ``rows``, in the order of its header."""
    return tuple(dict.fromkeys([column for shape in dict.fromkeys([row.columns for row in rows]) for column in shape]))


def table_bytes(rows: Iterable[Encoded]) -> int:
    """Return the bytes of the request body that ``rows`` make: separators, and the header if they have columns."""
    header = TableHeader()
    total = 0
    for row in rows:
        total += len(row.body) + 1
        if row.columns:
            total += header.add(row.columns)
    return total - 1
