"""Bodies of answers, as far as they are read. Keys are PascalCase, but for a new meeting's. §1"""

import httpx
import msgspec


class Person(msgspec.Struct, gc=False, rename="pascal"):
    """A user. §8"""

    id: int | None = None
    name: str | None = None


class Basics(msgspec.Struct, gc=False, rename="pascal"):
    """Part of a meeting's own read. §7"""

    name: str | None = None


class Record(msgspec.Struct, rename="pascal"):
    """Any object, as created, read or listed; each has a part of this."""

    id: int | None = None
    meeting_id: int | None = msgspec.field(name="meetingId", default=None)
    name: str | None = None
    details_url: str | None = None
    owner: Person | None = None
    origin_id: int | None = None
    create_time: str | None = None
    close_time: str | None = None
    archived: bool | None = None
    basics: Basics | None = None
    for_week_number: int | None = None

    @property
    def new_id(self) -> int | None:
        """The id in the answer to a create. §4, §5, §6, §7"""
        found = self.id if self.meeting_id is None else self.meeting_id
        return found if found is not None and found > 0 else None


def read_record(response: httpx.Response) -> Record | None:
    """Return the object in ``response``, or ``None`` if there is none that can be read."""
    try:
        return _decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def is_json_text(content: bytes) -> bool:
    """Return whether ``content`` is JSON, whatever its content type says."""
    try:
        _decode_any(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


_decode = msgspec.json.Decoder(Record).decode
_decode_any = msgspec.json.Decoder(msgspec.Raw).decode
decode_rows = msgspec.json.Decoder(list[Record]).decode
