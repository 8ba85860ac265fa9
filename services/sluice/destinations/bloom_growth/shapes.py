"""Table of the objects: the fields that each may have, by the SDK's names, and what can be done to it. §14

A field that is read into ``wire`` stands in a request body under that name; others decide on calls or paths.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from sluice.destinations.bloom_growth.field_values import (
    read_date,
    read_flag,
    read_id,
    read_ids,
    read_number,
    read_status,
    read_text,
    read_title,
    read_week,
)


class Field(NamedTuple):
    """A field of a record."""

    name: str
    read: Callable[[str, Any], Any]
    wire: str = ""
    required: bool = False


class Shape(NamedTuple):
    """The fields of an object; ``None`` where the vendor has no such call."""

    insert: tuple[Field, ...] | None
    update: tuple[Field, ...] | None
    delete: tuple[Field, ...] | None
    fixed: tuple[str, ...] = ()
    """Fields that only an insert may have: the vendor has no call that changes them."""
    finds: bool = False
    """True where an upsert without a key finds its record in the meeting's list."""


TITLE = Field("title", read_title, "title", required=True)
NEW_TITLE = Field("title", read_title, "title")
MEETING = Field("meeting_id", read_id)
ITS_MEETING = Field("meeting_id", read_id, required=True)
OWNER = Field("user_id", read_id, "ownerId")
ASSIGNEE = Field("user_id", read_id, "accountableUserId")
"""Not the SDK's ``ForId``, which the server may ignore. §5"""
NOTES = Field("notes", read_text, "notes")
DUE = Field("due_date", read_date, "dueDate")
COMPLETE = Field("complete", read_flag)
ATTENDEES = Field("attendees", read_ids)

SHAPES: dict[str, Shape] = {
    # §4: the SDK changes title and notes, the reference title and owner.
    "issue": Shape(
        insert=(TITLE, Field("meeting_id", read_id, "meetingId", required=True), OWNER, NOTES),
        update=(NEW_TITLE, NOTES, OWNER, COMPLETE),
        delete=(MEETING,),
        fixed=("meeting_id",),
        finds=True,
    ),
    # §5: assignee and notes cannot be changed, and nothing deletes a todo.
    "todo": Shape(
        insert=(TITLE, MEETING, ASSIGNEE, NOTES, DUE),
        update=(NEW_TITLE, DUE, COMPLETE),
        delete=None,
        fixed=("meeting_id", "user_id", "notes"),
        finds=True,
    ),
    # §6: no due date, status or notes at creation.
    "goal": Shape(
        insert=(TITLE, MEETING, ASSIGNEE),
        update=(NEW_TITLE, ASSIGNEE, Field("status", read_status, "completion"), Field("archived", read_flag)),
        delete=(),
        fixed=("meeting_id",),
        finds=True,
    ),
    # §7
    "meeting": Shape(
        insert=(TITLE, ATTENDEES, Field("add_self", read_flag)),
        update=(NEW_TITLE, ATTENDEES),
        delete=(),
        fixed=("add_self",),
    ),
    "meeting_attendee": Shape(
        insert=(ITS_MEETING, Field("user_id", read_id, required=True)),
        update=None,
        delete=None,
    ),
    # §8
    "headline": Shape(
        insert=(TITLE, ITS_MEETING, OWNER, NOTES),
        update=(NEW_TITLE, OWNER, NOTES),
        delete=(),
        fixed=("meeting_id",),
        finds=True,
    ),
    "measurable": Shape(
        insert=None,
        update=(Field("value", read_number, "value", required=True), Field("week", read_week)),
        delete=None,
    ),
}
