"""The vendor jobs of this process, as its lanes have them, and the verdicts on them that wait to be carried out."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sluice.destinations.vendor_jobs import Gone, Over, Refs
from sluice.flow.lane_job import LaneJob
from sluice.vendor_jobs.orders import Orders
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.lane_journal import Written
from sluice.writer.lanes.lanes import Lanes


class NotArrived(NamedTuple):
    """The verdict on a lost submit that is proven not to be at the vendor: its items are sent anew."""


class Unknown(NamedTuple):
    """The verdict on a job of which nobody can tell what it has applied, and which cannot run any more."""

    code: str
    message: str


class Forgotten(NamedTuple):
    """The verdict of a person on a job of which nobody will ever know what it has applied."""

    message: str
    """Who says so, and why."""


Verdict = Over | Gone | NotArrived | Unknown | Forgotten


class Job(NamedTuple):
    """One vendor job, with the parts of it that belong to lanes of this process."""

    parts: list[tuple[Lane, LaneJob]]

    @property
    def batch_id(self) -> str:
        """The batch that it was submitted as."""
        return self.parts[0][1].batch_id

    @property
    def known(self) -> LaneJob:
        """The part that knows most of it: entries of one lane can be missing in another."""
        return max((job for _, job in self.parts), key=lambda job: (job.is_submitted, len(job.refs)))

    @property
    def open(self) -> int:
        """Rows without a fate, in the lanes of this process."""
        return sum(job.open for _, job in self.parts)


class JobTable:
    """View of the jobs of all lanes, and what is known of them beyond the journal."""

    def __init__(self, lanes: Lanes, max_jobs: int, orders: Orders | None = None) -> None:
        self.lanes = lanes
        self._max_jobs = max_jobs
        self._orders = Orders() if orders is None else orders
        self.under_way: set[str] = set()
        """Ids of batches that are being submitted: their journals have them, their lanes not yet."""
        self.words: dict[str, str] = {}
        """The vendor's own word for the state of each job, by batch id, as it was told last."""
        self.verdicts: dict[str, Verdict] = {}
        """By batch id, what is to be carried out."""
        self.hurried: set[str] = set()
        """Batch ids of verdicts that are to be carried out at once, also when that has failed a moment ago."""
        self.asked: set[str] = set()
        """Batch ids of jobs about which the vendor is to be asked at once."""
        self.submitted = asyncio.Event()
        """Set when a job was submitted."""
        self.judged = asyncio.Event()
        """Set when a verdict was passed."""

    def __iter__(self) -> Iterator[Job]:
        """Yield all jobs that have open rows in lanes of this process."""
        jobs: dict[str, Job] = {}
        for lane in self.lanes:
            for batch_id, part in lane.jobs.by_batch.items():
                jobs.setdefault(batch_id, Job([])).parts.append((lane, part))
        yield from jobs.values()

    def get(self, batch_id: str) -> Job | None:
        """Return the job of this batch; ``None`` when no lane of this process has open rows of it."""
        found = [(lane, job) for lane in self.lanes if (job := lane.jobs.by_batch.get(batch_id)) is not None]
        return Job(found) if found else None

    def has_room(self, under_way: int) -> bool:
        """Return whether the vendor may be given another job, when so many batches may become one any moment."""
        batches = {batch_id for lane in self.lanes for batch_id in lane.jobs.by_batch}
        return len(batches) + under_way < self._max_jobs

    @contextmanager
    def submitting(self, batch_id: str) -> Iterator[None]:
        """Take note that a batch is being submitted while the body runs."""
        self.under_way.add(batch_id)
        try:
            yield
        finally:
            self.under_way.discard(batch_id)

    def judge(self, batch_id: str, verdict: Verdict) -> None:
        """Have ``verdict`` carried out at once, unless a person has judged before."""
        if not isinstance(self.verdicts.get(batch_id), Forgotten):
            self.verdicts[batch_id] = verdict
        self.hurried.add(batch_id)
        self.judged.set()

    def ask(self, batch_id: str) -> None:
        """Have the vendor asked about a job at once."""
        self.asked.add(batch_id)
        self.submitted.set()

    def adopt(self, job: Job, refs: Refs) -> list[Written]:
        """Take note that ``job``, whose submit was lost, is the vendor's job ``refs``."""
        written: list[Written] = []
        for lane, part in job.parts:
            if lane.alive:
                part.refs, part.is_submitted = dict(refs), True
                written.append(lane.journal.submitted(part.batch_id, refs))
        self.submitted.set()
        return written

    def is_told_of(self, batch_id: str) -> bool:
        """Return whether a person has told what became of a lost submit: nobody else need look for it now."""
        return self._orders.tells_of(batch_id)

    def aborted_because(self, batch_id: str) -> str | None:
        """Return why and by whom of ours a job was aborted; ``None`` where none of ours did that."""
        return self._orders.aborted_because(batch_id)

    def forget(self) -> None:
        """Forget what is known of jobs that are not here any more."""
        here = {job.batch_id for job in self}
        for known in (self.words, self.verdicts):
            for batch_id in [one for one in known if one not in here]:
                del known[batch_id]
        self.asked &= here
