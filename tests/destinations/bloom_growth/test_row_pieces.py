"""Arrays decoded while they come: the same rows however they are cut."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.destinations.bloom_growth.row_pieces import RowPieces

AWKWARD = [
    {"Id": 1, "Name": 'a"},{"b', "Owner": {"Id": 5, "Name": "x"}},
    {"Id": 2, "Name": "\\", "Origins": [{"Id": 1}, {"Id": 2}], "Owner": None},
    {"Id": 3, "Name": "},{"},
    {"Id": 4},
]


def ids_of(text: bytes, sizes: list[int], piece_bytes: int = 30) -> list[int | None]:
    found: list[int | None] = []
    rows = RowPieces(lambda row: found.append(row.id), piece_bytes)
    at = 0
    for size in [*sizes, len(text)]:
        rows.add(text[at : at + size])
        at += size
    rows.end()
    return found


@given(st.lists(st.integers(1, 60)), st.sampled_from([None, 2]), st.integers(1, 200))
def test_rows_are_the_same_however_the_text_is_cut(sizes: list[int], indent: int | None, piece_bytes: int) -> None:
    text = json.dumps(AWKWARD * 3, indent=indent).encode()
    assert ids_of(text, sizes, piece_bytes) == [1, 2, 3, 4] * 3


@pytest.mark.parametrize("text", [b"[]", b" [ ] ", b"[\n]"])
def test_an_empty_array_has_no_rows(text: bytes) -> None:
    assert ids_of(text, []) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"<html>", id="a page"),
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"Id":1}', id="an object"),
        pytest.param(b'[{"Id":1},{"Id":2}', id="cut short"),
        pytest.param(b'[{"Id":1}]]', id="something behind"),
        pytest.param(b'[{"Id":"x"}]', id="an id that is no number"),
    ],
)
def test_what_is_no_array_of_objects_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        ids_of(text, [])


def test_only_the_tail_waits_in_memory() -> None:
    found: list[int | None] = []
    rows = RowPieces(lambda row: found.append(row.id), 1000)
    rows.add(b"[")
    for row in range(1000):
        rows.add(b'{"Id":%d,"Name":"n"},' % row)
    assert len(found) > 900
