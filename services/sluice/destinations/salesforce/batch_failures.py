"""The end of a batch of Bulk API 1.0 that failed before its first record: whose fault it is. §3.10, §12

The vendor's words begin with a code: ``InvalidBatch : Field name not found : Foo``. The code decides.
"""

import re

from sluice.destinations.contract import Refused
from sluice.destinations.salesforce.vendor_errors import fold
from sluice.destinations.vendor_jobs import Over
from sluice.flow.outcome import Fate, Outcome

_TRANSIENT = {
    fold(code)
    for code in (
        "Timeout",
        "TooManyLockFailure",
        "InternalServerError",
        "Unknown",
        "ExceededQuota",
        "UNABLE_TO_LOCK_ROW",
        "QUERY_TIMEOUT",
        "REQUEST_RUNNING_TOO_LONG",
        "SERVER_UNAVAILABLE",
        "UNKNOWN_EXCEPTION",
    )
}
"""Codes whose cause is not in the records. §3.11, §5, §12"""


def failure_of(over: Over) -> Outcome | Refused:
    """Return the outcome of all its records, or the refusal of the batch if one of its records is the cause.

    A failure that passes uses up an attempt, though nothing was written: a batch that always takes too long would
    otherwise go round for ever.
    """
    code = _code_of(over.message)
    if not code or fold(code) in _TRANSIENT:
        return Outcome(Fate.RETRYABLE, code or over.word, over.message)
    return Refused(code, f"Salesforce went through no record of the batch: {over.message}")


def _code_of(message: str) -> str:
    """Return the code at the start of ``message``; empty if it has none."""
    found = re.match(r"\s*([A-Za-z_]{3,60})\s*(:|$)", message)
    return found[1] if found else ""
