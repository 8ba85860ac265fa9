"""Outcomes: what became of one item, with the vendor's own word for it."""

from enum import StrEnum

import msgspec


class Fate(StrEnum):
    """What became of one item."""

    DELIVERED = "delivered"
    SKIPPED = "skipped"  # the vendor had nothing to do
    RETRYABLE = "retryable"
    REJECTED = "rejected"
    AMBIGUOUS = "ambiguous"

    __hash__ = str.__hash__  # Enum's own is Python code, and fates are counted by the million


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The fate of one item, with the vendor's own word for it."""

    fate: Fate
    code: str
    """The vendor's state or error code, verbatim; ours in lower-case-with-dashes where the vendor says nothing."""
    message: str = ""
    record_id: str | None = None
    http_status: int | None = None
    warning: str | None = None
    """What the vendor objected to although it took the item."""
