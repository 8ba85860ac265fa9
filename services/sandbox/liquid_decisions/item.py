"""Items on the wire, and what becomes of one that is written. liquid_decisions.md §3."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

_ID = "a1{:014x}"
_ID_LENGTH = len(_ID.format(0))


class Item(msgspec.Struct, gc=False):
    """One element of an upsert: without object `headers` and `data` the whole request is malformed. §4 [assumed]"""

    headers: dict[str, Any]
    data: dict[str, Any]


class Outcome(NamedTuple):
    """What a write did. A `message` says why the item was rejected; `effect` is its `receiptType` then."""

    effect: str
    changed: bool = False
    message: str | None = None


class Entry(NamedTuple):
    """One item to write; `unfit` is why it is not even tried."""

    headers: Mapping[str, Any]
    data: dict[str, Any]
    action: object
    unfit: Outcome | None = None


CREATED = Outcome("Created", changed=True)
MERGED = Outcome("Merged", changed=True)
REPLACED = Outcome("Replaced", changed=True)
DELETED = Outcome("Deleted", changed=True)
UNCHANGED = Outcome("Unchanged")
ABSENT = Outcome("Absent")


def rejected(receipt_type: str, message: str) -> Outcome:
    """The receipt types: UnknownType, MissingKey, UnknownAction, InvalidField, DuplicateKey, NotFound. §4 [assumed]

    A record of an import file, which gets no receipt, may also be `Unreadable`.
    """
    return Outcome(receipt_type, message=message)


def item_id(serial: int) -> str:
    """The `h_id` of an item: grows with its serial number, so that ids sort by creation. §5 [assumed]"""
    return _ID.format(serial)


def serial_of(h_id: object) -> int | None:
    """The serial number in an `h_id`; null for what is none."""
    if not isinstance(h_id, str) or len(h_id) != _ID_LENGTH:
        return None
    try:
        serial = int(h_id[2:], 16)
    except ValueError:
        return None
    return serial if item_id(serial) == h_id else None


def without_blocks(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields but for nested object arrays. §6 [docs]: `faultBlocks` loads them"""
    return {name: value for name, value in data.items() if not _is_block(value)}


def _is_block(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)
