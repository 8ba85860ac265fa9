"""Errors of single rows, and the outcome that each is. §5

=========================================  ==================================================================
code                                       becomes
=========================================  ==================================================================
one of ``RETRYABLE``                       ``retryable``
a trigger's, about a locked row            ``retryable``
``ENTITY_IS_DELETED`` of a delete          ``skipped``: what it asks for is the case
any other, also one that nobody knows      ``rejected``, with Salesforce's code, words and fields
none, and no success                       ``ambiguous``
=========================================  ==================================================================
"""

from collections.abc import Sequence
from typing import NamedTuple

from sluice.destinations.salesforce.api_names import read_column
from sluice.events import Operation
from sluice.flow.outcome import Fate, Outcome

RETRYABLE = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",  # [docs]
        "TooManyLockFailure",  # [docs]
        "QUERY_TIMEOUT",  # this and what follows: codes [docs], class [assumed]
        "REQUEST_RUNNING_TOO_LONG",
        "SERVER_UNAVAILABLE",
        "UNKNOWN_EXCEPTION",
        "STORAGE_LIMIT_EXCEEDED",  # clears when an administrator makes room
    }
)
WRAPPER = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
"""A trigger or flow failed; the cause stands in its words alone. [issue]"""
LOCKED = "UNABLE_TO_LOCK_ROW"
DELETED = "ENTITY_IS_DELETED"


class RowError(NamedTuple):
    """An error of a row."""

    code: str
    message: str
    fields: Sequence[str] = ()


def read_error(text: str) -> RowError | None:
    """Return the error in ``text``, ``CODE:message:field1,field2 --``; ``None`` where there is none. §3.7 [client]"""
    text = text.strip().removesuffix("--").strip()
    if not text:
        return None
    code, _, rest = text.partition(":")
    message, _, last = rest.rpartition(":")
    fields = tuple(filter(None, map(str.strip, last.split(","))))
    if not all(map(read_column, fields)):  # words: this one has no list of fields
        message, fields = rest, ()
    return RowError(code.strip(), message.strip(), fields)


def failure(operation: Operation, error: RowError | None, record_id: str | None, http_status: int = 200) -> Outcome:
    """Return the outcome of a row without success."""
    if error is None:
        return Outcome(Fate.AMBIGUOUS, "no-error", "its result has neither success nor error", record_id, http_status)
    message = error.message
    if error.fields:
        message = f"{message} (fields: {', '.join(error.fields)})"
    # The one place that looks into words: the wrapper's code says nothing, and either guess by it would be wrong.
    locked = error.code == WRAPPER and LOCKED in error.message
    if locked or error.code in RETRYABLE:
        return Outcome(Fate.RETRYABLE, error.code, message, record_id, http_status)
    if error.code == DELETED and operation in ("delete", "hardDelete"):
        return Outcome(Fate.SKIPPED, error.code, message, record_id)
    return Outcome(Fate.REJECTED, error.code or "no-code", message, record_id, http_status)


def success(record_id: str | None, *, created: bool) -> Outcome:
    """Return the outcome of a row with success, which has no word but the names of the columns that say so. §3.7"""
    return Outcome(Fate.DELIVERED, "Created" if created else "Success", "", record_id)
