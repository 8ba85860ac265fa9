"""CSV: every row that can be read is read, and every other one is named."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.cli.publish.csv_rows import Empty, csv_header, csv_rows
from sluice.cli.publish.rows import BadRow, Row, UnusableFile
from tests.cli.publish.files import opened

# A lone surrogate is no character, and csv knows no NUL; a lone \r ends a line.
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def read(content: bytes, empty: Empty = "text", delimiter: str = ",") -> list[Row | BadRow]:
    header, reader = csv_header(opened(content), delimiter)
    return list(csv_rows(header, reader, "a.file", empty))


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width))))
def test_what_csv_writes_is_read_back(table: list[list[str]]) -> None:
    header = [f"column {number}" for number in range(len(table[0]) if table else 1)]
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([header, *table])
    rows = [row.fields for row in read(text.getvalue().encode()) if isinstance(row, Row)]
    assert rows == [dict(zip(header, cells, strict=True)) for cells in table]


@pytest.mark.parametrize(
    ("empty", "fields"),
    [("omit", {"a": "1"}), ("null", {"a": "1", "b": None}), ("text", {"a": "1", "b": ""})],
)
def test_empty_cell_is_what_was_asked_for(empty: Empty, fields: dict[str, str | None]) -> None:
    assert read(b"a,b\n1,\n", empty) == [Row(2, fields)]


def test_line_is_the_one_where_the_row_begins() -> None:
    assert [row.line for row in read(b'a\n"1\n2"\n3\n\n4\n')] == [2, 4, 6]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param(b"1", "expected 2 columns, got 1", id="too few columns"),
        pytest.param(b"1,2,3", "expected 2 columns, got 3", id="too many columns"),
        pytest.param(b'"1"x,2', "not CSV: ',' expected after '\"'", id="text after a quote"),
    ],
)
def test_bad_row_is_named_and_the_next_ones_are_read(row: bytes, reason: str) -> None:
    bad, good = read(b"a,b\n" + row + b"\n3,4\n")
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.reason) == (2, reason)
    assert good == Row(3, {"a": "3", "b": "4"})


def test_quote_that_is_never_closed_is_one_bad_row() -> None:
    good, bad = read(b'a,b\n1,2\n"3,4\n5,6\n')
    assert good == Row(2, {"a": "1", "b": "2"})
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.reason) == (3, "not CSV: unexpected end of data")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"\n1\n", "expected CSV with the names of the columns", id="no header"),
        pytest.param(b"a,,c\n", "column 2 of a.file has no name", id="column without a name"),
        pytest.param(b"a,b,a\n", "`a` is more than once", id="two columns of a name"),
        pytest.param(b"caf\xe9\n", "got another encoding in the header", id="Latin-1 header"),
        pytest.param(b'"a"b\n', "expected CSV with a header line", id="no CSV at all"),
    ],
)
def test_header_that_cannot_be_used_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(UnusableFile, match=sentence):
        read(content)


def test_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    assert read(b"\xef\xbb\xbfa\n1\n") == [Row(2, {"a": "1"})]
