"""JSON: lines and arrays, in memory one row at a time."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.cli.publish.input_file import BadRow, Row, UnusableFile
from sluice.cli.publish.json_rows import MAX_ROW_BYTES, UnparsedRow, json_elements, json_lines, parse_row
from tests.cli.conftest import opened

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)


def decoded(row: UnparsedRow) -> Any:
    read = parse_row(row)
    assert isinstance(read, Row), read
    return {name: json.loads(bytes(value)) for name, value in read.fields.items()}


@settings(max_examples=100, deadline=None)
@given(st.lists(OBJECTS), st.sampled_from([None, 2]), st.booleans(), st.integers(1, 40))
def test_elements_of_an_array_are_read_whatever_its_layout(
    objects: list[Any], indent: int | None, ascii_only: bool, chunk_bytes: int
) -> None:
    content = json.dumps(objects, indent=indent, ensure_ascii=ascii_only).encode()
    assert [decoded(row) for row in json_elements(opened(content), chunk_bytes)] == objects


@settings(max_examples=100, deadline=None)
@given(st.lists(OBJECTS))
def test_lines_are_read(objects: list[Any]) -> None:
    content = "\n".join(json.dumps(value) for value in objects).encode()
    rows = list(json_lines(opened(content)))
    assert [decoded(row) for row in rows if isinstance(row, UnparsedRow)] == objects


def test_numbers_are_not_rounded() -> None:
    text = b'{"a": 1.10, "b": 123456789012345678901234567890, "c": 0.1000000000000000055}'
    row = parse_row(UnparsedRow(1, text))
    assert isinstance(row, Row)
    assert msgspec.json.encode(row.fields) == text.replace(b" ", b"")


def test_line_of_an_element_is_where_it_begins() -> None:
    content = b'[\n  {"a": 1},\n\n  {"a":\n 2}, {"a": 3}\n]\n'
    assert [row.line for row in json_elements(opened(content), 4)] == [2, 4, 5]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(b"hello", "expected a JSON object: JSON is malformed", id="no JSON"),
        pytest.param(b"[1]", "expected a JSON object: Expected `object`, got `array`", id="array"),
        pytest.param(b'{"a": 1', "expected a JSON object: Input data was truncated", id="cut off"),
        pytest.param(b'{"a": "caf\xe9"}', "expected text in UTF-8", id="Latin-1"),
        pytest.param(b'{"a": NaN}', "expected a JSON object: JSON is malformed", id="NaN"),
        pytest.param(b"[" * 100_000, "expected a JSON object", id="deep"),
    ],
)
def test_bad_line_is_named_and_the_next_one_read(text: bytes, reason: str) -> None:
    lines = json_lines(opened(text + b'\n{"a": 1}\n'))
    bad, good = (parse_row(line) for line in lines if isinstance(line, UnparsedRow))
    assert isinstance(bad, BadRow)
    assert bad.line == 1
    assert bad.reason.startswith(reason)
    assert good == Row(2, {"a": msgspec.Raw(b"1")})


def test_blank_lines_are_no_rows() -> None:
    assert [row.line for row in json_lines(opened(b'\n{"a":1}\n  \n{"a":2}'))] == [2, 4]


def test_endless_line_is_a_bad_row_and_the_next_one_is_read() -> None:
    bad, good = list(json_lines(opened(b"x" * (MAX_ROW_BYTES + 5) + b'\n{"a":1}\n')))
    assert isinstance(bad, BadRow)
    assert bad.reason == "expected at most 16777216 bytes in a line, got more"
    assert good == UnparsedRow(2, b'{"a":1}\n')


@pytest.mark.parametrize(
    ("content", "read_before", "sentence"),
    [
        pytest.param(b'{"a": 1}', 0, "expected one JSON array in a.file; .* say --format jsonl", id="object"),
        pytest.param(b'[{"a": 1}, {"a" 2}]', 1, "expected a JSON value in a.file at line 1", id="malformed"),
        pytest.param(b'[{"a": 1},\n{"a": ', 1, "expected a JSON value in a.file at line 2", id="cut off inside"),
        pytest.param(b'[{"a": 1}', 1, "expected `,` or `]` .* got the end of the file", id="cut off between"),
        pytest.param(b'[{"a": 1} {"a": 2}]', 1, "expected `,` or `]` .* got '{'", id="comma missing"),
        pytest.param(b'[{"a": 1}] x', 1, "expected nothing after the array .* got 'x'", id="something after it"),
    ],
)
def test_array_that_cannot_be_read_further_says_where(content: bytes, read_before: int, sentence: str) -> None:
    elements = json_elements(opened(content))
    for _ in range(read_before):
        next(elements)
    with pytest.raises(UnusableFile, match=sentence):
        next(elements)


def test_object_over_several_lines_is_refused_as_a_whole() -> None:
    with pytest.raises(UnusableFile, match=r"got an object over several lines; put \[ \] around it"):
        list(json_lines(opened(b'{\n  "a": 1\n}\n')))
