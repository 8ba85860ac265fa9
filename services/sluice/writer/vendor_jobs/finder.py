"""Finding batches whose submit got no answer, here or at the lane's last owner."""

import asyncio
import logging

from sluice.destinations.contract import Ambiguous, BatchError, Unavailable
from sluice.destinations.vendor_jobs import JobDestination, LostSubmit, Refs
from sluice.flow.retry_policy import backoff_s
from sluice.writer.vendor_jobs.job_table import Job, JobTable, NotArrived, Unknown

log = logging.getLogger(__name__)

LOST_SUBMIT = "lost-submit"
LOOK_S = 1.0
"""Between two looks for lost submits: they are few, and found when a lane is opened or a request fails."""
RECOVERY_BASE_S, RECOVERY_CAP_S = 1.0, 30.0
"""Pauses between two questions about lost submits."""


class Finder:
    """Looks for the lost submits in a table, one after the other."""

    def __init__(self, destination: JobDestination, table: JobTable) -> None:
        self._destination = destination
        self._table = table

    async def run(self) -> None:
        """Look until cancelled."""
        failures = 0
        while True:
            for job in self._lost():
                try:
                    await self._find(job)
                    failures = 0
                except BatchError as error:
                    failures += 1
                    delay_s = backoff_s(failures, base_s=RECOVERY_BASE_S, cap_s=RECOVERY_CAP_S, uniform=1.0)
                    if isinstance(error, Unavailable):
                        delay_s = max(delay_s, error.retry_after_s or 0.0)
                    fields = {"batch_id": job.batch_id, "error": str(error), "delay_s": delay_s}
                    log.warning("batch not found yet", extra=fields)
                    await asyncio.sleep(delay_s)
            await asyncio.sleep(LOOK_S)

    def _lost(self) -> list[Job]:
        found: list[Job] = []
        for job in self._table:
            if job.batch_id in self._table.verdicts or self._table.is_told_of(job.batch_id):
                continue
            if not job.known.is_submitted:
                found.append(job)
            elif not all(part.is_submitted for _, part in job.parts):
                self._table.adopt(job, job.known.refs)  # another lane of it knows
        return found

    async def _find(self, job: Job) -> None:
        known = job.known
        others = [other.known.refs for other in self._table if other.known.is_submitted]
        lost = LostSubmit(
            batch_key=known.batch_key,
            fingerprint=known.fingerprint,
            refs=known.refs,
            requested_at=known.requested_at,
            lost_at_s=known.lost_at_s,
            vendor_at=known.vendor_at,
        )
        refs: Refs | None = None
        verdict: NotArrived | Unknown = NotArrived()
        try:
            refs = await self._destination.find(lost, others)
        except Ambiguous as error:
            verdict = Unknown(LOST_SUBMIT, f"nobody can tell whether it was applied: {error}")
        if known.is_submitted or job.batch_id in self._table.verdicts or self._table.is_told_of(job.batch_id):
            return  # a person was quicker
        if refs is not None:
            self._table.adopt(job, refs)
            found = "found"
        else:
            self._table.judge(job.batch_id, verdict)
            found = "unknown" if isinstance(verdict, Unknown) else "not arrived"
        fields = {"batch_id": job.batch_id, "vendor_job": known.refs, "items": job.open, "found": found}
        log.info("lost batch looked for", extra=fields)
