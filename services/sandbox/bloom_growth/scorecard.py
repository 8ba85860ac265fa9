"""Measurables and their scores by week. bloom_growth.md §3 row 33, §7, §8."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import UNSET, UnsetType

from sandbox.bloom_growth.binding import spelling
from sandbox.bloom_growth.call import Call, Written, updated
from sandbox.bloom_growth.instants import instant
from sandbox.bloom_growth.people import UserView
from sandbox.bloom_growth.refusals import Refusal
from sandbox.bloom_growth.rows import Measurable
from sandbox.bloom_growth.tenant import Tenant
from sandbox.bloom_growth.views import ObjectView
from sandbox.bloom_growth.weeks import WeekView, week_name, week_number, week_view

SHOWN_WEEKS = 13
_WEEKS_AHEAD = 53
_WEEK_BITS = 20


class NewScore(msgspec.Struct, kw_only=True, rename=spelling):
    """Body of ``PUT measurables/{id}/week/{weekNumber}``."""

    value: int | float


class MeasurableView(ObjectView, kw_only=True, rename="pascal", gc=False):
    """A measurable as answered. Without a target ``Target`` is absent: null crashes the SDK's parser. §7 [client]"""

    target: int | float | UnsetType | None
    modifiers: str
    direction: str
    owner: UserView


class ScoreView(msgspec.Struct, kw_only=True, rename="pascal", gc=False):
    """One measurable in one week; ``Target`` is nullable. §8 [client], [test:live]

    Its id combines the two: no call takes it [assumed]. ``Week`` is a text; ``ForWeek`` counts as ``ForWeekNumber``
    does, so that the client can compare them [bloomy].
    """

    id: int
    measurable_id: int
    accountable_user_id: int
    measurable_name: str
    target: int | float | None
    measured: int | float | None
    week: str
    for_week: int
    date_entered: str | None


class Scores(msgspec.Struct, kw_only=True, rename="pascal"):
    """A scorecard."""

    scores: list[ScoreView]


class Scorecard:
    """Handlers of measurables, scores and weeks. Measurables are those of the seed."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def current_week(self, call: Call) -> WeekView:
        return week_view(week_number(call.now))

    def measurables(self, call: Call) -> list[MeasurableView]:
        return [self._view(key, row) for key, row in self._of_meeting(call)]

    def of_user(self, call: Call) -> Scores:
        user = self._tenant.people.require(call.number("uid"), call.caller)
        return _scorecard(self._tenant.measurables.of_person(user.id), call.now)

    def of_meeting(self, call: Call) -> Scores:
        return _scorecard(self._of_meeting(call), call.now)

    def score(self, call: Call) -> Written:
        """Enter a score for any week up to a year ahead. [assumed]"""
        key, week, new = call.number(), call.number("week"), call.body(NewScore)
        measurable = self._tenant.find(self._tenant.measurables, key, call.caller)
        if week > week_number(call.now) + _WEEKS_AHEAD:
            raise Refusal(404, f"There is no week {week}.")
        measured, _ = measurable.scores.get(week, (None, ""))
        measurable.scores[week] = (new.value, instant(call.now))
        is_stored = self._tenant.measurables.put(key, measurable)
        return updated(key, differs=is_stored and measured != new.value)

    def _of_meeting(self, call: Call) -> list[tuple[int, Measurable]]:
        meeting_id = call.number("mid")
        self._tenant.meeting(meeting_id, call.caller)
        return self._tenant.measurables.of_meeting(meeting_id)

    def _view(self, key: int, measurable: Measurable) -> MeasurableView:
        return MeasurableView(
            id=key,
            type="AngularMeasurable",
            key=f"AngularMeasurable_{key}",
            name=measurable.title,
            target=UNSET if measurable.target is None else measurable.target,
            modifiers=measurable.modifiers,
            direction=measurable.direction,
            owner=self._tenant.owner(measurable.owner_id),
        )


def _scorecard(rows: Iterable[tuple[int, Measurable]], now: float) -> Scores:
    """Return the last weeks, with a value or without, and every other week that has a value. [assumed]"""
    this_week = week_number(now)
    shown = range(this_week - SHOWN_WEEKS + 1, this_week + 1)
    return Scores(scores=[score for key, row in rows for score in _scores(key, row, shown)])


def _scores(key: int, measurable: Measurable, shown: range) -> Iterator[ScoreView]:
    for week in sorted({*shown, *measurable.scores}):
        measured, entered_at = measurable.scores.get(week, (None, None))
        yield ScoreView(
            id=(key << _WEEK_BITS) + week,
            measurable_id=key,
            accountable_user_id=measurable.owner_id,
            measurable_name=measurable.title,
            target=measurable.target,
            measured=measured,
            week=week_name(week),
            for_week=week,
            date_entered=entered_at,
        )
