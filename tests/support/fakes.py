"""Stand-ins for the neighbours of a writer: a destination that answers by a script, a lane, an instant clock."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from math import inf

from aiokafka import TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from sluice.destinations.contract import BatchError, PreSendCheck, Recovered, Rejection
from sluice.events import BatchEvent, RecordEvent
from sluice.flow.batch import Batch, Encoded, InDoubt, Item
from sluice.flow.commits import LaneTopicIds
from sluice.flow.journal import Journal
from sluice.flow.key_order import KeyOrder, OrderTerms
from sluice.flow.lane_job import LaneJob
from sluice.flow.offsets import OffsetProgress
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.retry_policy import RetryPolicy
from sluice.flow.windows import Limits
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.lanes.buffer import Buffer, BufferLimits
from sluice.writer.lanes.commit_cycle import CommitCycle
from sluice.writer.lanes.decoding import Decoder
from sluice.writer.lanes.lane import Lane, LaneState
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.lanes.settlement import BatchTimes, Settlement, SettlementBuilder, VendorAnswer
from tests.support.factories import AMBIGUOUS, DELIVERED, INPUT_TOPICS, LIMITS, NOON, FakeMessage, make_batch, starts_at

Answer = Callable[[Batch], Sequence[Outcome] | Awaitable[Sequence[Outcome]]]
"""The vendor's answer to one request; raises ``BatchError`` where that is its answer."""


def deliver_all(batch: Batch) -> list[Outcome]:
    return [DELIVERED] * len(batch.items)


def scripted(*script: BatchError | Fate | None) -> Answer:
    """Answer one request by each entry: an error, a fate for all items, or ``None`` for delivered; then deliver all."""
    rest = iter(script)

    def answer(batch: Batch) -> list[Outcome]:
        entry = next(rest, None)
        if isinstance(entry, BatchError):
            raise entry
        return deliver_all(batch) if entry is None else [Outcome(entry, entry.name)] * len(batch.items)

    return answer


Recovery = Callable[[Batch], Sequence[Outcome | BatchError | None]]
"""The vendor's answer about each item of a batch whose answer was lost; an error where that question fails."""


def nobody_can_tell(batch: Batch) -> list[Outcome]:
    return [AMBIGUOUS] * len(batch.items)


def recovered_after(*errors: BatchError) -> Recovery:
    """Make a vendor that answers with ``errors``, one a question, before it says that all was delivered."""
    rest = iter(errors)

    def recovered(batch: Batch) -> list[Outcome]:
        for error in rest:
            raise error
        return deliver_all(batch)

    return recovered


class FakeDestination:
    """A vendor that remembers the offsets of each request and answers as it is told."""

    def __init__(
        self,
        answer: Answer = deliver_all,
        *,
        latency_s: float = 0.0,
        ill: BatchError | None = None,
        recovered: Recovery = nobody_can_tell,
    ) -> None:
        """``ill`` is what ``check`` raises."""
        self.limits = Limits(max_items=1000, max_bytes=1_000_000, max_concurrent=4, max_age_s=1.0)
        self.settle_s = 30.0
        self.vendor_at: datetime | None = NOON
        self.requests: list[list[int]] = []
        self.in_flight = self.most_in_flight = self.checks = 0
        self.answer = answer
        self._latency_s = latency_s
        self._ill = ill
        self._recovered = recovered
        self.asked: list[tuple[list[int], InDoubt]] = []

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """Encode the event's data; an ``insert`` may not be repeated, data ``"bad"`` cannot be sent."""
        if bytes(event.data) == b'"bad"':
            raise Rejection("bad-data", "expected an object as data")
        return Encoded(event.object, identifier, bytes(event.data), event.operation != "insert")

    async def write(self, batch: Batch, pre_send_check: PreSendCheck) -> Sequence[Outcome]:
        self.requests.append([item.offset for item in batch.items])
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self._latency_s)
            pre_send_check()
            answer = self.answer(batch)
            return await answer if isinstance(answer, Awaitable) else answer
        finally:
            self.in_flight -= 1

    async def recover(self, batch: Batch, in_doubt: InDoubt) -> AsyncIterator[Recovered]:
        self.asked.append(([item.offset for item in batch.items], in_doubt))
        failed: BatchError | None = None
        for item, found in zip(batch.items, self._recovered(batch), strict=True):
            await asyncio.sleep(self._latency_s)
            if isinstance(found, BatchError):
                failed = found
            else:
                yield item, found
        if failed is not None:
            raise failed

    async def check(self) -> str:
        self.checks += 1
        if self._ill is not None:
            raise self._ill
        self.vendor_at = self.vendor_at or NOON
        return "well"

    async def aclose(self) -> None:
        pass


class FoldingDestination(FakeDestination):
    """A vendor that takes keys for one that differ in case alone."""

    def fold_key(self, key: bytes) -> bytes:
        return key.lower()


DECODER = Decoder(FakeDestination(), max_bytes=1_000)
RETRIES = RetryPolicy(delays_s=(30.0, 120.0), max_attempts=3)
ORDER_TERMS = OrderTerms(max_items=1_000, max_bytes=1_000_000)
BUFFER_LIMITS = BufferLimits(max_items=1000, max_bytes=1_000_000)
BUILDER = SettlementBuilder(RETRIES, LIMITS, INPUT_TOPICS)
TIMES = BatchTimes(NOON, NOON)
TOPIC_IDS = LaneTopicIds(("id-0", "id-1", "id-2", "id-3", "id-4"), "id-batches")
"""Of a destination's input topics and its journal."""


