"""Finding batches whose submit got no answer, here or at the lane's last owner."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from functools import partial
from typing import NamedTuple

from aiokafka.errors import KafkaError

from sluice.destinations.contract import Ambiguous, BatchError, Unavailable
from sluice.destinations.vendor_jobs import JobDestination, LostSubmit, Refs
from sluice.flow.batch import Item
from sluice.flow.retry_policy import backoff_s
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.topic_reader import TopicReader
from sluice.topics import DestinationTopics
from sluice.writer.vendor_jobs.job_records import JobRecords
from sluice.writer.vendor_jobs.job_table import Job, JobTable, NotArrived, Unknown

log = logging.getLogger(__name__)

LOST_SUBMIT = "lost-submit"
LOOK_S = 1.0
"""Between two looks for lost submits: they are few, and found when a lane is opened or a request fails."""
RECOVERY_BASE_S, RECOVERY_CAP_S = 1.0, 30.0
"""Pauses between two questions about a lost submit."""
MAX_AT_ONCE = 4
"""Questions at once: some kinds wait in between for reads that lag, so that one after another takes minutes."""


class Pause(NamedTuple):
    """When a lost submit is asked about again, by the event loop's clock."""

    until_s: float
    failures: int
    """Questions in a row that failed."""


NONE = Pause(0.0, 0)


class Finder:
    """Looks for the lost submits in a table, a few at once."""

    def __init__(
        self,
        destination: JobDestination,
        table: JobTable,
        topics: DestinationTopics,
        make_reader: Callable[[], TopicReader],
    ) -> None:
        """``make_reader`` makes a reader of the input topics, for kinds that ask what was sent."""
        self._destination = destination
        self._topics = topics
        self._make_reader = make_reader
        self._table = table
        self._asking: dict[str, str] = {}
        """By batch id, the fingerprints of those that are being asked about."""
        self._pauses: dict[str, Pause] = {}
        self._held_until_s = 0.0
        """The vendor wants no question before."""
        self._answered = asyncio.Event()

    async def run(self) -> None:
        """Look until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for job in self._due():
                    self._asking[job.batch_id] = job.known.fingerprint
                    group.create_task(self._ask(job))
                self._answered.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._answered.wait()

    def _due(self) -> list[Job]:
        """Return the jobs to ask about now.

        Of those with equal bodies one at a time: the next question must name what the one before has found.
        """
        lost, now_s = self._lost(), asyncio.get_running_loop().time()
        self._pauses = {job.batch_id: self._pauses.get(job.batch_id, NONE) for job in lost}
        due: list[Job] = []
        if now_s < self._held_until_s:
            return due
        fingerprints = set(self._asking.values())
        for job in lost:
            if len(self._asking) + len(due) >= MAX_AT_ONCE:
                break
            if self._pauses[job.batch_id].until_s <= now_s and job.known.fingerprint not in fingerprints:
                fingerprints.add(job.known.fingerprint)
                due.append(job)
        return due

    async def _ask(self, job: Job) -> None:
        """Ask about one, and note how long to leave it alone."""
        failures, delay_s = 0, LOOK_S
        try:
            await self._find(job)
        except (BatchError, KafkaError, KafkaUnreachable) as error:
            failures = self._pauses.get(job.batch_id, NONE).failures + 1
            delay_s = backoff_s(failures, base_s=RECOVERY_BASE_S, cap_s=RECOVERY_CAP_S, uniform=1.0)
            if isinstance(error, Unavailable) and error.retry_after_s:
                delay_s = max(delay_s, error.retry_after_s)
                until_s = asyncio.get_running_loop().time() + error.retry_after_s
                self._held_until_s = max(self._held_until_s, until_s)
            fields = {"batch_id": job.batch_id, "error": str(error), "delay_s": delay_s}
            log.warning("batch not found yet", extra=fields)
        finally:
            del self._asking[job.batch_id]
            self._answered.set()
        self._pauses[job.batch_id] = Pause(asyncio.get_running_loop().time() + delay_s, failures)

    async def _sent(self, job: Job) -> AsyncGenerator[Item, None]:
        """Yield the items of ``job``, read again. Raises ``KafkaError`` and ``KafkaUnreachable``."""
        async with self._make_reader() as reader, aclosing(JobRecords(self._topics, reader).sent(job)) as items:
            async for item in items:
                yield item

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
            refs = await self._destination.find(lost, others, partial(self._sent, job))
        except Ambiguous as error:
            message = f"nobody can tell whether it was applied: {error}"
            verdict = Unknown(LOST_SUBMIT, message, uses_attempt=False)
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
