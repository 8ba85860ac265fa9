"""CSV batches: a header of field names and rows, through the org's strict reader. salesforce_bulk.md §6."""

from sandbox.salesforce.bulk1.content import Content, check_cells
from sandbox.salesforce.bulk1.transformation import Transformation, transformed
from sandbox.salesforce.csv_data import CsvRows
from sandbox.salesforce.row_writer import Row

_PIECE_ROWS = 1_000


def read_csv_content(body: bytes, spec: Transformation | None = None) -> Content:
    """Return the rows of a batch, mapped by the job's transformation spec. Raises ``BatchRefused``."""
    text = CsvRows(body)
    columns = list(text.columns)
    rows: list[Row] = []
    for piece in text.pieces(_PIECE_ROWS):
        rows += piece
        check_cells(len(columns), len(rows))
    return Content(columns, rows) if spec is None else transformed(spec, columns, rows)
