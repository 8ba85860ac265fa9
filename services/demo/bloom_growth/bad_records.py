"""Records of a careless upstream system: two that Bloom Growth refuses, others that never get so far."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from demo.bloom_growth.vulnerabilities import title
from demo.upstream import BadRecord

VENDOR = "Samsung"
"""The one whose meeting names somebody who is nobody; no other meeting is about it."""
NOBODY = 1


def bad_records(meeting_id: str, attendees: Sequence[int]) -> list[BadRecord]:
    """Return one record of each kind of fault; ``meeting_id`` is a meeting that is there."""
    meeting = {"title": title(VENDOR), "attendees": [*attendees, NOBODY]}
    in_meeting = {"title": "Patch it", "meeting_id": meeting_id}
    return [
        # Bloom Growth refuses a call.
        _record("an attendee who is nobody", title(VENDOR), object="meeting", data=meeting),
        _record("an issue of a meeting that is not there", "1", object="issue", data={**in_meeting, "meeting_id": 1}),
        # The kind sees it by itself.
        _record("an issue with a blank title", meeting_id, object="issue", data={**in_meeting, "title": " "}),
        _record("a to-do that is due some time", meeting_id, object="todo", data={**in_meeting, "due_date": "Friday"}),
        _record("a field of another name", meeting_id, object="issue", data={**in_meeting, "user": attendees[0]}),
        _record("a new issue that brings its own id", meeting_id, object="issue", key="7001", data=in_meeting),
        _record("a to-do to delete", meeting_id, object="todo", operation="delete", key="7001", data={}),
        _record(
            "a goal whose status is a colour", "1", object="goal", operation="update", key="1", data={"status": "red"}
        ),
        _record("an object of an old release", meeting_id, object="rock", data=in_meeting),
        BadRecord("JSON that breaks off", meeting_id.encode(), _event(object="issue", data=in_meeting)[:-30]),
    ]


def _record(note: str, message_key: str, **fields: Any) -> BadRecord:
    return BadRecord(note, message_key.encode(), _event(**fields))


def _event(**fields: Any) -> bytes:
    event = {"event_id": "legacy-1", "operation": "insert", "occurred_at": datetime.now(UTC)}
    return msgspec.json.encode(event | fields)
