"""Queue of batches between arrival and work, and PK chunking on the way. salesforce_bulk.md §3.5, §3.9, §7."""

from collections.abc import Callable

from sandbox.salesforce import ids
from sandbox.salesforce.bulk1.batch_runner import BatchRunner, soql_of
from sandbox.salesforce.bulk1.job import Batch, Job, deflate
from sandbox.salesforce.bulk1.phases import LOAD_TRIES, QUERY_TRIES, Phases, plan
from sandbox.salesforce.bulk1.pk_chunking import PkChunking, chunk_bounds, rewrite
from sandbox.salesforce.org import Org
from sandbox.salesforce.origin import Origin
from sandbox.salesforce.refusals import BatchRefused

MAX_PENDING = 2_000
"""Batches that may be queued or in progress; further ones wait. §7 [docs]"""

Act = Callable[[Job, Batch, Origin, float], None]
"""Action at the end of a batch's phases"""


class Queue:
    """Queue of batches. They start on arrival, before the job is closed; a serial job's one by one. §1 [docs]"""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._runner = BatchRunner(org)
        self._made = 0

    def put(self, job: Job, body: bytes, origin: Origin) -> Batch:
        """Make a batch of a posted body."""
        act = self._end if job.pk_chunking is None else self._chunk
        return self._put(job, body, origin, self._org.clock.now(), act)

    def _put(self, job: Job, body: bytes, origin: Origin, at: float, act: Act) -> Batch:
        self._made += 1
        batch = Batch(
            id=ids.make(ids.BATCH, self._made),
            job_id=job.id,
            created_at=at,
            modified_at=at,
            packed_body=deflate(body),
        )
        job.add(batch)
        self._org.holding.start(origin, at, lambda began_at: self._begin(job, batch, origin, began_at, act))
        return batch

    def _begin(self, job: Job, batch: Batch, origin: Origin, at: float, act: Act) -> None:
        if batch.end is None:
            job.plan(batch, self._phases(job, origin, at))
            self._org.schedule.add(batch.phases.ends_at, lambda due_at: act(job, batch, origin, due_at))

    def _end(self, job: Job, batch: Batch, origin: Origin, at: float) -> None:
        self._runner.run(job, batch, origin, at)
        self._org.jobs.trim()

    def _phases(self, job: Job, origin: Origin, at: float) -> Phases:
        asked = self._org.phases(origin)
        tries = QUERY_TRIES if job.is_query else LOAD_TRIES
        starts_at = max(at + asked.queued_s, self._org.schedule.due_when_left(MAX_PENDING - 1) or at)
        if job.request.concurrency == "Serial":
            starts_at = max(starts_at, job.busy_until)
        return plan(
            starts_at,
            queued_s=asked.queued_s,
            work_s=asked.in_progress_s,
            max_tries=1 if job.retries_disabled else tries,
        )

    def _chunk(self, job: Job, batch: Batch, origin: Origin, at: float) -> None:
        """End the posted batch as ``NotProcessed`` and put one batch per range of ids in its place. §3.9 [docs]

        In a job that was aborted in the meantime no batch takes its place.
        """
        if batch.end is not None:
            return
        assert job.pk_chunking is not None
        try:
            queries = [] if job.state == "Aborted" else self._chunks(job, soql_of(batch), job.pk_chunking)
        except BatchRefused as refusal:
            job.finish(batch, "Failed", at, refusal.state_message)
            return
        job.finish(batch, "NotProcessed", at)
        for query in queries:
            self._put(job, query.encode(), origin, at, self._end)

    def _chunks(self, job: Job, soql: str, chunking: PkChunking) -> list[str]:
        """Return the rewritten queries; each counts as a batch. Raises ``BatchRefused``."""
        narrowest = self._org.query(rewrite(soql, None, ids.make("000", 0)))
        if chunking.parent is not None:
            self._org.object_type(chunking.parent)  # Must exist; only sharing objects have one, the org has none.
        everything = f"SELECT Id FROM {narrowest.object_name}"
        owners = self._org.query(everything, with_deleted=job.request.operation == "queryAll")
        bounds = chunk_bounds(sorted(owners.ids), chunking)
        if not self._org.limits.batches.take(len(bounds)):
            raise BatchRefused("ExceededQuota", "ApiBatchItems Limit exceeded.")
        return [rewrite(soql, first, after) for first, after in bounds]
