"""Faults that only Salesforce has. Those of rows, batches and jobs meet the request that set them going: 1.0's add
batch, 2.0's PATCH to `UploadComplete` (or its multipart POST), and a query's POST.

A batch is one of Bulk API 1.0, or an internal batch of 10,000 rows of Bulk API 2.0.
"""

from typing import Annotated, Literal

import msgspec

from sandbox.faults.fault import Count, Seconds, Selection

Rows = Annotated[int, msgspec.Meta(ge=0)]


class FailBatch(Selection, frozen=True, kw_only=True, tag="fail_batch"):
    """Fails a batch (1.0) or its job (2.0) after `rows_written` of its rows. §3.10, §4.1: some may be written [docs]"""

    rows_written: Rows = 0
    code: str = "InternalServerError"
    message: str = "An unexpected error occurred"


class LockRows(Selection, frozen=True, kw_only=True, tag="lock_rows"):
    """`rows` of a batch get `UNABLE_TO_LOCK_ROW`, the first ones. §5 [docs]"""

    rows: Count = 1


class RefuseRows(Selection, frozen=True, kw_only=True, tag="refuse_rows"):
    """`rows` of a batch get a status code of §5, the first ones."""

    status_code: str
    message: str = ""
    fields: tuple[str, ...] = ()
    rows: Count = 1


class SlowJob(Selection, frozen=True, kw_only=True, tag="slow_job"):
    """Each phase of a batch (1.0) or job (2.0) takes `phase_s` seconds of the sandbox's clock."""

    phase_s: Seconds


class NearlyUsedUp(Selection, frozen=True, kw_only=True, tag="nearly_used_up"):
    """The day's calls or batches are used up but for so many; the window of 24 hours gives them back. §7"""

    api_requests_left: Rows | None = None
    batches_left: Rows | None = None


class ReformatNumbers(Selection, frozen=True, kw_only=True, tag="reformat_numbers"):
    """2.0 results show `912260031` as `9.12260031E8`. §4.1 [client issue reports]"""


class RefuseLogin(Selection, frozen=True, kw_only=True, tag="refuse_login"):
    """A SOAP login gets this `exceptionCode`; any of §2.1's table.

    A client must take a fault inside a 200 for one, and `sf:INVALID_LOGIN` for `INVALID_LOGIN`. §2.1
    [client sfbulk, simple-salesforce]
    """

    code: str
    message: str = ""
    status: Literal[200, 500] = 500
    prefix: Literal["", "sf:"] = ""


FAULT_KINDS: tuple[type[Selection], ...] = (
    FailBatch,
    LockRows,
    RefuseRows,
    SlowJob,
    NearlyUsedUp,
    ReformatNumbers,
    RefuseLogin,
)
