"""Items on the wire, and outcomes of writing one. liquid_decisions.md §3."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

_ID = "a1{:014x}"
_ID_LENGTH = len(_ID.format(0))


class Item(msgspec.Struct, gc=False):
    """Element of an upsert. Without objects ``headers`` and ``data`` the whole request is malformed. §4 [assumed]"""

    headers: dict[str, Any]
    data: dict[str, Any]


class Outcome(NamedTuple):
    """Outcome of a write. A ``message`` is the reason of a reject; ``effect`` is its ``receiptType`` then."""

    effect: str
    changed: bool = False
    message: str | None = None


class Entry(NamedTuple):
    """Item to write; a ``reject`` given here means that it is not tried."""

    headers: Mapping[str, Any]
    data: dict[str, Any]
    action: object
    reject: Outcome | None = None


def rejected(receipt_type: str, message: str) -> Outcome:
    """Return a reject.

    Receipt types: UnknownType, MissingKey, UnknownAction, InvalidField, DuplicateKey, NotFound. §4 [assumed]
    A record of an import file, which gets no receipt, may also be ``Unreadable``.
    """
    return Outcome(receipt_type, message=message)


def item_id(serial: int) -> str:
    """Return the ``h_id`` of an item. It grows with the serial number, so ids sort by creation. §5 [assumed]"""
    return _ID.format(serial)


def serial_of(h_id: object) -> int | None:
    """Return the serial number in an ``h_id``; null for any other value."""
    if not isinstance(h_id, str) or len(h_id) != _ID_LENGTH:
        return None
    try:
        serial = int(h_id[2:], 16)
    except ValueError:
        return None
    return serial if item_id(serial) == h_id else None


def without_blocks(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields except nested object arrays, which ``faultBlocks`` loads. §6 [docs]"""
    return {name: value for name, value in data.items() if not _is_block(value)}


def _is_block(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)
