"""Outcomes: what became of one item.

Every item ends in exactly one final fate: delivered, skipped, rejected, ambiguous or cancelled. A retryable one is
tried again until its attempts are used up.
"""

from enum import StrEnum

import msgspec


class Fate(StrEnum):
    """The class of an outcome, which alone decides what happens next."""

    DELIVERED = "delivered"
    SKIPPED = "skipped"  # the vendor had nothing to do
    RETRYABLE = "retryable"  # failed for now
    REJECTED = "rejected"
    AMBIGUOUS = "ambiguous"  # it may or may not have been applied
    CANCELLED = "cancelled"  # a person has ended it before it was applied

    __hash__ = str.__hash__  # Enum's own is Python code, and fates are counted by the million


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The fate of one item, with the vendor's own word for it."""

    fate: Fate
    code: str
    """The vendor's state or error code, verbatim; ours in lower-case-with-dashes if the vendor names none."""
    message: str = ""
    """For people; never branch on it."""
    record_id: str | None = None
    """The vendor's id of the record."""
    http_status: int | None = None
    warning: str | None = None
    """The vendor's objection to an item that it took all the same."""
    uses_attempt: bool = True
    """False for a retryable item that the vendor has not even looked at."""
    may_be_repeated: bool = True
    """False for an ambiguous item of a job that is not sent again although it is safe: others have written since."""
