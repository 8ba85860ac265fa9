"""Weeks as in bloom_growth.md §8."""

from datetime import datetime

import pytest

from sandbox.bloom_growth.instants import instant
from sandbox.bloom_growth.weeks import week_name, week_number, week_view
from tests.sandbox.bloom_growth.tenants import BloomTenant


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def test_the_current_week_has_dates_with_a_t(bloom: BloomTenant) -> None:
    """§8 [test:live]."""
    week = await bloom.get("weeks/current")
    assert list(week) == ["Id", "ForWeekNumber", "LocalDate", "ForWeek"]
    assert "T" in week["LocalDate"]["Date"]
    assert "T" in week["ForWeek"]


@pytest.mark.parametrize(
    ("at", "sunday", "name"),
    [
        pytest.param("2026-01-04T00:00:00Z", "2026-01-04T00:00:00Z", "2026-W02", id="§15 its first second"),
        pytest.param("2026-01-10T23:59:59Z", "2026-01-04T00:00:00Z", "2026-W02", id="§15 its last second"),
        pytest.param("2027-01-01T12:00:00Z", "2026-12-27T00:00:00Z", "2026-W53", id="across years"),
    ],
)
def test_weeks_begin_on_sunday(at: str, sunday: str, name: str) -> None:
    number = week_number(_at(at))
    assert (week_view(number).local_date["Date"], week_name(number)) == (sunday, name)
    assert instant(_at(at)) == at
