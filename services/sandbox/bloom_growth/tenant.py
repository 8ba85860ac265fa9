"""All objects of the tenant, and the access to them. bloom_growth.md §13."""

from typing import Any, TypeVar

from sandbox.bloom_growth.call import Call
from sandbox.bloom_growth.ids import Ids
from sandbox.bloom_growth.people import Directory, User, UserView, forbidden
from sandbox.bloom_growth.records import Records, Row, StorageLimit
from sandbox.bloom_growth.refusals import Refusal, no_such
from sandbox.bloom_growth.rows import Goal, Headline, Issue, Measurable, Meeting, Noted, Owned, Todo
from sandbox.bloom_growth.settings import Settings

_NO_TITLE = "The request is invalid: title is required."
AnyKind = TypeVar("AnyKind", bound=Row)
Kind = TypeVar("Kind", bound=Owned)


class Tenant:
    """People, meetings and their objects."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.people = Directory()
        self.clear()

    def clear(self) -> None:
        self.storage = StorageLimit(self.settings.max_stored_bytes)
        self.ids = Ids({"meeting": self.settings.meeting_ids, "user": self.settings.user_ids})
        self.meetings = Records("meeting", Meeting, self.storage)
        self.issues = Records("issue", Issue, self.storage)
        self.todos = Records("todo", Todo, self.storage)
        self.goals = Records("goal", Goal, self.storage)
        self.headlines = Records("headline", Headline, self.storage)
        self.measurables = Records("measurable", Measurable, self.storage)
        self.noted: dict[str, Records[Any]] = {one.name: one for one in (self.issues, self.todos, self.headlines)}
        self.records: dict[str, Records[Any]] = {
            **self.noted,
            self.meetings.name: self.meetings,
            self.goals.name: self.goals,
        }

    def add(self, records: Records[AnyKind], row: AnyKind) -> int:
        """Store a new object, and return its id."""
        key = self.ids.next(records.name)
        records.put(key, row)
        return key

    def meeting(self, meeting_id: int, caller: User) -> Meeting:
        """Return a meeting. Raises ``Refusal``: 404 if unknown or deleted, 403 if of another organization."""
        found = self.meetings.get(meeting_id)
        if found is None or found.is_deleted:
            raise no_such("meeting", meeting_id)
        if found.organization_id != caller.organization_id:
            raise forbidden()
        return found

    def delete_meeting(self, meeting_id: int) -> None:
        """Delete a meeting, and leave its objects. §13.3"""
        found = self.meetings.get(meeting_id)
        if found is not None:
            found.is_deleted = True
            self.meetings.put(meeting_id, found)

    def meeting_name(self, meeting_id: int) -> str:
        """Return a meeting's name, also a deleted one's. §13.3"""
        found = self.meetings.get(meeting_id)
        return "" if found is None else found.name

    def find(self, records: Records[Kind], key: int, caller: User) -> Kind:
        """Return an object. Raises ``Refusal`` 404, or 403 when its owner is of another organization."""
        found = records.get(key)
        if found is None:
            raise no_such("object", key)
        if self.people.organization_of(found.owner_id) != caller.organization_id:
            raise forbidden()
        return found

    def find_in(self, meeting_id: int, records: Records[Kind], key: int, caller: User) -> Kind:
        """Return an object of this meeting; an object of another meeting is a 404."""
        self.meeting(meeting_id, caller)
        found = self.find(records, key, caller)
        if meeting_id not in found.meetings():
            raise no_such("object", key)
        return found

    def owner_id(self, named: int | None, caller: User) -> int:
        """Return the owner named in a body, by default the caller (§2). Raises ``Refusal`` if unknown or forbidden."""
        return caller.id if named is None else self.people.require(named, caller).id

    def owner(self, user_id: int) -> UserView:
        return self.people.views[user_id]

    def title(self, text: str | None) -> str:
        """Return a title as it is stored. Raises ``Refusal`` 400 if it is missing, blank, or in strict mode too long.
        §10, §15"""
        if text is None or not text.strip():
            raise Refusal(400, _NO_TITLE)
        stored = " ".join(text.split()) if self.settings.normalizes_titles else text
        longest = self.settings.max_title_chars
        if longest is not None and len(stored) > longest:
            raise Refusal(400, f"The request is invalid: title has {len(stored)} characters, of at most {longest}.")
        return stored

    def pad_url(self, call: Call, records: Records[Any], key: int, row: Noted) -> str:
        """Return the address of an object's pad: by default at the host that the caller has asked."""
        base = self.settings.notes_url or f"http://{call.request.header('host') or 'localhost'}/p"
        return f"{base}/{records.name}-{key}-{row.pad}"
