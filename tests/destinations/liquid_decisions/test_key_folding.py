"""Key folding: what may be one key at the vendor is one; what cannot be stays two."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.destinations.liquid_decisions.key_folding import fold_key, fold_text, fold_value, identity_of


@pytest.mark.parametrize(
    ("texts", "folded"),
    [
        pytest.param(["5", "5.0", "05", "+5", " 5 ", "5."], "5", id="a number"),
        pytest.param(["1.5", "1.50", "01.5"], "1.5", id="a fraction"),
        pytest.param(["-2", "-2.00"], "-2", id="less than nothing"),
        pytest.param(["0", "-0", "00", "0.0"], "0", id="nothing"),
        pytest.param(["Abc", "abc", " ABC\t"], "abc", id="case and blanks"),
        pytest.param(["Straße", "STRASSE"], "strasse", id="letters of two sizes"),
        pytest.param(["1.2.3"], "1.2.3", id="a version is no number"),
        pytest.param(["a1"], "a1", id="a name that ends in a digit"),
        pytest.param(["٣"], "٣", id="digits of other scripts"),
    ],
)
def test_texts_that_may_be_one_key(texts: list[str], folded: str) -> None:
    assert {fold_text(text) for text in texts} == {folded}


@pytest.mark.parametrize(
    ("value", "folded"),
    [(5, "5"), (5.0, "5"), ("5", "5"), (2**60, str(2**60)), (True, None), (None, None), ("", None), (" ", None)],
)
def test_values_of_key_fields(value: Any, folded: str | None) -> None:
    assert fold_value(value) == folded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(b"Abc", b" ABC ", id="texts"),
        pytest.param(b'{"lineNumber":"05","orderId":"X"}', b'{"orderId": "x", "lineNumber": 5.0}', id="several fields"),
        pytest.param(b'[{"a":"X"}]', b'[{"a":"x"}]', id="alternatives"),
    ],
)
def test_ordering_keys_that_may_be_one(one: bytes, other: bytes) -> None:
    assert fold_key(one) == fold_key(other)


@given(st.binary(max_size=30))
def test_any_bytes_can_be_folded_and_twice_is_as_once(key: bytes) -> None:
    assert fold_key(fold_key(key)) == fold_key(key)


def test_types_and_fields_tell_keys_apart() -> None:
    names = [identity_of("A", ["b"]), identity_of("A", ["b", "c"]), identity_of("Ab", [""]), identity_of("B", ["b"])]
    assert len(set(names)) == 4
