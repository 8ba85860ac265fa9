"""Weeks: ``GET weeks/current``, and the names of weeks in scorecards. bloom_growth.md §8.

Weeks begin on Sunday, 00:00 UTC (§15 [SDK's v2 guide]); week 0 contains 1970-01-01 [assumed].
"""

from datetime import date, timedelta

import msgspec

from sandbox.bloom_growth.instants import midnight, today

_EPOCH_SUNDAY = date(1969, 12, 28)
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
    return (today(seconds) - _EPOCH_SUNDAY).days // _DAYS


def week_name(number: int) -> str:
    """Return ``2026-W02``: a text, whose example is 2024-W25 [bloomy]; the ISO week of its Monday [assumed]."""
    year, week, _ = (_sunday(number) + timedelta(days=1)).isocalendar()
    return f"{year}-W{week:02}"


def week_view(number: int) -> WeekView:
    sunday = _sunday(number)
    return WeekView(
        id=number,
        for_week_number=number,
        local_date={"Date": midnight(sunday)},
        for_week=midnight(sunday + timedelta(days=_DAYS - 1)),
    )


def _sunday(number: int) -> date:
    return _EPOCH_SUNDAY + timedelta(days=_DAYS * number)
