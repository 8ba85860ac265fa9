"""Open jobs of Bulk API 1.0: batches of one kind go to one job, which is replaced when it is old, full or refused.

A job may stay open for 24 hours, and a batch for a closed one is refused but counted all the same. §3.5, §7 [docs] So
a job leaves here long before that, and before it is closed.

A job never gets one body twice: a batch whose answer is lost is known by its body alone.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sluice.destinations.contract import Misconfigured, PreSendCheck, Refused, Unavailable

Create = Callable[[str, PreSendCheck], Awaitable[str]]
"""Makes a job for a batch key and returns its id."""


class OpenJobs:
    """The jobs that take batches, one per batch key."""

    def __init__(self, create: Create, *, max_age_s: float, max_batches: int) -> None:
        self._create = create
        self._max_age_s = max_age_s
        self._max_batches = max_batches
        self._jobs: dict[str, _OpenJob] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def take(self, batch_key: str, fingerprint: str, check: PreSendCheck) -> AsyncIterator[str]:
        """Yield the job that a batch of ``batch_key`` is to be added to inside; it is not closed meanwhile.

        ``fingerprint`` is the digest of its body, which no other batch of the job has.
        """
        job = await self._find(batch_key, fingerprint, check)
        job.batches += 1
        job.sending += 1
        try:
            yield job.id
        except (Refused, Unavailable, Misconfigured):
            job.bodies.discard(fingerprint)  # it has not arrived
            raise
        finally:
            job.sending -= 1

    def added(self, job_id: str, batch: str) -> None:
        """Note that ``batch`` is in ``job_id``, which is needed until it is settled."""
        if (job := self._by_id(job_id)) is not None:
            job.unsettled.add(batch)

    def settle(self, job_id: str, batch: str) -> bool:
        """Note that ``batch`` needs its job no more, and return whether nothing here does: the job may be closed."""
        job = self._by_id(job_id)
        if job is None:
            return True
        job.unsettled.discard(batch)
        if job.unsettled or job.sending:
            return False
        self.retire(job_id)
        return True

    def retire(self, job_id: str) -> None:
        """Have no more batches go to ``job_id``."""
        self._jobs = {key: job for key, job in self._jobs.items() if job.id != job_id}

    async def _find(self, batch_key: str, fingerprint: str, check: PreSendCheck) -> "_OpenJob":
        # One at a time makes a job, and whoever waits finds it.
        async with self._locks.setdefault(batch_key, asyncio.Lock()):
            now_s = asyncio.get_running_loop().time()
            job = self._jobs.get(batch_key)
            if job is None or self._is_spent(job, now_s) or fingerprint in job.bodies:
                job = self._jobs[batch_key] = _OpenJob(await self._create(batch_key, check), now_s)
            job.bodies.add(fingerprint)
            return job

    def _is_spent(self, job: "_OpenJob", now_s: float) -> bool:
        return job.batches >= self._max_batches or now_s - job.opened_at_s >= self._max_age_s

    def _by_id(self, job_id: str) -> "_OpenJob | None":
        return next((job for job in self._jobs.values() if job.id == job_id), None)


class _OpenJob:
    """A job that takes batches."""

    def __init__(self, id_: str, opened_at_s: float) -> None:
        self.id = id_
        self.opened_at_s = opened_at_s
        self.batches = 0
        self.sending = 0
        self.unsettled: set[str] = set()
        self.bodies: set[str] = set()
        """Digests of the batches that it may have."""
