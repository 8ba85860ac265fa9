"""Dates that the sandbox computes."""

from datetime import date

import pytest

from sandbox.bloom_growth.instants import end_of_quarter


@pytest.mark.parametrize(
    ("day", "end"),
    [
        pytest.param(date(2026, 1, 5), date(2026, 3, 31), id="§6 example"),
        pytest.param(date(2026, 6, 30), date(2026, 6, 30), id="the last day"),
        pytest.param(date(2026, 10, 1), date(2026, 12, 31), id="the last quarter"),
    ],
)
def test_a_goal_is_due_at_the_end_of_its_quarter(day: date, end: date) -> None:
    assert end_of_quarter(day) == end
