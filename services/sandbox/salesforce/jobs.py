"""Jobs of the org, of either API: numbered, listed, dropped after seven days. salesforce_bulk.md §4.1, §7."""

from collections.abc import Iterator
from typing import Any, Literal, Protocol

from sandbox.clock import Clock
from sandbox.salesforce import ids
from sandbox.salesforce.sessions import OrgUser
from sandbox.salesforce.settings import Settings

JobType = Literal["Classic", "V2Ingest", "V2Query"]
"""``Classic`` is Bulk API 1.0. §4.1 [docs]"""


class ListedJob(Protocol):
    """Job as the register needs it."""

    id: str
    job_type: JobType
    created_by: OrgUser
    created_at: float

    @property
    def is_finished(self) -> bool:
        """True when the job may be dropped because there are too many."""

    @property
    def kept_bytes(self) -> int:
        """Bytes of data and results, packed."""

    def abort(self, at: float) -> None:
        """Abort. Raises ``RestRefusal`` for a 2.0 job that is over."""

    def listing(self) -> dict[str, Any]:
        """Return the job as Bulk API 2.0's list shows it."""


class Jobs:
    """Jobs by their 18-character id, first created first."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        self._jobs: dict[str, ListedJob] = {}
        self._made = 0

    def __iter__(self) -> Iterator[ListedJob]:
        return iter(tuple(self._jobs.values()))

    def __len__(self) -> int:
        return len(self._jobs)

    def next_id(self) -> str:
        self._made += 1
        return ids.make(ids.JOB, self._made)

    def add(self, job: ListedJob) -> None:
        """Register a job. Beyond the bounds of the settings the oldest finished jobs are dropped."""
        self._jobs[job.id] = job
        self.trim()

    def trim(self) -> None:
        """Drop the oldest finished jobs beyond the bounds. A 1.0 job calls it, because it grows after it was made."""
        too_many = len(self._jobs) - self._settings.max_kept_jobs
        too_large = sum(one.kept_bytes for one in self._jobs.values()) - self._settings.max_kept_job_bytes
        if too_many > 0 or too_large > 0:
            self._drop(too_many, too_large)

    def get(self, job_id: str) -> ListedJob | None:
        """Return the job with an id of 15 or 18 characters."""
        return self._jobs.get(ids.canonical(job_id) or "")

    def is_gone(self, job_id: str) -> bool:
        """Return true for the id of a job that was made here and is kept no longer."""
        serial = ids.serial_of(job_id, ids.JOB)
        return serial is not None and 0 < serial <= self._made and self.get(job_id) is None

    def remove(self, job_id: str) -> None:
        self._jobs.pop(job_id, None)

    def forget_old(self) -> None:
        """Drop jobs made more than seven days ago. §7 [docs]"""
        oldest_at = self._clock.now() - self._settings.job_retention_s
        while self._jobs and (oldest := next(iter(self._jobs.values()))).created_at <= oldest_at:
            self.remove(oldest.id)

    def _drop(self, too_many: int, too_large: int) -> None:
        for job in self:
            if too_many <= 0 and too_large <= 0:
                return
            if job.is_finished:
                self.remove(job.id)
                too_many -= 1
                too_large -= job.kept_bytes
