"""Puts the parts of vendor jobs together, for tests on the instant clock."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

import msgspec
from aiokafka import TopicPartition

from sluice.events import BatchEvent, Operation, Rows, VendorJobOrder
from sluice.flow.batch import Batch, Item, Part
from sluice.flow.key_hashes import hash_of
from sluice.flow.lane_job import LaneJob
from sluice.flow.outcome import Outcome
from sluice.kafka.settings import KafkaSettings
from sluice.telemetry.metrics import WriterMetrics
from sluice.topics import topics_of
from sluice.vendor_jobs.orders import LaneOrder, Orders
from sluice.writer.lanes.settlement import VendorAnswer
from sluice.writer.vendor_jobs.collector import Collector
from sluice.writer.vendor_jobs.job_table import JobTable, Verdict
from sluice.writer.vendor_jobs.order_book import OrderBook
from sluice.writer.vendor_jobs.submitter import Submitter
from tests.support.factories import FakeMessage, make_batch, make_lane_job, record, record_message
from tests.support.fake_jobs import FakeJobDestination, FakeReader
from tests.support.fakes import FakeDestination, FakeLane, lanes_of
from tests.support.instant_clock import in_background
from tests.writer.delivery.setups import DispatcherSetup, make_limiter

TOPICS = topics_of("crm")
REFS = {"job": "J"}


def entries_of(lane: FakeLane) -> list[BatchEvent]:
    """Return what the lane's journal got, without questions for a cycle alone."""
    return [entry for entry in lane.kept.entries if entry is not None]


def states_of(lane: FakeLane) -> list[str]:
    """Return what the lane's journal got in a few words."""
    return ["named" if one.state == "opened" and not one.rows else one.state for one in entries_of(lane)]


def found_job(*rows: Rows, batch_id: str = "batch-1", items: int = 0, refs: Mapping[str, str] | None = REFS) -> LaneJob:
    """A job of the lane's last owner, whose records have their offsets as keys; its ``items`` are all rows."""
    return make_lane_job(
        *rows,
        batch_id=batch_id,
        items=items or sum(one.length for one in rows),
        refs=None if refs is None else dict(refs),
        hash_at=lambda offset: hash_of(str(offset).encode()),
    )


def table_of(*lanes: FakeLane, max_jobs: int = 10) -> JobTable:
    return JobTable(lanes_of(*lanes), max_jobs, Orders())


class SubmitterSetup:
    """A batch with all that it takes to submit it."""

    def __init__(self, destination: FakeJobDestination, items: Sequence[Item], *lanes: FakeLane) -> None:
        """Without ``lanes`` there is lane 0 alone."""
        self.destination = destination
        self.limiter = make_limiter(max_concurrent=2)
        self.lane = {lane.partition: lane for lane in lanes or [FakeLane(0)]}
        self.lanes = lanes_of(*self.lane.values())
        self.table = JobTable(self.lanes, max_jobs=10, orders=Orders())
        self.metrics = WriterMetrics("crm")
        self.settled: list[tuple[Item, Outcome]] = []
        self.put_back: list[Part] = []
        self.batch = make_batch(items)
        for lane in self.lane.values():
            own = [item for item in items if item.lane == lane.partition]
            lane.order.admit(own)
            lane.buffer.share().enter(len(own), 0)

    @property
    def fates(self) -> dict[int, tuple[str, str]]:
        return {item.offset: (outcome.fate.value, outcome.code) for item, outcome in self.settled}

    def sender_of(self, batch: Batch) -> Submitter:
        return Submitter(batch, self.destination, self.limiter, self.lanes, self.table, self.metrics)

    async def run(self) -> None:
        """Submit as a dispatcher does, with no permit left at the end."""
        await self.limiter.acquire()
        self.sender = self.sender_of(self.batch)
        try:
            await self.sender.run(lambda fates, _: self.settled.extend(fates), self.put_back.extend)
        finally:
            self.sender.release_permit()
            assert self.limiter.in_flight == 0, "a permit is not given back, or given back twice"


