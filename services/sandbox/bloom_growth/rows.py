"""Meetings and their objects as stored. Times are text as on the wire. bloom_growth.md §4–§8."""

from typing import Literal

from sandbox.bloom_growth.records import Row

Compartment = Literal["ShortTerm", "LongTerm"]
MEETING_TODO, PERSONAL_TODO, MILESTONE = 0, 1, 2
"""Values of ``TodoType`` on the wire. §5 [client:other]"""
AT_RISK, ON_TRACK, COMPLETE = 0, 1, 2
"""Values of ``Completion`` on the wire. §6 [client], [client:ruby]"""


class Meeting(Row, array_like=True, kw_only=True, gc=False):
    """A meeting; a deleted one keeps its name, which its objects still show. §13.3 [assumed]"""

    name: str
    organization_id: int
    created_at: str
    starts_at: str
    attendees: list[int]
    is_deleted: bool = False

    def people(self) -> tuple[int, ...]:
        return () if self.is_deleted else tuple(self.attendees)


class Owned(Row, array_like=True, kw_only=True, gc=False):
    """An object with a title and an owner."""

    title: str
    owner_id: int
    created_at: str

    def people(self) -> tuple[int, ...]:
        return (self.owner_id,)


class Noted(Owned, array_like=True, kw_only=True, gc=False):
    """An object with notes, too. They stand in a pad, of which answers show only the address. §4 [client]

    Another text makes another pad (§13.7 [docs]): ``pad`` counts them, and ``noted_at`` is when the last was written.
    """

    notes: str = ""
    pad: int = 0
    noted_at: float = 0.0

    def write_notes(self, notes: str | None, now: float) -> None:
        if notes is not None and notes != self.notes:
            self.notes, self.noted_at = notes, now
            self.pad += 1


class Issue(Noted, array_like=True, kw_only=True, gc=False):
    """An issue of one meeting. §4"""

    meeting_id: int
    solved_at: str | None = None
    compartment: Compartment = "ShortTerm"

    @property
    def is_archived(self) -> bool:
        """Return whether it is a long-term issue. §15 [SDK's v2 guide, for v1 assumed alike]"""
        return self.compartment == "LongTerm"

    def meetings(self) -> tuple[int, ...]:
        return (self.meeting_id,)


class Todo(Noted, array_like=True, kw_only=True, gc=False):
    """A todo. Completing it does not close it; nothing in v1 does. §5 [client], [assumed]"""

    kind: int
    meeting_id: int | None
    due_at: str
    completed_at: str | None = None
    closed_at: str | None = None

    def meetings(self) -> tuple[int, ...]:
        return () if self.meeting_id is None else (self.meeting_id,)


class Goal(Owned, array_like=True, kw_only=True, gc=False):
    """A goal, a "rock" on the wire, in any number of meetings. §6

    Archiving detaches it from its ``origins``, which are kept for restoring. §15 [SDK's v2 guide, for v1 assumed alike]
    """

    due_at: str
    origins: list[int]
    completion: int = ON_TRACK
    is_archived: bool = False

    def meetings(self) -> tuple[int, ...]:
        return tuple(self.origins)


class Headline(Noted, array_like=True, kw_only=True, gc=False):
    """A headline of one meeting. §8"""

    meeting_id: int

    def meetings(self) -> tuple[int, ...]:
        return (self.meeting_id,)


class Measurable(Owned, array_like=True, kw_only=True, gc=False):
    """A number that a meeting reviews each week: ``scores`` by week, each with its time of entry. §7, §8"""

    meeting_id: int
    target: int | float | None
    modifiers: str
    direction: str
    scores: dict[int, tuple[int | float, str]]

    def meetings(self) -> tuple[int, ...]:
        return (self.meeting_id,)
