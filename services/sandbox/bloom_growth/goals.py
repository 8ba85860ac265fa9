"""Goals, "rocks" on the wire. bloom_growth.md §3 rows 17–25, §6."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from sandbox.bloom_growth.binding import spelling
from sandbox.bloom_growth.call import Call, Id, Written, updated
from sandbox.bloom_growth.instants import end_of_quarter, instant, midnight, today
from sandbox.bloom_growth.people import UserView
from sandbox.bloom_growth.rows import AT_RISK, COMPLETE, ON_TRACK, Goal
from sandbox.bloom_growth.tenant import Tenant
from sandbox.bloom_growth.views import ObjectView, Origin

_COMPLETIONS = {"AtRisk": AT_RISK, "OnTrack": ON_TRACK, "Complete": COMPLETE}


class NewGoal(msgspec.Struct, kw_only=True, rename=spelling):
    """Body of a create. It has no due date, status or notes. §6 [client], [docs:ref]"""

    title: str | None = None
    accountable_user_id: Id | None = None


class GoalChange(msgspec.Struct, kw_only=True, rename=spelling):
    """Body of an update. ``completion`` is written by name, read as a number. §6 [client], [docs:ref], [test:live]"""

    title: str | None = None
    accountable_user_id: Id | None = None
    completion: Literal["OnTrack", "AtRisk", "Complete"] | None = None


class GoalView(ObjectView, kw_only=True, rename="pascal", gc=False):
    """A goal as answered. Creates, and reads that ask for them, include ``Origins``. §6 [docs:ref], [test:ruby]"""

    create_time: str
    due_date: str
    complete: bool
    completion: int
    archived: bool
    owner: UserView
    origins: list[Origin] | UnsetType


class Goals:
    """Handlers of rows 17 to 25."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def create_in_meeting(self, call: Call) -> Written:
        new, meeting_id = call.body(NewGoal), call.number("mid")
        title = self._tenant.title(new.title)
        self._tenant.meeting(meeting_id, call.caller)
        return self._create(call, new, title, [meeting_id])

    def create(self, call: Call) -> Written:
        new = call.body(NewGoal)
        return self._create(call, new, self._tenant.title(new.title), [])

    def read(self, call: Call) -> GoalView:
        return self._view(call.number(), self._find(call), with_origins=call.flag("include_origin"))

    def update(self, call: Call) -> Written:
        key, goal, change = call.number(), self._find(call), call.body(GoalChange)
        if change.title is not None:
            goal.title = self._tenant.title(change.title)
        if change.accountable_user_id is not None or self._tenant.settings.reassigns_goals:
            goal.owner_id = self._tenant.owner_id(change.accountable_user_id, call.caller)
        if change.completion is not None:
            goal.completion = _COMPLETIONS[change.completion]
        return self._put(key, goal, change.title)

    def archive(self, call: Call) -> Written:
        return self._set_archived(call, to=True)

    def restore(self, call: Call) -> Written:
        return self._set_archived(call, to=False)

    def delete(self, call: Call) -> Written:
        key = call.number()
        self._find(call)
        self._tenant.goals.remove(key)
        return Written(str(key), "DELETED")

    def active_of_user(self, call: Call) -> list[GoalView]:
        return self._of_user(call, are_archived=False)

    def archived_of_user(self, call: Call) -> list[GoalView]:
        return self._of_user(call, are_archived=True)

    def of_meeting(self, call: Call) -> list[GoalView]:
        meeting_id, with_archived = call.number("mid"), call.flag("include_archive")
        with_origins = call.flag("include_origin")
        self._tenant.meeting(meeting_id, call.caller)
        rows = self._tenant.goals.of_meeting(meeting_id)
        return [
            self._view(key, goal, with_origins=with_origins)
            for key, goal in rows
            if with_archived or not goal.is_archived
        ]

    def attach(self, call: Call) -> Written:
        """Add a goal to one more meeting; adding it again changes nothing. Row 25 [docs:ref]"""
        key, meeting_id, goal = call.number(), call.number("mid"), self._find(call)
        self._tenant.meeting(meeting_id, call.caller)
        goal.origins = list(dict.fromkeys([*goal.origins, meeting_id]))
        return self._put(key, goal)

    def detach(self, call: Call) -> Written:
        key, meeting_id = call.number(), call.number("mid")
        goal = self._tenant.find_in(meeting_id, self._tenant.goals, key, call.caller)
        goal.origins = [origin for origin in goal.origins if origin != meeting_id]
        return self._put(key, goal)

    def _create(self, call: Call, new: NewGoal, title: str, origins: list[int]) -> Written:
        owner_id = self._tenant.owner_id(new.accountable_user_id, call.caller)
        goal = Goal(
            title=title,
            owner_id=owner_id,
            created_at=instant(call.now),
            due_at=midnight(end_of_quarter(today(call.now))),
            origins=origins,
        )
        key = self._tenant.add(self._tenant.goals, goal)
        return Written(str(key), "CREATED", self._view(key, goal, with_origins=True), title)

    def _find(self, call: Call) -> Goal:
        return self._tenant.find(self._tenant.goals, call.number(), call.caller)

    def _put(self, key: int, goal: Goal, title: str | None = None) -> Written:
        return updated(key, differs=self._tenant.goals.put(key, goal), title=title)

    def _set_archived(self, call: Call, *, to: bool) -> Written:
        key, goal = call.number(), self._find(call)
        goal.is_archived = to
        return self._put(key, goal)

    def _of_user(self, call: Call, *, are_archived: bool) -> list[GoalView]:
        user = self._tenant.people.require(call.number("uid"), call.caller)
        with_origins = call.flag("include_origin")
        rows = self._tenant.goals.of_person(user.id)
        return [
            self._view(key, goal, with_origins=with_origins) for key, goal in rows if goal.is_archived == are_archived
        ]

    def _view(self, key: int, goal: Goal, *, with_origins: bool) -> GoalView:
        name, attached = self._tenant.meeting_name, [] if goal.is_archived else goal.origins
        return GoalView(
            id=key,
            type="AngularRock",
            key=f"AngularRock_{key}",
            name=goal.title,
            create_time=goal.created_at,
            due_date=goal.due_at,
            complete=goal.completion == COMPLETE,
            completion=goal.completion,
            archived=goal.is_archived,
            owner=self._tenant.owner(goal.owner_id),
            origins=[Origin(id=one, name=name(one)) for one in attached] if with_origins else UNSET,
        )
