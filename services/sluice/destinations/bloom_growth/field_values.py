"""Values of a record's fields, checked, as the wire has them. Readers raise ``Rejection``, which names the field."""

import re
from datetime import datetime
from typing import Any, NoReturn

from msgspec import Raw

from sluice.destinations.contract import Rejection

MAX_ID = 2**63 - 1
"""Ids are 64-bit and above 0. §1 [docs:ref], [test:live]"""
STATUSES = {"on": "OnTrack", "off": "AtRisk", "complete": "Complete"}
"""A goal's status, by the SDK's word. §6 [client], [docs:ref]"""


def read_title(name: str, value: Any) -> str:
    """Return a text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        reject_value(name, "a text that is not blank", value)
    return value


def read_text(name: str, value: Any) -> str:
    """Return a text, which may be empty."""
    if not isinstance(value, str):
        reject_value(name, "a text", value)
    return value


def read_id(name: str, value: Any) -> int:
    """Return an id, given as a number or as its digits."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value):
        value = int(value)
    if type(value) is not int or not 0 < value <= MAX_ID:
        reject_value(name, "an id, a whole number above 0", value)
    return value


def read_ids(name: str, value: Any) -> tuple[int, ...]:
    """Return ids in their order, each once."""
    if not isinstance(value, list):
        reject_value(name, "a list of user ids", value)
    return tuple(dict.fromkeys(read_id(name, one) for one in value))


def read_flag(name: str, value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        reject_value(name, "true or false", value)
    return value


def read_date(name: str, value: Any) -> str:
    """Return a day or an instant as it was given. §1 [docs:guide], [client:other]"""
    try:
        datetime.fromisoformat(value)
    except (ValueError, TypeError):
        reject_value(name, "a date such as 2026-01-31, or an ISO 8601 instant", value)
    if not re.match(r"\d{4}-\d\d-\d\d(?:T|$)", value):
        reject_value(name, "a date such as 2026-01-31, or an ISO 8601 instant", value)
    return str(value)


def read_status(name: str, value: Any) -> str:
    """Return a goal's ``completion``."""
    if not isinstance(value, str) or value not in STATUSES:
        reject_value(name, f"one of {', '.join(f'`{word}`' for word in STATUSES)}", value)
    return STATUSES[value]


def read_week(name: str, value: Any) -> int:
    """Return the number of a week, as ``weeks/current`` counts them. §8"""
    if type(value) is not int or value <= 0:
        reject_value(name, "the number of a week as `weeks/current` counts them", value)
    return value


def read_number(name: str, value: Any) -> Raw:
    """Return a number with the digits it was published with."""
    if isinstance(value, Raw):
        return value
    if type(value) is not int:
        reject_value(name, "a number", value)
    return Raw(str(value))


def reject_value(name: str, expected: str, value: Any) -> NoReturn:
    """Raise the ``Rejection`` of a field's value."""
    raise Rejection(
        "bad-value", f"field `{name}`: expected {expected}, got {describe_value(value)}; correct it upstream"
    )


def describe_value(value: object) -> str:
    """Return ``value`` for a message, with at most 40 characters of it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case Raw():
            return bytes(value)[:40].decode("utf-8", "replace")
        case dict():
            return f"an object of {len(value)}"
        case list():
            return f"a list of {len(value)}"
        case _:
            return f"{str(value)[:40]!r}"
