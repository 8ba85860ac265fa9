"""LaneCommitter: its cycles leave in Kafka what the next owner needs, and nobody waits for one that cannot come."""

import asyncio
import time
from collections.abc import Mapping

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata, RecordMetadata

from sluice.events import BatchEvent, Headers, decode_batch
from sluice.flow.commits import CommitMetadata
from sluice.flow.journal import Journal
from sluice.flow.key_order import KeyOrder
from sluice.flow.offsets import OffsetProgress
from sluice.topics import topics_of
from sluice.writer.lanes.committer import LaneCommitter, LaneLost
from sluice.writer.lanes.lane import LaneState
from tests.support.factories import DELIVERED, NOON, make_item, starts_at
from tests.support.fakes import BUILDER, ORDER_TERMS, TOPIC_IDS, make_answer
from tests.support.instant_clock import in_background, instantly

TOPICS = topics_of("crm")


class FakeBuilder:
    """A Kafka batch that takes any number of messages."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    def append(self, *, timestamp: int | None, key: bytes, value: bytes, headers: Headers) -> object:
        self.values.append(value)
        return self

    def record_count(self) -> int:
        return len(self.values)


class FakeKafkaLane:
    """One lane's partitions and the producer that writes them; a transaction leaves a control record."""

    _txn_manager = None

    def __init__(self) -> None:
        self.journal: dict[int, bytes] = {}
        self.journal_end = 0
        self.journal_read = 0
        self.committed: dict[TopicPartition, OffsetAndMetadata] = {}
        self.fence_after_sends: int | None = None
        self.fenced = False
        self.under_way: list[asyncio.Future[RecordMetadata]] = []

    async def begin_transaction(self) -> None:
        pass

    def create_batch(self) -> FakeBuilder:
        return FakeBuilder()

    async def send_batch(self, builder: FakeBuilder, topic: str, *, partition: int) -> "asyncio.Future[RecordMetadata]":
        if self.fenced:
            raise IllegalOperation("Can't send messages while not in transaction")
        first = self.journal_end
        if topic == TOPICS.batches:
            self.journal |= dict(enumerate(builder.values, first))
            self.journal_end += len(builder.values)
        sent: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        if self.fence_after_sends is not None:
            self.under_way.append(sent)
            if len(self.under_way) == self.fence_after_sends:
                self.fence()
            return sent
        sent.set_result(RecordMetadata(topic, partition, None, first, 0, 0, 0))
        return sent

    async def send_offsets_to_transaction(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata], group_id: str
    ) -> None:
        self.committed |= offsets

    async def commit_transaction(self) -> None:
        self.journal_end += 1

    def fence(self) -> None:
        """Fail as aiokafka does when another producer comes in the middle of a transaction."""
        self.fenced = True
        for sent in self.under_way:
            sent.set_exception(ProducerFenced())

    def positions(self) -> list[int]:
        found = [self.committed.get(TopicPartition(topic, 0)) for topic in TOPICS.inputs]
        return [0 if one is None else one.offset for one in found]

    def read_journal(self) -> Journal:
        """Read the journal as ``LaneOpener`` does."""
        records = self.committed.get(TopicPartition(TOPICS.records, 0))
        metadata = CommitMetadata.decode(None if records is None else records.metadata) or CommitMetadata()
        start = metadata.journal
        journal = Journal(starts_at(*self.positions(), topic_ids=TOPIC_IDS.inputs), start, opened_at_s=0.0)
        tail = {position: value for position, value in self.journal.items() if position >= start}
        self.journal_read = len(tail)
        for position, value in tail.items():
            journal.read(position, decode_batch(value))
        return journal


class Owner:
    """One process that has the lane."""

    def __init__(self, kafka: FakeKafkaLane, *, is_strange: bool = False) -> None:
        self.journal = kafka.read_journal()
        self.progress = [OffsetProgress(position) for position in kafka.positions()]
        state = LaneState(self.progress, self.journal, KeyOrder(ORDER_TERMS), TOPIC_IDS, is_strange)
        self.newest_ids: dict[str, str] = {}
        self.committer = LaneCommitter(0, kafka, TOPICS, "g", state, lambda: self.newest_ids)

    async def settle(self, topic: int, offset: int) -> None:
        self.submit(topic, offset)
        await self.cycle()

    def submit(self, topic: int, offset: int) -> None:
        """Submit a settlement that writes to three topics."""
        item = make_item(offset, topic=topic)
        settlement = BUILDER.of_answer(make_answer([item], DELIVERED), NOON)
        settlement.dead = settlement.succeeded
        self.committer.submit(settlement)

    async def confirm(self) -> None:
        self.committer.confirm()
        await self.cycle()

    async def run(self) -> None:
        async for _ in self.committer.cycles():
            pass

    async def cycle(self) -> None:
        async with in_background(self.run()):
            await self.committer.drained()


@instantly
async def test_retry_that_was_skipped_is_known_as_settled_until_its_offset_is_committed() -> None:
    kafka = FakeKafkaLane()
    first = Owner(kafka)
    first.progress[1].give([0, 1])
    await first.settle(1, 1)
    second = Owner(kafka)
    second.progress[1].give([0])
    await second.settle(1, 0)
    second.progress[1].give([1])
    second.progress[1].settle([1])  # as a lane skips it: outside of a cycle
    second.progress[0].give([0, 1])
    await second.settle(0, 0)
    await second.settle(0, 1)
    third = Owner(kafka)
    assert kafka.positions()[1] == 2 or 1 in third.journal.settled[1]


