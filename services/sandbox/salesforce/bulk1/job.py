"""Jobs and batches as they are kept. salesforce_bulk.md §3.3, §3.5, §3.10."""

import math
import zlib
from typing import Any, Literal

import msgspec

from sandbox.salesforce.bulk1.job_request import QUERIES, JobRequest
from sandbox.salesforce.bulk1.layout import instant
from sandbox.salesforce.bulk1.phases import Phases
from sandbox.salesforce.bulk1.pk_chunking import PkChunking
from sandbox.salesforce.bulk1.transformation import Transformation
from sandbox.salesforce.jobs import JobType
from sandbox.salesforce.sessions import OrgUser

JobState = Literal["Open", "Closed", "Aborted"]
End = Literal["Completed", "Failed", "NotProcessed"]
BatchState = Literal["Queued", "InProgress"] | End

NOT_YET = Phases(tries=((math.inf, math.inf),))
"""Phases of a batch that has not begun: it is queued"""
_ENDLESS = Phases(tries=((0.0, math.inf),))


class Batch(msgspec.Struct, kw_only=True):
    """One batch. ``end`` is null until it ends; bodies and results are kept deflated."""

    id: str
    job_id: str
    created_at: float
    modified_at: float
    packed_body: bytes
    phases: Phases = NOT_YET
    end: End | None = None
    message: str | None = None
    records_processed: int = 0
    records_failed: int = 0
    packed_results: bytes | None = None
    """Row results; null for a batch that has none to show."""
    packed_files: dict[str, bytes] = {}
    """Result files of a query by id."""

    def state(self, now: float) -> BatchState:
        return self.end or self.phases.state(now)

    def in_progress_again(self) -> "Batch":
        """Return the batch as the fault ``state_goes_back`` shows it. §13.5"""
        if self.end is None:
            return self
        return msgspec.structs.replace(self, end=None, message=None, phases=_ENDLESS)

    @property
    def kept_bytes(self) -> int:
        files = sum(map(len, self.packed_files.values()))
        return len(self.packed_body) + len(self.packed_results or b"") + files


class Job(msgspec.Struct, kw_only=True):
    """One job. All calls for it use the version it was made with. §1 [docs]"""

    id: str
    request: JobRequest
    object: str
    version: str
    created_by: OrgUser
    created_at: float
    modified_at: float
    state: JobState = "Open"
    line_end: str = "\n"
    retries_disabled: bool = False
    pk_chunking: PkChunking | None = None
    spec: Transformation | None = None
    batches: dict[str, Batch] = {}
    busy_until: float = 0.0
    """End of the last batch so far; a serial job starts no other batch before."""
    unfinished: int = 0
    kept_bytes: int = 0
    job_type: JobType = "Classic"

    @property
    def is_query(self) -> bool:
        return self.request.operation in QUERIES

    @property
    def is_finished(self) -> bool:
        """True when it may be dropped to free memory: also while open, once all its batches have ended."""
        return not self.unfinished and (self.state != "Open" or bool(self.batches))

    def add(self, batch: Batch) -> None:
        self.batches[batch.id] = batch
        self.unfinished += 1
        self.kept_bytes += batch.kept_bytes

    def plan(self, batch: Batch, phases: Phases) -> None:
        """Set the phases of a batch that begins."""
        batch.phases = phases
        self.busy_until = max(self.busy_until, phases.ends_at)

    def abort(self, at: float) -> None:
        """Leave queued batches unprocessed. A batch in progress finishes, nothing is rolled back. §3.4 [docs]"""
        if self.state == "Aborted":
            return
        for batch in self.batches.values():
            if batch.state(at) == "Queued":
                self.finish(batch, "NotProcessed", at)
        self.state = "Aborted"
        self.modified_at = at

    def finish(self, batch: Batch, end: End, at: float, message: str | None = None) -> None:
        """End a batch, once its results and counts are in place."""
        batch.end = end
        batch.modified_at = at
        batch.message = message
        self.unfinished -= 1
        self.kept_bytes += batch.kept_bytes - len(batch.packed_body)

    @property
    def has_ended(self) -> bool:
        """True when a batch has ended and none is left."""
        return bool(self.batches) and not self.unfinished

    def in_progress_again(self) -> "Job":
        """Return the job with all its batches in progress. §13.5"""
        batches = {name: batch.in_progress_again() for name, batch in self.batches.items()}
        return msgspec.structs.replace(self, batches=batches)

    def listing(self) -> dict[str, Any]:
        """Return the job as Bulk API 2.0 lists jobs of 1.0. §4.1, its members [assumed]"""
        return {
            "id": self.id,
            "operation": self.request.operation,
            "object": self.object,
            "createdById": self.created_by.id,
            "createdDate": instant(self.created_at, "json"),
            "systemModstamp": instant(self.modified_at, "json"),
            "state": self.state,
            "concurrencyMode": self.request.concurrency,
            "contentType": self.request.content_type,
            "apiVersion": float(self.version),
            "jobType": self.job_type,
        }


def deflate(body: bytes) -> bytes:
    """Compress at the fastest level, so that a benchmark does not measure the sandbox."""
    return zlib.compress(body, 1)


inflate = zlib.decompress
