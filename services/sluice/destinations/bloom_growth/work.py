"""The work that a record is: everything that its calls need, encoded once and carried as the item's body."""

from collections.abc import Callable

import msgspec
from msgspec import Raw


class Create(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="create"):
    """A new record, by one call that must not be repeated; a meeting has its attendees added by further ones."""

    object: str
    path: str
    body: Raw
    title: str
    meeting_id: int | None = None
    owner_id: int | None = None
    attendees: tuple[int, ...] = ()
    is_listed: bool = True
    """False for a meeting that its creator does not attend: nobody's list shows it. §7 [test:live]"""


class Update(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="update"):
    """Changes to a record that exists: its fields first, then its state, then its attendees. Each may be absent."""

    object: str
    id: int
    fields: Raw = Raw()
    names: tuple[str, ...] = ()
    """The fields by their names in the record, for messages."""
    keeps_owner: bool = False
    """The owner must be sent along, and is not in ``fields``. §6, owner hazard"""
    complete: bool | None = None
    archived: bool | None = None
    attendees: tuple[int, ...] = ()


class Upsert(msgspec.Struct, frozen=True, array_like=True, tag="upsert"):
    """A record that is found by its meeting, title and owner, else made. §14"""

    create: Create
    fields: Raw
    names: tuple[str, ...]
    dropped: tuple[str, ...] = ()
    """Fields that cannot be changed in a record that exists."""


class Delete(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="delete"):
    """The removal of a record."""

    object: str
    id: int
    meeting_id: int | None = None


class Attend(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="attend"):
    """One attendee more of a meeting."""

    meeting_id: int
    user_id: int


class Score(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="score"):
    """The value of a measurable in a week; without one in the vendor's current week."""

    id: int
    body: Raw
    week: int | None = None


Work = Create | Update | Upsert | Delete | Attend | Score

encode_work = msgspec.json.Encoder().encode
decode_work: Callable[[bytes], Work] = msgspec.json.Decoder(Work).decode
