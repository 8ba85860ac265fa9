"""Writing of the seed's meetings and their objects, all created 60 days ago."""

from sandbox.bloom_growth.instants import DAY_S, end_of_quarter, instant, midnight, today
from sandbox.bloom_growth.people import User
from sandbox.bloom_growth.rows import (
    MEETING_TODO,
    MILESTONE,
    PERSONAL_TODO,
    Goal,
    Headline,
    Issue,
    Measurable,
    Meeting,
    Todo,
)
from sandbox.bloom_growth.scorecard import SHOWN_WEEKS
from sandbox.bloom_growth.seed_data import SeedGoal, SeedHeadline, SeedIssue, SeedMeasurable, SeedMeeting, SeedTodo
from sandbox.bloom_growth.tenant import Tenant
from sandbox.bloom_growth.weeks import week_number

_AGE_S = 60 * DAY_S
_WEEK_S = 7 * DAY_S
_DEVIATIONS = (0.4, -0.8, 0.2, 1.0, -0.3, 0.0, -1.0, 0.6, 0.9, -0.5, 0.1, 0.7)
"""Distances of scores from the usual value, week by week, in parts of the measurable's ``spread``."""


class MeetingSeeder:
    """Writer of meetings of ``people``, whom the seed names as owners and attendees."""

    def __init__(self, tenant: Tenant, people: list[User], now: float) -> None:
        self._tenant = tenant
        self._organization_id = people[0].organization_id
        self._ids = {user.name: user.id for user in people}
        self._now = now
        self._since = instant(now - _AGE_S)
        self._yesterday = instant(now - DAY_S)

    def add_meeting(self, seed: SeedMeeting) -> None:
        meeting = Meeting(
            name=seed.name,
            organization_id=self._organization_id,
            created_at=self._since,
            starts_at=instant(self._now - _AGE_S + DAY_S),
            attendees=[self._ids[name] for name in seed.attendees],
        )
        meeting_id = self._tenant.add(self._tenant.meetings, meeting)
        for goal in seed.goals:
            self._add_goal(goal, meeting_id)
        for todo in seed.todos:
            self.add_todo(todo, meeting_id)
        for issue in seed.issues:
            self._add_issue(issue, meeting_id)
        for headline in seed.headlines:
            self._add_headline(headline, meeting_id)
        for measurable in seed.measurables:
            self._add_measurable(measurable, meeting_id)

    def add_todo(self, seed: SeedTodo, meeting_id: int | None) -> None:
        kind = PERSONAL_TODO if meeting_id is None else MEETING_TODO
        todo = Todo(
            title=seed.title,
            owner_id=self._ids[seed.owner],
            created_at=self._since,
            kind=MILESTONE if seed.state == "milestone" else kind,
            meeting_id=meeting_id,
            due_at=midnight(today(self._now + seed.due_days * DAY_S)),
            completed_at=self._yesterday if seed.state in ("done", "closed") else None,
            closed_at=self._yesterday if seed.state == "closed" else None,
        )
        self._tenant.add(self._tenant.todos, todo)

    def _add_goal(self, seed: SeedGoal, meeting_id: int) -> None:
        goal = Goal(
            title=seed.title,
            owner_id=self._ids[seed.owner],
            created_at=self._since,
            due_at=midnight(end_of_quarter(today(self._now))),
            origins=[meeting_id],
            completion=seed.completion,
            is_archived=seed.is_archived,
        )
        self._tenant.add(self._tenant.goals, goal)

    def _add_issue(self, seed: SeedIssue, meeting_id: int) -> None:
        issue = Issue(
            title=seed.title,
            owner_id=self._ids[seed.owner],
            created_at=self._since,
            meeting_id=meeting_id,
            solved_at=self._yesterday if seed.is_solved else None,
        )
        self._tenant.add(self._tenant.issues, issue)

    def _add_headline(self, seed: SeedHeadline, meeting_id: int) -> None:
        headline = Headline(
            title=seed.title,
            owner_id=self._ids[seed.owner],
            created_at=self._since,
            notes=seed.notes,
            meeting_id=meeting_id,
        )
        self._tenant.add(self._tenant.headlines, headline)

    def _add_measurable(self, seed: SeedMeasurable, meeting_id: int) -> None:
        key = self._tenant.ids.next("measurable")
        measurable = Measurable(
            title=seed.title,
            owner_id=self._ids[seed.owner],
            created_at=self._since,
            meeting_id=meeting_id,
            target=seed.usual if seed.has_target else None,
            modifiers=seed.modifiers,
            direction=seed.direction,
            scores=self._scores(key, seed),
        )
        self._tenant.measurables.put(key, measurable)

    def _scores(self, key: int, seed: SeedMeasurable) -> dict[int, tuple[int | float, str]]:
        """Return one score for each week shown except the current one, which is still to be entered."""
        this_week = week_number(self._now)
        return {
            this_week - back: (
                _score(seed, _DEVIATIONS[(key + back) % len(_DEVIATIONS)]),
                instant(self._now - back * _WEEK_S),
            )
            for back in range(1, SHOWN_WEEKS)
        }


def _score(seed: SeedMeasurable, deviation: float) -> int | float:
    """Return an integer if the usual value is one."""
    return round(seed.usual + seed.spread * deviation, None if isinstance(seed.usual, int) else 1)