class JobLane(FakeLane):
    """A lane that remembers the fate of each item."""

    def __init__(
        self, partition: int = 0, *, jobs: Sequence[LaneJob] = (), positions: Sequence[int] = (0, 0, 0)
    ) -> None:
        super().__init__(partition, jobs=jobs, positions=positions)
        self.outcomes: dict[tuple[int, int], Outcome] = {}
        """By input topic number and offset."""

    @property
    def fates(self) -> dict[int, tuple[str, str]]:
        """Fate and code of records, by offset."""
        return {at: (one.fate.value, one.code) for (topic, at), one in self.outcomes.items() if topic == 0}

    def settle(self, answer: VendorAnswer, now: datetime) -> None:
        self._note(answer)
        super().settle(answer, now)

    def settle_rows(self, job: LaneJob, answer: VendorAnswer, now: datetime) -> None:
        self._note(answer)
        super().settle_rows(job, answer, now)

    def _note(self, answer: VendorAnswer) -> None:
        for item, outcome in answer.fates:
            assert (item.topic, item.offset) not in self.outcomes, "an item has two fates"
            self.outcomes[item.topic, item.offset] = outcome


class CollectorSetup:
    """Jobs in lanes, a collector for them, and a dispatcher that only remembers what it is to send."""

    def __init__(
        self, destination: FakeJobDestination, *lanes: JobLane, piece: int = 100, operation: Operation = "upsert"
    ) -> None:
        """Kafka has 100 records in each topic, which are ``operation``; the reader hands over a ``piece`` at a time."""
        self.destination = destination
        self.sending = DispatcherSetup(FakeDestination(), max_items=1000)
        self.orders = Orders()
        self.table = JobTable(lanes_of(*lanes), max_jobs=10, orders=self.orders)
        self.table.lanes.buffer = lanes[0].buffer
        self.messages = {
            TopicPartition(TOPICS.inputs[topic], lane.partition): [
                record_message(at, record(key=str(at), operation=operation), topic=topic, lane=lane.partition)
                for at in range(100)
            ]
            for topic in range(3)
            for lane in lanes
        }
        self.reader = FakeReader(self.messages, piece=piece)
        self.collector = Collector(destination, TOPICS, self.table, lambda: self.reader, self.sending.dispatcher)

    def running(self) -> AbstractAsyncContextManager[object]:
        """Collect while the body runs."""
        return in_background(self.collector.run())

    async def collect(self, verdict: Verdict, *, batch_id: str = "batch-1", seconds: float = 1.0) -> None:
        """Pass ``verdict``, and collect for so long."""
        self.table.judge(batch_id, verdict)
        async with self.running():
            await asyncio.sleep(seconds)

    def replace(self, offset: int, message: FakeMessage | None) -> None:
        """Have ``message`` in the place of a record of lane 0; ``None``: Kafka has it no more."""
        place = TopicPartition(TOPICS.records, 0)
        kept = [one for one in self.messages[place] if one.offset != offset]
        self.messages[place] = sorted([*kept, *([message] if message else [])], key=lambda one: one.offset)

    def to_send(self) -> list[list[int]]:
        """Return the offsets of the batches that are to be sent anew, and forget them."""
        self.sending.windows.relieve(0, 0)
        batches: list[list[int]] = []
        while (batch := self.sending.windows.take(time.monotonic(), "anew")) is not None:
            batches.append([item.offset for item in batch.items])
        return batches


def accept(lane: JobLane, *offsets: int) -> list[int]:
    return [item.offset for item in lane.accept(0, [record_message(offset) for offset in offsets])]


def collecting(
    *rows: Rows, items: int = 0, operation: Operation = "upsert", piece: int = 100, read: int = 50
) -> tuple[CollectorSetup, JobLane, LaneJob]:
    """One job in one lane, which has read the first ``read`` records."""
    job = found_job(*rows or (Rows(0, 5, 4, 0),), items=items)
    lane = JobLane(jobs=[job])
    accept(lane, *range(read))
    lane.settlements.clear()
    return CollectorSetup(FakeJobDestination(), lane, piece=piece, operation=operation), lane, job


class FakeBook(OrderBook):
    """A book whose control topic is this list."""

    def __init__(self) -> None:
        super().__init__(KafkaSettings(bootstrap_servers="nowhere:9"), "crm.control", range(2), lambda _: None)
        self.answers: list[tuple[int, str, str]] = []
        self.deleted: list[int] = []

    def give(self, order: VendorJobOrder, *lanes: int) -> None:
        for lane in lanes:
            self.orders.take(LaneOrder(lane, order.key, order))
        self.changed.set()

    async def answer(self, lane: int, order: VendorJobOrder, result: Any, message: str) -> None:
        self.answers.append((lane, result, message))
        self.orders.take(LaneOrder(lane, order.key, msgspec.structs.replace(order, result=result, message=message)))

    async def delete(self, lane: int, order: VendorJobOrder) -> None:
        self.deleted.append(lane)
        self.orders.take(LaneOrder(lane, order.key, None))
