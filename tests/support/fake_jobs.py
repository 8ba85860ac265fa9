"""A vendor that runs batches later and answers as it is told, and a reader of records that are in memory."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Self

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from sluice.destinations.contract import Ambiguous, BatchError, PreSendCheck, Recovered
from sluice.destinations.vendor_jobs import (
    JobState,
    LostSubmit,
    Named,
    Over,
    Quota,
    Refs,
    RefusedItems,
    Running,
    Sent,
    Upload,
    VendorJob,
    WriteLimits,
)
from sluice.events import RecordEvent
from sluice.flow.batch import Batch, Encoded, InDoubt, Item
from sluice.flow.outcome import Outcome
from sluice.flow.windows import Limits
from sluice.kafka.topic_reader import TopicReader
from tests.support.factories import DELIVERED, NOON, FakeMessage
from tests.support.fakes import FakeDestination
from tests.support.instant_clock import now_s

DONE = Over(word="done", processed=1, failed=0)
Result = tuple[object, Outcome | None]


async def nothing_sent() -> AsyncGenerator[Item, None]:
    """Fail when somebody asks what was sent."""
    for item in list[Item]():
        yield item
    raise AssertionError("nobody should ask what was sent")


class FakeJobDestination:
    """A vendor whose jobs run until a test says otherwise. An error in a script is its answer to one call."""

    ref_names = ("job",)

    def __init__(
        self,
        *,
        submits: Iterable[BatchError | None] = (),
        finds: Iterable[Refs | BatchError | None] = (),
        joins_by: Literal["row", "identity"] = "row",
        max_jobs: int = 10,
        latency_s: float = 0.0,
    ) -> None:
        """A submit fails before its start by the error in ``submits``; by one that is ``Ambiguous``, after it.

        ``latency_s``: how long the answer to a start takes.
        """
        self.latency_s = latency_s
        self.limits = Limits(max_items=1000, max_bytes=1_000_000, max_concurrent=4, max_age_s=1.0, max_jobs=max_jobs)
        self.settle_s = 30.0
        self.vendor_at: datetime | None = NOON
        self.quotas: dict[str, Quota] = {}
        self.prepares: deque[BatchError | RefusedItems | None] = deque()
        self.submits = deque(submits)
        self.created: list[str] = []
        """Names of the jobs that were made, started or not."""
        self.started: list[list[int]] = []
        """The offsets in each job that may run."""
        self.finds = deque(finds)
        self.lost: list[tuple[LostSubmit, list[Refs]]] = []
        """What ``find`` was asked."""
        self.states: dict[str, JobState] = {}
        """By the name of a job; one without is running."""
        self.others: dict[str, JobState] = {}
        """Jobs that are told of although nobody has asked."""
        self.left_out: set[str] = set()
        """Jobs that are not told of."""
        self.poll_errors: deque[BatchError] = deque()
        self.polls: list[tuple[float, list[str]]] = []
        """When the vendor was asked, and about which jobs."""
        self.collects: deque[BaseException] = deque()
        self.results: list[Result] | None = None
        """The results of every job; ``None``: each row is delivered."""
        self.collected = 0
        self.closes: deque[BatchError] = deque()
        self.closed: list[str] = []
        self._joins_by: Literal["row", "identity"] = joins_by
        self.warns_of: bytes | None = None

    @property
    def joins_by(self) -> Literal["row", "identity"]:
        return self._joins_by

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        return FakeDestination().encode(event, identifier)

    async def prepare(self, batch: Batch) -> Upload:
        error = self.prepares.popleft() if self.prepares else None
        if error is not None:
            raise error
        return Upload(b"", ",".join(str(item.offset) for item in batch.items))

    async def submit(self, batch: Batch, upload: Upload, named: Named, pre_send_check: PreSendCheck) -> Refs:
        error = self.submits.popleft() if self.submits else None
        refs = {"job": f"job-{len(self.created) + 1}"}
        self.created.append(refs["job"])
        await named(refs)
        if error is not None and not isinstance(error, Ambiguous):
            raise error
        pre_send_check()
        self.started.append([item.offset for item in batch.items])
        await asyncio.sleep(self.latency_s)
        if error is not None:
            raise error
        return refs

    async def find(self, lost: LostSubmit, others: Collection[Refs], sent: Sent) -> Refs | None:
        self.lost.append((lost, list(others)))
        found = self.finds.popleft()
        if isinstance(found, BatchError):
            raise found
        return found

    async def poll(self, jobs: Sequence[Refs]) -> AsyncIterator[tuple[Refs, JobState]]:
        self.polls.append((now_s(), [refs["job"] for refs in jobs]))
        if self.poll_errors:
            raise self.poll_errors.popleft()
        for name, state in self.others.items():
            yield {"job": name}, state
        for refs in [one for one in jobs if one["job"] not in self.left_out]:
            yield refs, self.states.get(refs["job"], Running("running"))

    async def collect(self, refs: Refs, over: Over, items: int, sent: Sent) -> AsyncIterator[Result]:
        self.collected += 1
        if self.collects:
            raise self.collects.popleft()
        for result in [(row, DELIVERED) for row in range(items)] if self.results is None else self.results:
            yield result

    async def abort(self, refs: Refs) -> None:
        pass

    async def close(self, refs: Refs) -> None:
        if self.closes:
            raise self.closes.popleft()
        self.closed.append(refs["job"])

    async def jobs(self) -> AsyncIterator[VendorJob]:
        for refs in self.created:
            yield VendorJob(
                refs={"job": refs}, word="", over=False, batch_key="", created_at=None, created_by="", items=None
            )

    async def check(self) -> str:
        return "well"

    async def aclose(self) -> None:
        pass


class FakeMixedDestination(FakeJobDestination):
    """A vendor that takes three items and more as a job, and writes of two items or 10 bytes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.limits = msgspec.structs.replace(self.limits, max_items=8, max_age_s=3600.0)
        self.write_limits = WriteLimits(max_items=2, max_bytes=10)
        self.writes = FakeDestination()

    def jobs_of(self, items: Sequence[Item]) -> Sequence[Item]:
        return items if len(items) >= 3 else []

    async def write(self, batch: Batch, pre_send_check: PreSendCheck) -> Sequence[Outcome]:
        return await self.writes.write(batch, pre_send_check)

    def recover(self, batch: Batch, in_doubt: InDoubt) -> AsyncIterator[Recovered]:
        return self.writes.recover(batch, in_doubt)


class FakeReader(TopicReader):
    """A reader of ``topics``; it hands over few messages at a time, and fails by the errors in a script, one a read."""

    def __init__(self, topics: Mapping[TopicPartition, Sequence[FakeMessage]], *, piece: int = 100) -> None:
        self.topics = topics
        self.piece = piece
        self.errors: deque[KafkaError | None] = deque()
        self.opened = 0
        self.open = False
        self.asked: list[range] = []
        """Offsets that were asked for."""

    async def __aenter__(self) -> Self:
        self.opened += 1
        self.open = True
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.open = False

    async def read_ranges(
        self, partition: TopicPartition, ranges: Iterable[range]
    ) -> AsyncGenerator[tuple[range, list[Any]], None]:
        assert self.open
        error = self.errors.popleft() if self.errors else None
        if error is not None:
            raise error
        for one in ranges:
            self.asked.append(one)
            found = [message for message in self.topics[partition] if message.offset in one]
            start = one.start
            for at in range(0, len(found), self.piece):
                piece = found[at : at + self.piece]
                stop = piece[-1].offset + 1
                yield range(start, stop), piece
                start = stop
            if start < one.stop:
                yield range(start, one.stop), []
