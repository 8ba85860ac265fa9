"""The status of an import job. §8

============================= ========= =====================================================================
status                        becomes
============================= ========= =====================================================================
Completed, Failed             ``Over``
Rejected                      ``Over``: nothing was applied, because of a parameter or the file as a whole
Canceled                      ``Over``, aborted; what it has written stays
any other                     ``Running``: Canceling may end in Completed, and processed grow after it (R-L5)
============================= ========= =====================================================================
"""

from typing import Any

import msgspec

from sluice.destinations.contract import Unavailable
from sluice.destinations.vendor_jobs import JobState, Over, Running

COMPLETED, FAILED, REJECTED, CANCELED = "Completed", "Failed", "Rejected", "Canceled"


class JobStatus(msgspec.Struct, rename="camel"):
    """The status object; all of it may be missing. ``reason`` is for people alone (R-L5)."""

    job_id: str = ""
    status: str = ""
    reason: Any = None
    records_processed: int = 0
    """It may come as a string, and count records that the vendor has refused."""

    def state(self) -> JobState:
        """Return what the status means."""
        if self.status not in (COMPLETED, FAILED, REJECTED, CANCELED):
            return Running(self.status, self.records_processed)
        return Over(
            word=self.status,
            processed=self.records_processed,
            failed=0,  # nobody says
            aborted=self.status == CANCELED,
            message=self.reason if isinstance(self.reason, str) else "",
        )


def read_status(content: bytes) -> JobStatus | None:
    """Return the status in an answer; ``None`` for one that names no job."""
    try:
        status = _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return status if status.job_id and status.status else None


def expect_status(content: bytes) -> JobStatus:
    """Return the status in the answer to a read. Raises ``Unavailable``."""
    if (status := read_status(content)) is None:
        raise Unavailable("no-answer", "the status of a job was answered without its name or state")
    return status


_decode = msgspec.json.Decoder(JobStatus, strict=False).decode
