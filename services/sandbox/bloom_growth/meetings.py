"""Meetings, "L10" on the wire, and their attendees. bloom_growth.md §3 rows 26–32, §7."""

import msgspec
from msgspec import UNSET, UnsetType

from sandbox.bloom_growth.binding import spelling
from sandbox.bloom_growth.call import Call, Written, updated
from sandbox.bloom_growth.instants import instant
from sandbox.bloom_growth.people import UserView
from sandbox.bloom_growth.rows import Meeting
from sandbox.bloom_growth.tenant import Tenant
from sandbox.bloom_growth.views import NameId, Permission, View

UNTITLED = "New Meeting"


class NewMeeting(msgspec.Struct, kw_only=True, rename=spelling):
    """Body of a create. ``addSelf`` is false unless sent; the SDK sends true. §7 [docs:ref], [client]"""

    title: str | None = None
    add_self: bool = False


class MeetingChange(msgspec.Struct, kw_only=True, rename=spelling):
    """Body of ``PUT L10/{mid}``. Row 28 [docs:ref]"""

    title: str | None = None


class MeetingView(View, kw_only=True, rename="pascal", gc=False):
    """A meeting, without the parts of the reference that no client reads. §7 [client]"""

    create_time: str
    start_date_utc: str
    organization_id: int
    basics: dict[str, str]
    """The meeting's name, as ``Name``."""
    permission: Permission | UnsetType = UNSET


class Meetings:
    """Handlers of rows 26 to 32."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def create(self, call: Call) -> Written:
        """Create a meeting and answer its id alone, in camelCase. §1, §7 [client], [docs:ref], [test:mock]"""
        new = call.body(NewMeeting)
        title = UNTITLED if new.title is None else self._tenant.title(new.title)
        meeting = Meeting(
            name=title,
            organization_id=call.caller.organization_id,
            created_at=instant(call.now),
            starts_at=instant(call.now),
            attendees=[call.caller.id] if new.add_self else [],
        )
        key = self._tenant.add(self._tenant.meetings, meeting)
        return Written(str(key), "CREATED", {"meetingId": key}, title)

    def read(self, call: Call) -> MeetingView:
        """Return a meeting to anyone in its organization, also without attending it [test:live]."""
        key, meeting = call.number("mid"), self._find(call)
        return MeetingView(
            id=key,
            type="AngularRecurrence",
            key=f"AngularRecurrence_{key}",
            create_time=meeting.created_at,
            start_date_utc=meeting.starts_at,
            organization_id=meeting.organization_id,
            basics={"Name": meeting.name},
        )

    def rename(self, call: Call) -> Written:
        key, meeting, change = call.number("mid"), self._find(call), call.body(MeetingChange)
        if change.title is not None:
            meeting.name = self._tenant.title(change.title)
        return updated(key, differs=self._tenant.meetings.put(key, meeting), title=change.title)

    def delete(self, call: Call) -> Written:
        key = call.number("mid")
        self._find(call)
        self._tenant.delete_meeting(key)
        return Written(str(key), "DELETED")

    def add_attendee(self, call: Call) -> Written:
        """Add an attendee; adding one again changes nothing. §7 [assumed]"""
        key, meeting = call.number("mid"), self._find(call)
        user = self._tenant.people.require(call.number("uid"), call.caller)
        is_new = user.id not in meeting.attendees
        if is_new:
            meeting.attendees.append(user.id)
            self._tenant.meetings.put(key, meeting)
        return Written(f"{key}/{user.id}", "CREATED" if is_new else "UNCHANGED")

    def attendees(self, call: Call) -> list[UserView]:
        return [self._tenant.owner(user_id) for user_id in self._find(call).attendees]

    def of_caller(self, call: Call) -> list[NameId]:
        return self._attended_by(call.caller.id)

    def of_user(self, call: Call) -> list[NameId]:
        return self._attended_by(self._tenant.people.require(call.number("uid"), call.caller).id)

    def _find(self, call: Call) -> Meeting:
        return self._tenant.meeting(call.number("mid"), call.caller)

    def _attended_by(self, user_id: int) -> list[NameId]:
        rows = self._tenant.meetings.of_person(user_id)
        return [NameId(id=key, type="NameId", key=f"NameId_{key}", name=meeting.name) for key, meeting in rows]
