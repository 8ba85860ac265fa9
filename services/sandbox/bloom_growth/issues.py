"""Issues. bloom_growth.md §3 rows 1–8, §4."""

import msgspec

from sandbox.bloom_growth.binding import spelling
from sandbox.bloom_growth.call import Call, Id, Written, updated
from sandbox.bloom_growth.instants import instant
from sandbox.bloom_growth.people import UserView
from sandbox.bloom_growth.rows import Compartment, Issue
from sandbox.bloom_growth.tenant import Tenant
from sandbox.bloom_growth.views import ObjectView


class IssueInMeeting(msgspec.Struct, kw_only=True, rename=spelling):
    """Body of ``POST L10/{mid}/issues``, where notes are ``details``. Row 2 [docs:ref]"""

    title: str | None = None
    owner_id: Id | None = None
    notes: str | None = None
    details: str | None = None


class NewIssue(IssueInMeeting, kw_only=True, rename=spelling):
    """Body of ``POST issues/create``. §4 [client], [docs:ref]"""

    meeting_id: Id


class IssueChange(msgspec.Struct, kw_only=True, rename=spelling):
    """Body of an update: the fields of the SDK and of the reference together. §4 [client], [docs:ref]"""

    title: str | None = None
    notes: str | None = None
    owner_id: Id | None = None
    compartment: Compartment | None = None


class Solved(msgspec.Struct, kw_only=True, rename=spelling):
    """Body of ``POST issues/{id}/complete``."""

    complete: bool


class IssueView(ObjectView, kw_only=True, rename="pascal", gc=False):
    """An issue as answered. The SDK fails after the commit unless ``Origin``, ``Name`` and ``DetailsUrl`` are strings.
    §4 [client], [test:mock]

    ``CompleteTime`` is optional there; here it equals ``CloseTime``.
    """

    details_url: str | None
    create_time: str
    close_time: str | None
    complete_time: str | None
    complete: bool
    archived: bool
    origin_id: int
    origin: str
    owner: UserView


class Issues:
    """Handlers of rows 1 to 8."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def create(self, call: Call) -> Written:
        new = call.body(NewIssue)
        return self._create(call, new, new.meeting_id)

    def create_in_meeting(self, call: Call) -> Written:
        return self._create(call, call.body(IssueInMeeting), call.number("mid"))

    def read(self, call: Call) -> IssueView:
        return self._view(call, call.number(), self._find(call))

    def update(self, call: Call) -> Written:
        key, issue, change = call.number(), self._find(call), call.body(IssueChange)
        if change.title is not None:
            issue.title = self._tenant.title(change.title)
        if change.owner_id is not None:
            issue.owner_id = self._tenant.owner_id(change.owner_id, call.caller)
        issue.compartment = change.compartment or issue.compartment
        issue.write_notes(change.notes, call.now)
        return updated(key, differs=self._tenant.issues.put(key, issue), title=change.title)

    def complete(self, call: Call) -> Written:
        """Set or clear ``CloseTime`` [test:live]; an issue that is already solved keeps its own.

        It has no effect on an archived issue. §15 [SDK's v2 guide, for v1 assumed alike]
        """
        key, issue, solved = call.number(), self._find(call), call.body(Solved)
        if not issue.is_archived and solved.complete != (issue.solved_at is not None):
            issue.solved_at = instant(call.now) if solved.complete else None
        return updated(key, differs=self._tenant.issues.put(key, issue))

    def delete(self, call: Call) -> Written:
        key = call.number()
        self._tenant.find_in(call.number("mid"), self._tenant.issues, key, call.caller)
        self._tenant.issues.remove(key)
        return Written(str(key), "DELETED")

    def of_caller(self, call: Call) -> list[IssueView]:
        return self._open_of(call, call.caller.id)

    def of_user(self, call: Call) -> list[IssueView]:
        return self._open_of(call, self._tenant.people.require(call.number("uid"), call.caller).id)

    def of_meeting(self, call: Call) -> list[IssueView]:
        """List the open issues; with ``include_resolved`` the solved ones too. Row 8 [docs:ref]"""
        meeting_id, with_solved = call.number("mid"), call.flag("include_resolved")
        self._tenant.meeting(meeting_id, call.caller)
        rows = self._tenant.issues.of_meeting(meeting_id)
        return [self._view(call, key, issue) for key, issue in rows if with_solved or issue.solved_at is None]

    def _create(self, call: Call, new: IssueInMeeting, meeting_id: int) -> Written:
        title = self._tenant.title(new.title)
        self._tenant.meeting(meeting_id, call.caller)
        owner_id = self._tenant.owner_id(new.owner_id, call.caller)
        issue = Issue(
            title=title,
            owner_id=owner_id,
            created_at=instant(call.now),
            notes=new.notes or new.details or "",
            noted_at=call.now,
            meeting_id=meeting_id,
        )
        key = self._tenant.add(self._tenant.issues, issue)
        return Written(str(key), "CREATED", self._view(call, key, issue), title)

    def _find(self, call: Call) -> Issue:
        return self._tenant.find(self._tenant.issues, call.number(), call.caller)

    def _open_of(self, call: Call, user_id: int) -> list[IssueView]:
        rows = self._tenant.issues.of_person(user_id)
        return [self._view(call, key, issue) for key, issue in rows if issue.solved_at is None]

    def _view(self, call: Call, key: int, issue: Issue) -> IssueView:
        return IssueView(
            id=key,
            type="AngularIssue",
            key=f"AngularIssue_{key}",
            name=issue.title,
            details_url=self._tenant.pad_url(call, self._tenant.issues, key, issue),
            create_time=issue.created_at,
            close_time=issue.solved_at,
            complete_time=issue.solved_at,
            complete=issue.solved_at is not None,
            archived=issue.is_archived,
            origin_id=issue.meeting_id,
            origin=self._tenant.meeting_name(issue.meeting_id),
            owner=self._tenant.owner(issue.owner_id),
        )
