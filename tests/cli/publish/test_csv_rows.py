"""CSV: every row that can be read is read, and every other one is named."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.cli.publish.csv_rows import Empty, csv_header, csv_rows
from sluice.cli.publish.input_file import BadRow, Row, UnusableFile
from tests.cli.conftest import opened

# A lone surrogate is no character, and csv knows no NUL; a lone \r ends a line.
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))

THIRD = Row(3, {"a": "3", "b": "4"})


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


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        pytest.param(b"a,b\n1\n3,4\n", [BadRow(2, "expected 2 columns, got 1", "1"), THIRD], id="too few columns"),
        pytest.param(
            b"a,b\n1,2,3\n3,4\n", [BadRow(2, "expected 2 columns, got 3", "1,2,3"), THIRD], id="too many columns"
        ),
        pytest.param(
            b'a,b\n"1"x,2\n3,4\n',
            [BadRow(2, "not CSV: ',' expected after '\"'", ""), THIRD],
            id="text after a quote",
        ),
        pytest.param(
            b'a,b\n1,2\n"3,4\n5,6\n',
            [Row(2, {"a": "1", "b": "2"}), BadRow(3, "not CSV: unexpected end of data", "")],
            id="quote that is never closed",
        ),
        pytest.param(
            b'a\n"1\n2"\n3\n\n4\n',
            [Row(2, {"a": "1\n2"}), Row(4, {"a": "3"}), Row(6, {"a": "4"})],
            id="the line is where the row begins",
        ),
        pytest.param(b"\xef\xbb\xbfa\n1\n", [Row(2, {"a": "1"})], id="byte order mark is no part of a name"),
    ],
)
def test_bad_rows_are_named_and_the_others_are_read(content: bytes, rows: list[Row | BadRow]) -> None:
    assert read(content) == rows


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
