"""Weeks: ``GET weeks/current``, and the names of weeks in scorecards. bloom_growth.md §8.

Week 0 contains 1970-01-01; weeks begin on Monday. [assumed]
"""

from datetime import date, timedelta

import msgspec

from sandbox.bloom_growth.instants import midnight, today

_EPOCH_MONDAY = date(1969, 12, 29)
_DAYS = 7


class WeekView(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A week as answered. Live, both dates have a ``T``. [client], [test:live]"""

    id: int
    for_week_number: int
    local_date: dict[str, str]
    """The week's first day, as ``Date``."""
    for_week: str
    """The week's last day. [assumed]"""


def week_number(seconds: float) -> int:
    return (today(seconds) - _EPOCH_MONDAY).days // _DAYS


def week_name(number: int) -> str:
    """Return ``2026-W02``: a text, whose example is 2024-W25 [bloomy]; weeks as in ISO 8601 [assumed]."""
    year, week, _ = _monday(number).isocalendar()
    return f"{year}-W{week:02}"


def week_view(number: int) -> WeekView:
    monday = _monday(number)
    return WeekView(
        id=number,
        for_week_number=number,
        local_date={"Date": midnight(monday)},
        for_week=midnight(monday + timedelta(days=_DAYS - 1)),
    )


def _monday(number: int) -> date:
    return _EPOCH_MONDAY + timedelta(days=_DAYS * number)
