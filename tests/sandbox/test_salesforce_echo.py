"""Uploaded rows as results echo them: the quick way gives what reading them as CSV gives. salesforce_bulk.md §4.1."""

import csv
import io
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.salesforce.bulk2.dialect import Dialect
from sandbox.salesforce.bulk2.echo import Echo
from sandbox.salesforce.csv_data import CsvRows

UPLOADS = st.text(st.sampled_from("ab,;\n\r\"' é\x00\u2028"), max_size=40).map(str.encode) | st.binary(max_size=20)


def _rows(echo: Echo, size: int = 2) -> list[list[str]]:
    lines = [f'"{row}"' for row in chain.from_iterable(echo.pieces(size))]
    return list(csv.reader(io.StringIO("\n".join(lines), newline=""), strict=True))


@given(body=UPLOADS, delimiter=st.sampled_from(["COMMA", "SEMICOLON"]))
def test_the_quick_way_reads_as_csv_does(body: bytes, delimiter: str) -> None:
    quick, slow = Echo(body, Dialect(delimiter=delimiter)), Echo(body, Dialect(delimiter=delimiter))  # type: ignore[arg-type]
    slow._plain = None
    slow.columns = slow._read_columns()
    assert quick.columns == slow.columns
    assert list(quick.pieces(2)) == list(slow.pieces(2))


@pytest.mark.parametrize(
    ("body", "quick"),
    [
        pytest.param("a,b\n1,2\n3,4\n", True, id="plain"),
        pytest.param("a,b\r\n1,2\r\n3,4", True, id="CRLF"),
        pytest.param('a,b\n1,"2\n3"\n', False, id="quotes"),
        pytest.param("a,b\n1\n", False, id="a short row"),
        pytest.param("a,b\n\n1,2\n", False, id="a blank line"),
        pytest.param("a\n" + "x" * 131_073, False, id="too long a field"),
    ],
)
def test_only_plain_lines_go_the_quick_way(body: str, quick: bool) -> None:
    echo = Echo(body.encode(), Dialect())
    assert (echo._plain is not None) == quick
    if len(body) < 1000:
        assert _rows(echo) == list(chain.from_iterable(CsvRows(body.encode()).raw_pieces(9)))
