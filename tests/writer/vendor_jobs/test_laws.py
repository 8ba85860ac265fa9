"""Laws of vendor jobs that hold whatever the vendor answers and whenever the writer dies.

One lane of a Kafka in memory, a vendor that fails at random, and writers of which each is killed before the next one
begins. By the clock that jumps over every wait an hour of it takes a tenth of a second.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from math import inf
from random import Random

import pytest
from aiokafka import TopicPartition

from sluice.destinations.contract import Ambiguous, BatchError, PreSendCheck, Refused, Unavailable
from sluice.destinations.vendor_jobs import (
    Gone,
    JobState,
    LostSubmit,
    Named,
    Over,
    Refs,
    ResultsIncomplete,
    Running,
    Sent,
    Upload,
)
from sluice.events import BatchEvent
from sluice.flow.batch import Batch, Item
from sluice.flow.journal import Journal
from sluice.flow.key_order import KeyOrder
from sluice.flow.offsets import OffsetProgress
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.windows import WindowLimits, Windows
from sluice.settings import DeliverySettings
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.deliverer import Deliverer
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.lanes.buffer import Buffer
from sluice.writer.lanes.commit_cycle import CommitCycle
from sluice.writer.lanes.lane import Lane, LaneState
from sluice.writer.lanes.settlement import Settlement
from sluice.writer.vendor_jobs.job_runner import JobRunner
from tests.support.factories import DELIVERED, INPUT_TOPICS, FakeMessage, record, record_message, starts_at
from tests.support.fake_jobs import FakeJobDestination, FakeReader, Result
from tests.support.fakes import BUFFER_LIMITS, BUILDER, DECODER, ORDER_TERMS, TOPIC_IDS, lanes_of
from tests.support.instant_clock import instantly, now_s
from tests.writer.delivery.setups import make_guard, make_limiter
from tests.writer.vendor_jobs.setups import TOPICS, FakeBook

RECORDS, KEYS, MAX_JOBS = 60, 25, 3


class _VendorJob:
    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.due_at_s = inf
        """When it runs; never, unless it is started."""
        self.ends_after = len(items)
        self.over: Over | None = None
        self.results: list[Outcome] = []


class _Vendor(FakeJobDestination):
    """Applies each row of a started job once, when the job is due; every call may fail while it is ``moody``."""

    def __init__(self, random: Random) -> None:
        super().__init__(max_jobs=MAX_JOBS)
        self.random = random
        self.moody = True
        self.all: dict[str, _VendorJob] = {}
        self.applied: list[Item] = []
        self.most_running = 0

    async def prepare(self, batch: Batch) -> Upload:
        await self._answer()
        return Upload(b"", "f")

    async def submit(self, batch: Batch, upload: Upload, named: Named, pre_send_check: PreSendCheck) -> Refs:
        await self._answer(Refused("400", "no", 400))
        name = f"job-{len(self.all) + 1}"
        job = self.all[name] = _VendorJob(list(batch.items))
        await named({"job": name})
        await self._answer()
        pre_send_check()
        arrives = not self._happens(0.15)
        if arrives:
            self._start(job)
        await asyncio.sleep(self.random.random())
        if not arrives or self._happens(0.15):
            raise Ambiguous("connection lost")
        return {"job": name}

    async def find(self, lost: LostSubmit, others: Collection[Refs], sent: Sent) -> Refs | None:
        await self._answer()
        job = self.all.get(lost.refs.get("job", ""))
        if job is None or job.due_at_s == inf:
            return None
        if self._happens(0.2):
            self._run(job, self.random.randrange(len(job.items) + 1))
            raise Ambiguous("nobody can tell")
        return lost.refs

    async def poll(self, jobs: Sequence[Refs]) -> AsyncIterator[tuple[Refs, JobState]]:
        await self._answer()
        self._catch_up()
        for refs in jobs:
            over = self.all[refs["job"]].over
            if over is not None and self._happens(0.05):
                yield refs, Gone("deleted")
            elif not self._happens(0.1):
                yield refs, over or Running("running")

    async def collect(self, refs: Refs, over: Over, items: int, sent: Sent) -> AsyncIterator[Result]:
        await self._answer(Refused("400", "no", 400) if not over.processed else None)
        if self._happens(0.2):
            raise ResultsIncomplete("not yet")
        job = self.all[refs["job"]]
        for row in range(items):
            await asyncio.sleep(0)
            yield row, job.results[row] if row < len(job.results) else None

    def _result(self) -> Outcome:
        if self._happens(0.1):
            return Outcome(Fate.REJECTED, "NO")
        return Outcome(Fate.RETRYABLE, "LOCKED") if self._happens(0.1) else DELIVERED

    def _start(self, job: _VendorJob) -> None:
        job.due_at_s = now_s() + self.random.random() * 30
        if self._happens(0.3):
            job.ends_after = self.random.randrange(len(job.items) + 1)
        self._catch_up()
        self.most_running = max(
            self.most_running, sum(one.due_at_s < inf and one.over is None for one in self.all.values())
        )

    def _catch_up(self) -> None:
        for job in sorted(self.all.values(), key=lambda one: one.due_at_s):
            if job.due_at_s <= now_s() and job.over is None:
                self._run(job, job.ends_after)

    def _run(self, job: _VendorJob, rows: int) -> None:
        if job.over is None:
            job.results = [self._result() for _ in range(rows)]
            self.applied += [item for item, one in zip(job.items, job.results, strict=False) if one is DELIVERED]
            aborted = rows < len(job.items) and self._happens(0.5)
            job.over = Over(word="over", processed=rows, failed=0, aborted=aborted)

    async def _answer(self, refusal: BatchError | None = None) -> None:
        await asyncio.sleep(self.random.random() / 10)
        if self._happens(0.1):
            raise Unavailable("503", "busy")
        if refusal is not None and self._happens(0.1):
            raise refusal

    def _happens(self, share: float) -> bool:
        return self.moody and self.random.random() < share


class _Kafka:
    """Lane 0 of all topics, as far as it is committed."""

    def __init__(self, random: Random) -> None:
        operations = [random.choice(("insert", "upsert")) for _ in range(RECORDS)]
        self.inputs: list[list[FakeMessage]] = [
            [
                record_message(at, record(key=f"k{random.randrange(KEYS)}", operation=operations[at]))  # type: ignore[arg-type]
                for at in range(RECORDS)
            ],
            [],
            [],
        ]
        self.committed = [0, 0, 0]
        self.journal: list[BatchEvent] = []
        self.settled: Counter[tuple[int, int]] = Counter()

    def commit(self, settlements: Sequence[Settlement], entries: Sequence[BatchEvent], committed: list[int]) -> None:
        self.journal += [*entries, *(entry for one in settlements for entry in one.entries)]
        self.committed = committed
        for settlement in settlements:
            self.settled.update((topic, offset) for topic, offsets in settlement.offsets.items() for offset in offsets)
            for topic, retries in settlement.retries.items():
                log = self.inputs[topic]
                for one in retries:
                    name, at = INPUT_TOPICS[topic], len(log)
                    log.append(FakeMessage(topic=name, offset=at, key=one.key, value=one.value, headers=one.headers))

    def state(self) -> LaneState:
        """Return what the next owner finds."""
        journal = Journal(starts_at(*self.committed), opened_at_s=now_s())
        for position, entry in enumerate(self.journal):
            journal.read(position, entry)
        order = KeyOrder(ORDER_TERMS)
        for topic in (1, 2):
            for message in self.inputs[topic][self.committed[topic] :]:
                if not journal.has(topic, message.offset):
                    assert message.key is not None
                    order.park([message.key])
        return LaneState([OffsetProgress(at) for at in self.committed], journal, order, TOPIC_IDS)


class _Committer:
    def __init__(self) -> None:
        self.confirmed_at_s = inf
        self.settlements: list[Settlement] = []
        self.entries: list[tuple[BatchEvent | None, asyncio.Future[None]]] = []

    def submit(self, settlement: Settlement) -> None:
        self.settlements.append(settlement)

    def write(self, entry: BatchEvent | None) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.entries.append((entry, done))
        return done

    def confirm(self) -> asyncio.Future[None]:
        return self.write(None)

    async def cycles(self) -> AsyncGenerator[CommitCycle, None]:
        for none in list[CommitCycle]():
            yield none

    async def drained(self) -> None:
        pass

    @property
    def unwritten(self) -> list[Settlement]:
        return self.settlements

    async def close(self) -> None:
        pass


class _Writer:
    """One process, from taking over the lane until it is killed."""

    def __init__(self, kafka: _Kafka, vendor: _Vendor) -> None:
        self._kafka, self._random = kafka, vendor.random
        self._committer = _Committer()
        self.buffer = Buffer(BUFFER_LIMITS)
        self.lane = lane = Lane(
            0,
            state=kafka.state(),
            committer=self._committer,
            decoder=DECODER,
            builder=BUILDER,
            buffer=self.buffer,
            stale_after_s=10.0,
        )
        metrics, limiter, lanes = WriterMetrics("crm"), make_limiter(), lanes_of(lane)
        topics = {TopicPartition(name, 0): log for name, log in zip(TOPICS.inputs[:3], kafka.inputs, strict=True)}
        self._runner = runner = JobRunner(
            vendor, TOPICS, lanes, limiter, lambda: FakeReader(topics, piece=4), metrics, DeliverySettings(), FakeBook()
        )
        self._dispatcher = Dispatcher(
            Windows(WindowLimits(max_items=8, max_bytes=100_000, max_age_s=0.0)),
            limiter,
            Deliverer(TOPICS.records, runner.sender_of, lanes, metrics),
            make_guard(metrics),
            metrics,
            runner.has_room,
        )

    async def run(self, seconds: float) -> None:
        tasks = [
            asyncio.create_task(work)
            for work in (self._dispatcher.run(), self._runner.run(self._dispatcher), self._poll(), self._commit())
        ]
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        self.lane.alive = False
        for task in [*tasks, *self._dispatcher._under_way]:
            task.cancel()
        await asyncio.wait([*tasks, *self._dispatcher._under_way])
        for task in done:
            task.result()  # whatever nobody foresaw

    async def _poll(self) -> None:
        for topic in range(3):
            self.lane.jobs.skip(topic)
        while True:
            for topic, log in enumerate(self._kafka.inputs):
                start = self.lane.progress[topic].next
                self._dispatcher.add(self.lane.accept(topic, log[start : start + self._random.randrange(1, 9)]))
            self._dispatcher.add(self.lane.due(inf))
            await asyncio.sleep(self._random.random())

    async def _commit(self) -> None:
        committer = self._committer
        while True:
            await asyncio.sleep(self._random.random() / 2)
            settlements, committer.settlements = committer.settlements, []
            entries, committer.entries = committer.entries, []
            for one in settlements:
                one.mark_settled(self.lane.progress)
            written = [entry for entry, _ in entries if entry is not None]
            self._kafka.commit(settlements, written, [progress.position for progress in self.lane.progress])
            self._dispatcher.add(self.lane.committed(settlements))
            for _, done in entries:
                if not done.done():
                    done.set_result(None)


@pytest.mark.parametrize("seed", [*range(20), 172, 198])
@instantly
async def test_each_record_has_one_fate_and_is_applied_in_order(seed: int) -> None:
    random = Random(seed)
    kafka, vendor = _Kafka(random), _Vendor(random)
    for _ in range(random.randrange(6)):
        await _Writer(kafka, vendor).run(random.random() * 40)
    vendor.moody = False
    last = _Writer(kafka, vendor)
    await last.run(3600)

    assert set(kafka.settled.values()) == {1}
    assert {at for topic, at in kafka.settled if topic == 0} == set(range(RECORDS))
    assert kafka.committed == [len(log) for log in kafka.inputs]
    assert (last.buffer.items, last.buffer.item_bytes, last.lane.order.busy) == (0, 0, 0)
    inserts = Counter(item.source.offset for item in vendor.applied if item.event.operation == "insert")
    assert set(inserts.values()) <= {1}
    for key in {item.key for item in vendor.applied}:
        order = [item.source.offset for item in vendor.applied if item.key == key]
        assert order == sorted(order)
    assert vendor.most_running <= MAX_JOBS
