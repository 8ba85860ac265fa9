"""CSV batches: a header of field names and rows, through the org's strict reader. salesforce_bulk.md §6."""

from sandbox.salesforce.bulk1.content import Content, check_cells
from sandbox.salesforce.bulk1.transformation import Transformation
from sandbox.salesforce.csv_data import CsvRows

_PIECE_ROWS = 20_000


def read_csv_content(body: bytes, spec: Transformation | None = None) -> Content:
    """The rows of a batch, as the job's transformation spec has them. Raises `BatchRefused`."""
    text = CsvRows(body)
    columns = list(text.columns)
    check_cells(len(columns), body.count(b"\n") + body.count(b"\r"))
    rows = [row for piece in text.pieces(_PIECE_ROWS) for row in piece]
    return Content(columns, rows) if spec is None else spec.apply(columns, rows)
