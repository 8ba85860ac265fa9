"""Messages as a careless upstream system publishes them: straight to Kafka, past everything that would object."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

NOTE = "upstream-note"
"""A header of the upstream system's own: it passes through to the dead letter."""


class BadRecord(NamedTuple):
    """One message that cannot be delivered."""

    note: str
    key: bytes | None
    value: bytes | None

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """Says what is wrong with it, so that the summary can be compared with what Sluice has found."""
        return [(NOTE, self.note.encode())]


def bad_records() -> list[BadRecord]:
    """One of each sort."""
    return [
        BadRecord("a group type the vendor does not have", b"EDDB", _event(object="group/aerodrome", key="EDDB")),
        BadRecord("an upsert that names no airport", None, _event(object="group/airport")),
        BadRecord("JSON that breaks off", b"EHAM", _event(object="group/airport", key="EHAM")[:-40]),
        BadRecord("bytes that are no text", b"LFPG", b"\x93NUMPY\x01\x00v\x00\xff\xfe"),
        BadRecord("a null value", b"LEMD", None),
        BadRecord("an object this vendor does not know", b"LIRF", _event(object="airport", key="LIRF")),
        BadRecord("a value no property can hold", b"EGLL", _event(object="group/airport", key="EGLL", data=_NESTED)),
    ]


_NESTED = {"runways": [{"name": "09L", "length_m": 3902}]}


def _event(**fields: Any) -> bytes:
    event = {"event_id": "legacy-1", "operation": "upsert", "occurred_at": datetime.now(UTC), "data": {"city": "?"}}
    return msgspec.json.encode(event | fields)
