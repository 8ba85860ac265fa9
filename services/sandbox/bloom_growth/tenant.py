"""Everything that the tenant holds, and who may reach it. bloom_growth.md §13."""

from typing import TypeVar

from sandbox.bloom_growth.people import Directory, User, UserView, forbidden
from sandbox.bloom_growth.records import Records, Space
from sandbox.bloom_growth.refusals import Refusal, no_such
from sandbox.bloom_growth.rows import Goal, Headline, Issue, Measurable, Meeting, Noted, Owned, Todo
from sandbox.bloom_growth.settings import Settings

_FIRST_ID = 1001
_NO_TITLE = "The request is invalid: title is required."
Kind = TypeVar("Kind", bound=Owned)


class Tenant:
    """People, meetings and what is in them, numbered by one counter (§13.2)."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.people = Directory()
        self.clear()

    def clear(self) -> None:
        self.space = Space(self.settings.max_stored_bytes)
        self.meetings = Records(Meeting, self.space)
        self.issues = Records(Issue, self.space)
        self.todos = Records(Todo, self.space)
        self.goals = Records(Goal, self.space)
        self.headlines = Records(Headline, self.space)
        self.measurables = Records(Measurable, self.space)
        self._last_id = _FIRST_ID - 1

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def meeting(self, meeting_id: int, caller: User) -> Meeting:
        """Raises `Refusal`: 404 for one that is not there or was deleted, 403 for another organization's."""
        found = self.meetings.get(meeting_id)
        if found is None or found.is_deleted:
            raise no_such("meeting", meeting_id)
        if found.organization_id != caller.organization_id:
            raise forbidden()
        return found

    def meeting_name(self, meeting_id: int) -> str:
        """A deleted meeting's too. §13.3"""
        found = self.meetings.get(meeting_id)
        return "" if found is None else found.name

    def find(self, records: Records[Kind], key: int, caller: User) -> Kind:
        """Raises `Refusal` 404, or 403 when its owner is of another organization."""
        found = records.get(key)
        if found is None:
            raise no_such("object", key)
        if self.people.organization_of(found.owner_id) != caller.organization_id:
            raise forbidden()
        return found

    def find_in(self, meeting_id: int, records: Records[Kind], key: int, caller: User) -> Kind:
        """One that is in this meeting; in any other it is a 404."""
        self.meeting(meeting_id, caller)
        found = self.find(records, key, caller)
        if meeting_id not in found.meetings():
            raise no_such("object", key)
        return found

    def owner_id(self, named: int | None, caller: User) -> int:
        """Whom a body names, the caller by default (§2). Raises `Refusal` as people do."""
        return caller.id if named is None else self.people.require(named, caller).id

    def owner(self, user_id: int) -> UserView:
        return self.people.views[user_id]

    def title(self, text: str | None) -> str:
        """A title that may be stored. Raises `Refusal` 400 for none, a blank one, and a long one if strict. §10"""
        if text is None or not text.strip():
            raise Refusal(400, _NO_TITLE)
        longest = self.settings.max_title_chars
        if longest is not None and len(text) > longest:
            raise Refusal(400, f"The request is invalid: title has {len(text)} characters, of at most {longest}.")
        return text

    def pad_url(self, pad: int) -> str:
        return f"{self.settings.notes_url}/{pad}"

    def write_notes(self, row: Noted, notes: str | None) -> None:
        """Another text goes to another pad. §13.7 [docs]"""
        if notes is not None and notes != row.notes:
            row.notes = notes
            row.pad = self.next_id()
