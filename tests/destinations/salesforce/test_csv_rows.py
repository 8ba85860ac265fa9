"""CSV rows: any reader reads what was written; what no field can hold is refused by its name."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.destinations.contract import Rejection
from sluice.destinations.salesforce.csv_rows import encode_row
from sluice.destinations.salesforce.record_fields import Value

_texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"], include_characters='\t\r\n",# '), min_size=1)


@pytest.mark.parametrize(
    ("values", "row"),
    [
        pytest.param(["Lind", "a b"], b"Lind,a b", id="plain"),
        pytest.param([1, True, False, None, "1.50"], b"1,true,false,#N/A,1.50", id="no text"),
        pytest.param(["a,b", 'say "x"'], b'"a,b","say ""x"""', id="a comma and quotes"),
        pytest.param(["a\nb", "a\r\nb", "\t"], b'"a\nb","a\r\nb",\t', id="line breaks"),
        pytest.param([" a ", ' "b" '], b' a ," ""b"" "', id="blanks stay where they are, never outside quotes"),
        pytest.param(["Größe", "日本"], "Größe,日本".encode(), id="UTF-8"),
        pytest.param(["see #N/A there", None], b"see #N/A there,#N/A", id="the null within a text"),
    ],
)
def test_row_is_written(values: list[Value], row: bytes) -> None:
    assert encode_row(tuple(f"F{n}" for n in range(len(values))), values) == row


@given(st.lists(_texts.filter(lambda text: text != "#N/A"), min_size=1, max_size=6))
def test_row_is_read_as_it_was_written(values: list[str]) -> None:
    row = encode_row(tuple(f"F{n}" for n in range(len(values))), values)
    assert list(csv.reader(io.StringIO(row.decode(), newline=""), strict=True)) == [values]


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        pytest.param("a\0b", "bad-value", r"field Second: .* U\+0000 at position 1", id="NUL"),
        pytest.param("\x1b[0m", "bad-value", r"U\+001B", id="another control character"),
        pytest.param("\x85", "bad-value", r"U\+0085", id="a line break that only some see"),
        pytest.param("#N/A", "bad-value", "Second: expected another text than #N/A", id="the text that clears"),
        pytest.param("x" * 131_073, "too-large", "Second: expected at most 131072", id="too long"),
    ],
)
def test_value_is_refused(value: str, code: str, message: str) -> None:
    with pytest.raises(Rejection, match=message) as rejection:
        encode_row(("First", "Second"), ["x", value])
    assert rejection.value.code == code


def test_longest_values_fit_and_no_longer_record() -> None:
    row = ["x" * 131_072, "y" * 131_072, "z" * 131_072, "ü" * (400_000 - 3 * 131_072)]
    assert len(encode_row(("A", "B", "C", "D"), row).decode()) == 400_000 + 3
    with pytest.raises(Rejection, match="at most 400000 characters in all fields, got 400001"):
        encode_row(("A", "B", "C", "D", "E"), [*row, "1"])
