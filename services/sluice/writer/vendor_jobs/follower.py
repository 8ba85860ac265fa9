"""Following vendor jobs until they are over, with few calls: each is asked about ever more seldom."""

import asyncio
import logging
from typing import NamedTuple

from sluice.destinations.contract import BatchError, Unavailable
from sluice.destinations.vendor_jobs import Gone, JobDestination, Over
from sluice.flow.retry_policy import backoff_s
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.vendor_jobs.job_table import Job, JobTable

log = logging.getLogger(__name__)

GROWTH = 1.5
"""Each wait for a job is so much longer than the one before. salesforce_bulk.md §7 [assumed]: every poll counts."""
TOGETHER = 0.5
"""A job that is due within this share of its wait is asked about with those that are due now."""


class Due(NamedTuple):
    """When a job is asked about next, by the event loop's clock, and the wait that leads there."""

    at_s: float
    wait_s: float


class Follower:
    """Asks the vendor about the jobs in a table."""

    def __init__(
        self, destination: JobDestination, table: JobTable, metrics: WriterMetrics, *, base_s: float, cap_s: float
    ) -> None:
        self._destination = destination
        self._table = table
        self._metrics = metrics
        self._base_s = base_s
        self._cap_s = cap_s
        self._due: dict[str, Due] = {}
        self._failures = 0

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self._wait()
            now_s = asyncio.get_running_loop().time()
            jobs = self._jobs_due(now_s)
            if not jobs:
                continue
            try:
                await self._poll(jobs)
                self._failures = 0
            except BatchError as error:
                self._failures += 1
                delay_s = backoff_s(self._failures, base_s=self._base_s, cap_s=self._cap_s, uniform=1.0)
                if isinstance(error, Unavailable):
                    delay_s = max(delay_s, error.retry_after_s or 0.0)
                log.warning("vendor jobs cannot be followed now", extra={"error": str(error), "delay_s": delay_s})
                await asyncio.sleep(delay_s)

    def _jobs_due(self, now_s: float) -> list[Job]:
        """Return the jobs to ask about now; give each of them its next time."""
        running = {
            job.batch_id: job
            for job in self._table
            if job.known.is_submitted and job.batch_id not in self._table.verdicts
        }
        due = {batch_id: self._due.get(batch_id, Due(now_s + self._base_s, self._base_s)) for batch_id in running}
        due |= {batch_id: Due(now_s, self._base_s) for batch_id in self._table.asked if batch_id in running}
        self._table.asked.clear()
        self._due = due
        if not any(one.at_s <= now_s for one in due.values()):
            return []
        asked = [batch_id for batch_id, one in due.items() if one.at_s <= now_s + TOGETHER * one.wait_s]
        for batch_id in asked:
            wait_s = min(self._cap_s, due[batch_id].wait_s * GROWTH)
            due[batch_id] = Due(now_s + wait_s, wait_s)
        return [running[batch_id] for batch_id in asked]

    async def _poll(self, jobs: list[Job]) -> None:
        by_refs = {frozenset(job.known.refs.items()): job.batch_id for job in jobs}
        self._metrics.vendor_job_polls.inc()
        async for refs, state in self._destination.poll([job.known.refs for job in jobs]):
            batch_id = by_refs.get(frozenset(refs.items()))
            if batch_id is None:
                continue
            match state:
                case Over():
                    self._table.words[batch_id] = state.word
                    self._table.judge(batch_id, state)
                case Gone():
                    self._table.words[batch_id] = "gone"
                    self._table.judge(batch_id, state)
                case _:
                    self._table.words[batch_id] = state.word

    async def _wait(self) -> None:
        """Wait until the next job is due, or a new one was submitted."""
        now_s = asyncio.get_running_loop().time()
        next_s = min((one.at_s for one in self._due.values()), default=now_s + self._base_s)
        self._table.submitted.clear()
        try:
            async with asyncio.timeout(min(self._base_s, max(0.0, next_s - now_s))):
                await self._table.submitted.wait()
        except TimeoutError:
            return
