"""Faults that only Bulk API 1.0 has; faults of both Bulk APIs stand in ``sandbox.salesforce.faults``."""

from sandbox.faults.fault import Count, Selection
from sandbox.salesforce.bulk1.refusal import ExceptionCode


class RefuseCall(Selection, frozen=True, kw_only=True, tag="refuse_call"):
    """``exceptionCode`` of §3.11 as the answer to a call, in the job's format; nothing is applied."""

    code: ExceptionCode
    message: str = ""


class SplitResult(Selection, frozen=True, kw_only=True, tag="split_result"):
    """Number of files, each with an id, that a query batch's result is spread over. §3.8 [docs]"""

    files: Count = 2


FAULT_KINDS: tuple[type[Selection], ...] = (RefuseCall, SplitResult)