@instantly
async def test_journal_is_not_read_whole_after_an_owner_that_settled_nothing() -> None:
    kafka = FakeKafkaLane()
    first = Owner(kafka)
    first.progress[0].give(range(100))
    for offset in range(100):
        await first.settle(0, offset)
    await first.confirm()
    await Owner(kafka).confirm()
    kafka.read_journal()
    assert kafka.journal_read <= 1


@pytest.mark.parametrize("sends", [pytest.param(n, id=f"after {n} of 3 sends") for n in (1, 2, 3)])
@instantly
async def test_lane_that_is_fenced_in_the_middle_of_a_cycle_is_lost_to_its_new_owner(sends: int) -> None:
    kafka = FakeKafkaLane()
    owner = Owner(kafka)
    kafka.fence_after_sends = sends
    owner.progress[0].give([0])
    owner.submit(0, 0)
    with pytest.raises(LaneLost) as lost:
        await owner.run()
    assert lost.value.fenced


ENTRY = BatchEvent(batch_id="b", state="opened")


@instantly
async def test_cycles_are_yielded_in_order_each_with_all_that_waited() -> None:
    owner = Owner(FakeKafkaLane())
    owner.progress[0].give(range(4))
    owner.submit(0, 0)
    seen = []
    async for cycle in owner.committer.cycles():
        seen.append([settlement.offsets[0] for settlement in cycle.settlements])
        if len(seen) == 3:
            break
        for offset in [[1], [2, 3]][len(seen) - 1]:
            owner.submit(0, offset)
    assert seen == [[[0]], [[1]], [[2], [3]]]


@instantly
async def test_entry_is_done_once_its_cycle_was_taken_note_of() -> None:
    kafka = FakeKafkaLane()
    owner = Owner(kafka)
    owner.progress[0].give([0])
    written, cycles = owner.committer.write(ENTRY), owner.committer.cycles()
    await anext(cycles)
    assert (len(kafka.journal), written.done()) == (1, False)
    owner.submit(0, 0)
    await anext(cycles)
    assert written.done()


@instantly
async def test_nobody_waits_for_a_lane_that_is_lost() -> None:
    kafka = FakeKafkaLane()
    owner = Owner(kafka)
    kafka.fence_after_sends = 1
    waiting = [owner.committer.write(ENTRY), owner.committer.confirm()]
    with pytest.raises(LaneLost):
        await owner.run()
    assert all(done.done() for done in waiting)
    assert owner.committer.write(ENTRY).done()
    owner.submit(0, 0)
    await owner.committer.drained()


@pytest.mark.parametrize("error", [KafkaError("no coordinator"), asyncio.CancelledError()], ids=repr)
@instantly
async def test_lane_that_kafka_refuses_is_lost_and_not_fenced(error: BaseException) -> None:
    class Refusing(FakeKafkaLane):
        async def begin_transaction(self) -> None:
            raise error

    owner = Owner(Refusing())
    owner.committer.confirm()
    with pytest.raises(LaneLost, match="lane 0 cannot be written") as lost:
        await owner.run()
    assert not lost.value.fenced


@instantly
async def test_lane_whose_cycles_are_cancelled_is_not_lost() -> None:
    cycles = asyncio.create_task(Owner(FakeKafkaLane()).run())
    await asyncio.sleep(1)
    cycles.cancel()
    await asyncio.wait([cycles])
    assert cycles.cancelled()


@instantly
async def test_committed_cycle_confirms_the_lane_from_when_it_asked() -> None:
    owner = Owner(FakeKafkaLane())
    opened_at_s = owner.committer.confirmed_at_s
    await owner.confirm()
    assert opened_at_s < owner.committer.confirmed_at_s < time.monotonic()


def _metadata(kafka: FakeKafkaLane) -> list[CommitMetadata | None]:
    found = [kafka.committed.get(TopicPartition(topic, 0)) for topic in TOPICS.inputs]
    return [None if one is None else CommitMetadata.decode(one.metadata) for one in found]


@instantly
async def test_first_cycle_names_the_topics_of_all_offsets() -> None:
    kafka = FakeKafkaLane()
    await Owner(kafka).confirm()
    expected = [CommitMetadata(topic_id=topic_id) for topic_id in TOPIC_IDS.inputs]
    expected[0] = CommitMetadata(topic_id="id-0", journal=0, journal_id="id-batches")
    assert _metadata(kafka) == expected


@instantly
async def test_lane_that_was_found_strange_commits_at_once_what_counts_now() -> None:
    kafka = FakeKafkaLane()
    await Owner(kafka).cycle()
    assert kafka.committed == {}
    await Owner(kafka, is_strange=True).cycle()
    assert len(kafka.committed) == len(TOPICS.inputs)


@instantly
async def test_entries_name_the_topics_of_their_rows() -> None:
    kafka = FakeKafkaLane()
    owner = Owner(kafka)
    for topic in (0, 2):
        owner.progress[topic].give([0])
        owner.submit(topic, 0)
    owner.committer.write(ENTRY)
    await owner.cycle()
    named = [decode_batch(value).topic_ids for value in kafka.journal.values()]
    assert named == [[], ["id-0"], ["", "", "id-2"]]
