"""Bad messages of a careless upstream system, which writes to Kafka past every check of Sluice's publisher."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

NOTE = "upstream-note"
"""A header that the upstream system adds; the dead letter keeps it."""


class BadRecord(NamedTuple):
    """One message that cannot be delivered."""

    note: str
    key: bytes | None
    value: bytes | None

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """The header that says what is wrong, to be compared with what Sluice finds."""
        return [(NOTE, self.note.encode())]


def bad_records() -> list[BadRecord]:
    """Return one record of each kind of fault."""
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
