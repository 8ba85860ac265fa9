"""Content of a batch as columns and rows, in whatever format it was written. salesforce_bulk.md §3.5, §6.

In a row, ``None`` sets null and the empty text leaves the field as it is.
"""

from typing import Any, NamedTuple

from sandbox.salesforce.csv_data import MAX_COLUMNS, MAX_FIELD_CHARACTERS, MAX_RECORD_CHARACTERS
from sandbox.salesforce.refusals import BatchRefused
from sandbox.salesforce.row_writer import Row

_MAX_CELLS = 10_000_000
"""Most cells of a batch: sparse records of 10 MB could grow to more cells than memory has. [assumed]"""


class Content(NamedTuple):
    """Rows of one batch, each as long as ``columns``."""

    columns: list[str]
    rows: list[Row]


def from_records(records: list[dict[str, Any]]) -> Content:
    """Make one header for all records: the union of their keys, in order of appearance."""
    columns = list(dict.fromkeys(name for record in records for name in record))
    if len(columns) > MAX_COLUMNS:
        raise malformed(f"Exceeded number of fields: {len(columns)}. The limit is {MAX_COLUMNS}")
    check_cells(len(columns), len(records))
    for number, record in enumerate(records, 1):
        _check_lengths(number, [len(cell) for cell in record.values() if isinstance(cell, str)])
    return Content(columns, [[record.get(name, "") for name in columns] for record in records])


def check_cells(columns: int, rows: int) -> None:
    """Raise ``BatchRefused`` for more cells than the sandbox can hold."""
    if columns * rows > _MAX_CELLS:
        raise malformed(f"Exceeded number of cells: {columns} fields by {rows} records")


def malformed(reason: str) -> BatchRefused:
    return BatchRefused("InvalidBatch", reason)


def _check_lengths(number: int, lengths: list[int]) -> None:
    """Fail a batch [assumed] beyond the limits of §7 [docs]."""
    if sum(lengths) > MAX_RECORD_CHARACTERS:
        raise malformed(f"Record {number} is longer than {MAX_RECORD_CHARACTERS} characters")
    if lengths and max(lengths) > MAX_FIELD_CHARACTERS:
        raise malformed(f"A field of record {number} is longer than {MAX_FIELD_CHARACTERS} characters")
