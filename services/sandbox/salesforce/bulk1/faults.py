"""Faults that only Bulk API 1.0 has; those that both Bulk APIs have stand in `sandbox.salesforce.faults`."""

from sandbox.faults.fault import Count, Selection
from sandbox.salesforce.bulk1.refusal import ExceptionCode


class RefuseCall(Selection, frozen=True, kw_only=True, tag="refuse_call"):
    """Answers a call with an `exceptionCode` of §3.11, in the job's format; nothing is applied."""

    code: ExceptionCode
    message: str = ""


class SplitResult(Selection, frozen=True, kw_only=True, tag="split_result"):
    """Spreads the result of the query that a batch brings over so many files, each with an id. §3.8 [docs]"""

    files: Count = 2


FAULT_KINDS: tuple[type[Selection], ...] = (RefuseCall, SplitResult)
