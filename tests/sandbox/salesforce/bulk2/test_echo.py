"""Uploaded rows as results echo them: equal to reading them as CSV, every value quoted. salesforce_bulk.md §4.1."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.salesforce.bulk2.dialect import Dialect
from sandbox.salesforce.bulk2.echo import Echo
from sandbox.salesforce.csv_data import CsvRows
from sandbox.salesforce.refusals import BatchRefused

UPLOADS = st.text(st.sampled_from("ab,;\n\r\"' é\x00\u2028"), max_size=40).map(str.encode) | st.binary(max_size=20)
SIZE = 2


def _by_csv(body: bytes) -> tuple[list[str], list[list[str]]]:
    """Return columns, and pieces of rows up to the first text that is not CSV."""
    columns: list[str] = []
    pieces: list[list[str]] = []
    try:
        rows = CsvRows(body)
        columns = list(rows.columns)
        for piece in rows.raw_pieces(SIZE):
            pieces.append(['","'.join(str(cell).replace('"', '""') for cell in row) for row in piece])
    except BatchRefused:
        pass
    return columns, pieces


@given(body=UPLOADS)
@example(body=b"a,b\n1,2\n3,4\n5,6")
@example(body=b"a,b\r\n1,2\r\n3,4\r\n")
def test_any_upload_is_echoed_as_csv_reads_it(body: bytes) -> None:
    echo = Echo(body, Dialect())
    assert (echo.columns, list(echo.pieces(SIZE))) == _by_csv(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('a,b\n1,"2\n3"\n', id="quotes"),
        pytest.param("a,b\n1\n", id="a short row"),
        pytest.param("a,b\n\n1,2\n", id="a blank line"),
        pytest.param("a\n1\n" + "x" * 131_073, id="too long a field"),
        pytest.param("a" * 32_001 + "\n1\n", id="too long a header"),
        pytest.param(",".join("a" * 5_001) + "\n1\n", id="too many columns"),
    ],
)
def test_what_is_not_plainly_lines_and_delimiters_is_read_as_csv(body: str) -> None:
    echo = Echo(body.encode(), Dialect())
    assert (echo.columns, list(echo.pieces(SIZE))) == _by_csv(body.encode())