class FakeCommitter:
    """Keeps what a lane hands to its committer; writes at once unless ``writing`` is cleared.

    Its cycles raise ``error`` if there is one, else all settlements are one cycle, the only one; it never drains unless
    ``drains``.
    """

    def __init__(self) -> None:
        self.confirmed_at_s = inf
        self.settlements: list[Settlement] = []
        self.entries: list[BatchEvent | None] = []
        """``None`` where somebody asks for a cycle alone."""
        self.writing = True
        self.error: BaseException | None = None
        self.drains = True
        self.closed = False
        self._waiting: list[asyncio.Future[None]] = []
        self._committed = 0
        self._failed = asyncio.Event()

    def submit(self, settlement: Settlement) -> None:
        self.settlements.append(settlement)

    def write(self, entry: BatchEvent | None) -> asyncio.Future[None]:
        self.entries.append(entry)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        if self.writing:
            self.release()
        return done

    def confirm(self) -> asyncio.Future[None]:
        return self.write(None)

    async def cycles(self) -> AsyncGenerator[CommitCycle, None]:
        if self.error is None:
            self._committed = len(self.settlements)
            yield CommitCycle(self.settlements, 0, 0.0)
            await self._failed.wait()
        assert self.error is not None
        raise self.error

    def fail(self, error: BaseException) -> None:
        """Have the cycles raise ``error`` now."""
        self.error = error
        self._failed.set()

    async def drained(self) -> None:
        if not self.drains:
            await asyncio.Event().wait()

    @property
    def unwritten(self) -> list[Settlement]:
        return self.settlements[self._committed :]

    async def close(self) -> None:
        self.closed = True

    def release(self) -> None:
        """Have what waits committed, or the lane lost."""
        self.confirmed_at_s = inf
        for done in self._waiting:
            if not done.done():
                done.set_result(None)
        self._waiting.clear()


class FakeLane(Lane):
    """A lane with three input topics and a committer that only remembers."""

    def __init__(
        self,
        partition: int = 0,
        *,
        positions: Sequence[int] = (0, 0, 0),
        settled: Sequence[set[int]] = (),
        in_doubt: Sequence[dict[int, InDoubt]] = (),
        refs: Sequence[dict[int, Mapping[str, str]]] = (),
        jobs: Sequence[LaneJob] = (),
        order_terms: OrderTerms = ORDER_TERMS,
    ) -> None:
        self.kept = FakeCommitter()
        self.settlements = self.kept.settlements
        self.buffer = Buffer(BUFFER_LIMITS)
        journal = Journal(starts_at(*positions), opened_at_s=0.0)
        for known, offsets in zip(journal.settled, settled, strict=False):
            known.add(sorted(offsets))
        for doubts, batches in zip(journal.in_doubt, in_doubt, strict=False):
            for offset, batch in batches.items():
                doubts.add(batch, [offset])
        journal.refs = [*refs] or journal.refs
        journal.jobs = {job.batch_id: job for job in jobs}
        progress = [OffsetProgress(position) for position in positions]
        super().__init__(
            partition,
            state=LaneState(progress, journal, KeyOrder(order_terms), TOPIC_IDS),
            committer=self.kept,
            decoder=DECODER,
            builder=BUILDER,
            buffer=self.buffer,
            stale_after_s=10.0,
        )

    def commit(self) -> list[Item]:
        """Commit all settlements so far, without Kafka; return the items that go on then."""
        settlements = list(self.settlements)
        self.settlements.clear()
        for settlement in settlements:
            settlement.mark_settled(self.progress)
        return self.committed(settlements)


def make_answer(items: Sequence[Item], *outcomes: Outcome) -> VendorAnswer:
    """Make the vendor's answer for ``items``, each with its outcome."""
    return VendorAnswer(make_batch(items), list(zip(items, outcomes, strict=True)), TIMES, lambda _: None)


def settle(lane: Lane, items: Sequence[Item], *outcomes: Outcome) -> None:
    """Settle ``items`` of ``lane``, each with its outcome."""
    lane.settle(make_answer(items, *outcomes), NOON)


def lanes_of(*lanes: Lane) -> Lanes:
    """The lanes of a process that owns these."""
    owned = Lanes(Buffer(BUFFER_LIMITS))
    for lane in lanes:
        owned.add(lane)
    return owned


class FakeConsumer:
    """A consumer that hands out ``polls``, and remembers what it was told."""

    def __init__(self, *polls: Mapping[TopicPartition, Sequence[FakeMessage]]) -> None:
        self.assigned: set[TopicPartition] = set()
        self.paused: set[TopicPartition] = set()
        self.sought: dict[TopicPartition, int] = {}
        self.ends: dict[TopicPartition, int] = {}
        self._polls = list(polls)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int
    ) -> Mapping[TopicPartition, Sequence[FakeMessage]]:
        await asyncio.sleep(timeout_ms / 1000)
        return self._polls.pop(0) if self._polls else {}

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    def pause(self, *partitions: TopicPartition) -> None:
        self.paused.update(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self.paused.difference_update(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought[partition] = offset

    def highwater(self, partition: TopicPartition) -> int | None:
        return self.ends.get(partition)


def sample(metrics: WriterMetrics, name: str, **labels: str) -> float | None:
    """Return the value that ``metrics`` shows for ``name`` with these labels; ``None`` when it shows none."""
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for one in family.samples:
            if one.name == name and labels.items() <= one.labels.items():
                return one.value
    return None
