"""CSV of answers: the same rows, wherever it is cut into pieces."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.destinations.salesforce.csv_answers import MAX_ROW_BYTES, read_csv
from sluice.destinations.vendor_jobs import ResultsIncomplete
from tests.destinations.salesforce.pieces import pieces_of

_texts = st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters='\r\n",'))


async def _read(body: bytes, size: int = 7) -> list[list[str]]:
    return [row async for row in read_csv(pieces_of(body, size))]


@given(
    st.lists(st.lists(_texts, min_size=2, max_size=3), max_size=8),
    st.integers(1, 40),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
async def test_rows_are_the_same_in_any_pieces(rows: list[list[str]], size: int, end: str, ends: bool) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=end).writerows(rows)
    body = text.getvalue().encode()
    assert await _read(body if ends else body.removesuffix(end.encode()), size) == rows


async def test_bom_and_empty_lines_are_no_part_of_it() -> None:
    assert await _read("\ufeffId,Name\n\n1,Ä\n".encode(), 1) == [["Id", "Name"], ["1", "Ä"]]
    assert await _read(b"") == []


async def test_letters_that_cannot_be_read_spoil_no_other_row() -> None:
    assert await _read(b"a\n\xff\nb\n", 3) == [["a"], ["\ufffd"], ["b"]]


async def test_field_may_be_longer_than_python_expects() -> None:
    assert await _read(b'a,"' + b"x" * 200_000 + b'"\n', 65_536) == [["a", "x" * 200_000]]


@pytest.mark.parametrize(
    "body",
    [b'a\n"b', b'a\n"' + (b"x" * 99 + b"\n") * (MAX_ROW_BYTES // 50)],
    ids=["cut off within a row", "a row without end"],
)
async def test_answer_that_is_not_whole_is_worth_a_new_question(body: bytes) -> None:
    with pytest.raises(ResultsIncomplete):
        await _read(body, 1 << 20)
