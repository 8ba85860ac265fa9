"""Titles in the form that all stored forms of them share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.destinations.bloom_growth.assumptions import MIN_CUT_CHARS
from sluice.destinations.bloom_growth.titles import fold, may_be_cut

LONG = "Freight costs rose by nine percent again, and nobody knows why " * 4


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        pytest.param("Late trucks", "  Late\t trucks\n", id="blanks"),
        pytest.param("A &amp; B &lt;3", "A & B <3", id="escaped"),
        pytest.param("A &amp;amp; B", "A &amp; B", id="escaped what was escaped"),
        pytest.param("Caf\u00e9", "Cafe\u0301", id="composed"),
        pytest.param("a\u00a0b", "a b", id="a blank that does not break"),
    ],
)
def test_stored_forms_of_a_title_fold_alike(stored: str, sent: str) -> None:
    assert fold(stored) == fold(sent)


@pytest.mark.parametrize("other", ["late trucks", "Late truck", "Late trucks!"])
def test_other_titles_fold_otherwise(other: str) -> None:
    assert fold(other) != fold("Late trucks")


@given(st.text())
def test_folding_twice_changes_nothing(title: str) -> None:
    assert fold(fold(title)) == fold(title) or "&" in title


@pytest.mark.parametrize(
    ("stored", "is_cut"),
    [
        pytest.param(LONG[:200], True, id="cut"),
        pytest.param(f"{LONG[:200]}…", True, id="cut with an ellipsis"),
        pytest.param(f"{LONG[:200]}...", True, id="cut with three dots"),
        pytest.param(LONG[: MIN_CUT_CHARS - 1].strip(), False, id="too short for a cut"),
        pytest.param(LONG.strip(), False, id="whole"),
        pytest.param(LONG[1:200], False, id="another beginning"),
    ],
)
def test_a_beginning_may_be_what_a_server_has_left(stored: str, is_cut: bool) -> None:
    assert may_be_cut(stored, LONG.strip()) == is_cut
