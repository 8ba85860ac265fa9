"""Faults that only Salesforce has.

Faults of rows, batches and jobs match the request that starts the work: add batch in 1.0, the PATCH to
``UploadComplete`` (or the multipart POST) in 2.0, and the POST of a query. A batch is one of Bulk API 1.0, or an
internal batch of 10,000 rows of Bulk API 2.0.
"""

from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from sandbox.faults.fault import Count, Seconds, Selection

Rows = Annotated[int, msgspec.Meta(ge=0)]


class FailBatch(Selection, frozen=True, kw_only=True, tag="fail_batch"):
    """Failure of a batch (1.0) or its job (2.0) after ``rows_written`` of its rows. §3.10, §4.1 [docs]"""

    rows_written: Rows = 0
    code: str = "InternalServerError"
    message: str = "An unexpected error occurred"


class LockRows(Selection, frozen=True, kw_only=True, tag="lock_rows"):
    """``UNABLE_TO_LOCK_ROW`` for the first ``rows`` of a batch. §5 [docs]"""

    rows: Count = 1


class LockParents(Selection, frozen=True, kw_only=True, tag="lock_parents"):
    """``UNABLE_TO_LOCK_ROW`` for rows that touch a parent which another batch in progress at the same time touches, as
    long as it stands. §13.18 [docs] [issues cli 882, CumulusCI 1455]
    """

    times: Count | None = None


class RefuseRows(Selection, frozen=True, kw_only=True, tag="refuse_rows"):
    """Status code of §5 for the first ``rows`` of a batch."""

    status_code: str
    message: str = ""
    fields: tuple[str, ...] = ()
    rows: Count = 1


class SlowJob(Selection, frozen=True, kw_only=True, tag="slow_job"):
    """Duration of ``phase_s`` seconds of the sandbox's clock for each phase of a batch (1.0) or job (2.0)."""

    phase_s: Seconds


class HideFields(Selection, frozen=True, kw_only=True, tag="hide_fields"):
    """Fields of ``object`` that the user may not see as long as it stands: absent from ``describe``, unknown to rows.
    §13.15 [docs] By its ``method`` or ``path`` it may act on one of the two alone.
    """

    object: str
    fields: tuple[str, ...]
    times: Count | None = None


class HoldJobs(Selection, frozen=True, kw_only=True, tag="hold_jobs"):
    """Batch (1.0) or job (2.0) that stays queued until ``POST /_sandbox/jobs/release``, also when this is cleared."""


class NearlyUsedUp(Selection, frozen=True, kw_only=True, tag="nearly_used_up"):
    """Calls or batches left of the day's budget. The window of 24 hours gives the used ones back. §7"""

    api_requests_left: Rows | None = None
    batches_left: Rows | None = None


class ReformatNumbers(Selection, frozen=True, kw_only=True, tag="reformat_numbers"):
    """Numbers like ``912260031`` shown as ``9.12260031E8`` in 2.0 results. §4.1 [client issue reports]"""


class CoerceEcho(Selection, frozen=True, kw_only=True, tag="coerce_echo"):
    """Echoed columns of 2.0 results changed by their type, except the key: instants cut to milliseconds in UTC, numbers
    re-scaled (``10`` → ``10.0``), texts trimmed. §13.1 [issue rudder-server 7074]
    """


class EmptyResults(Selection, frozen=True, kw_only=True, tag="empty_results"):
    """Result file of 2.0 without a body: a 204, or a 200. §13.4 [issue OpenFn/adaptors 886]

    ``file`` names the only kind of file that it acts on; it acts whether the file has rows or not.
    """

    status: Literal[200, 204] = 204
    file: Literal["successfulResults", "failedResults", "unprocessedrecords"] | None = None

    def meets(self, method: str, path: str, body: bytes = b"") -> bool:
        return super().meets(method, path, body) and path.lower().rstrip("/").endswith((self.file or "").lower())


class MissingFileRows(Selection, frozen=True, kw_only=True, tag="missing_file_rows"):
    """Last ``rows`` of an internal batch of 2.0 in no result file of their complete job; ``written`` or not. §13.3"""

    rows: Count = 1
    written: bool = False


class LateResults(Selection, frozen=True, kw_only=True, tag="late_results"):
    """Results of a batch or job that has ended, refused as if it had not. §13.5 [issue dataloader 146]"""


class StateGoesBack(Selection, frozen=True, kw_only=True, tag="state_goes_back"):
    """``InProgress`` shown for a batch or job that has ended; ``skip=1`` shows its end first. §13.5"""


class CompletedWithMessage(Selection, frozen=True, kw_only=True, tag="completed_with_message"):
    """Message of a batch that is ``Completed`` (1.0) or a job that is ``JobComplete`` (2.0). §13.6"""

    message: str = "TooManyLockFailure : Some chunks took over 10 minutes"


class Moved(Selection, frozen=True, kw_only=True, tag="moved"):
    """Org that has moved to ``location``, another address of this sandbox: ``http://localhost:8402`` for
    ``http://127.0.0.1:8402``. A data call at any other host is answered with the address to call. §13.16

    ``login_names_it``: a login, at either address, names the new one as the org's instance.
    """

    location: str
    status: Literal[301, 302] = 301
    login_names_it: bool = True
    times: Count | None = None

    def is_at(self, host: str) -> bool:
        return urlsplit(self.location).netloc.lower() == host.lower()


class RefuseLogin(Selection, frozen=True, kw_only=True, tag="refuse_login"):
    """``exceptionCode`` of §2.1 as the answer to a SOAP login.

    A client must treat a fault inside a 200 as a fault, and ``sf:INVALID_LOGIN`` as ``INVALID_LOGIN``. §2.1
    [client sfbulk, simple-salesforce]
    """

    code: str
    message: str = ""
    status: Literal[200, 500] = 500
    prefix: Literal["", "sf:"] = ""


FAULT_KINDS: tuple[type[Selection], ...] = (
    FailBatch,
    LockRows,
    LockParents,
    RefuseRows,
    SlowJob,
    HideFields,
    HoldJobs,
    NearlyUsedUp,
    ReformatNumbers,
    CoerceEcho,
    EmptyResults,
    MissingFileRows,
    LateResults,
    StateGoesBack,
    CompletedWithMessage,
    Moved,
    RefuseLogin,
)
