"""Values: numbers are compared by value, dates as instants, and everything else exactly."""

from typing import Any

import pytest

from sluice.destinations.liquid_decisions.values import canonical, digest, has_all

NAMES = ("a",)


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        pytest.param(5, 5.0, id="numbers"),
        pytest.param("2026-01-05T09:30:00+0000", "2026-01-05T10:30:00+01:00", id="instants"),
        pytest.param("2026-01-05T09:30:00Z", 1767605400000, id="an instant as epoch milliseconds"),
        pytest.param([1, {"b": 2.0}], [1.0, {"b": 2}], id="inside of lists and blocks"),
        pytest.param({"b": 1, "c": 2}, {"c": 2, "b": 1}, id="names in another order"),
    ],
)
def test_values_that_are_equal(sent: Any, found: Any) -> None:
    assert canonical(sent) == canonical(found)
    assert digest(NAMES, {"a": sent}) == digest(NAMES, {"a": found})
    assert has_all({"a": sent}, NAMES, {"a": found, "more": 1})


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        pytest.param(True, 1, id="true is no number"),
        pytest.param("5", 5, id="a text is no number"),
        pytest.param("", None, id="empty is not null"),
        pytest.param("A", "a", id="case"),
        pytest.param([1, 2], [2, 1], id="lists in another order"),
        pytest.param(2**53, 2**53 + 1, id="integers past 2^53"),
        pytest.param("2026-01-05T09:30:00 +0000 x", "2026-01-05T09:30:00Z", id="what only looks like a date"),
        pytest.param("2026-13-05T09:30:00+0000", "2026-13-05T09:30:00Z", id="no date"),
    ],
)
def test_values_that_differ(sent: Any, found: Any) -> None:
    assert canonical(sent) != canonical(found)
    assert digest(NAMES, {"a": sent}) != digest(NAMES, {"a": found})
    assert not has_all({"a": sent}, NAMES, {"a": found})


def test_a_field_that_is_absent_is_null() -> None:
    assert digest(("a", "b"), {"a": 1}) == digest(("a", "b"), {"a": 1, "b": None, "c": 3})
    assert has_all({"a": None}, NAMES, {})
