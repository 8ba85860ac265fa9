"""LaneOpener on a real Kafka: the next owner finds all that the last one has committed, and fences it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from sluice.client.connection import Connection
from sluice.events import encode_event
from sluice.flow.batch import Item
from sluice.flow.offset_set import OffsetSet
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import admin_client, create_topics
from sluice.topics import DestinationTopics
from sluice.writer.lanes.buffer import Buffer
from sluice.writer.lanes.committer import LaneLost
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.opening import LaneOpener, LaneTerms, parked_keys
from tests.support.factories import DELIVERED, NOON, make_batch, record, record_message
from tests.support.fakes import BUFFER_LIMITS, BUILDER, DECODER, settle
from tests.support.instant_clock import in_background
from tests.support.kafka_admin import RunningKafka
from tests.support.topics import crm_connection


def _make_terms(topics: DestinationTopics) -> LaneTerms:
    return LaneTerms(
        topics=topics,
        group_id=f"{topics.records}.writer",
        decoder=DECODER,
        builder=BUILDER,
        buffer=Buffer(BUFFER_LIMITS),
        ordered=True,
    )


class Setup(NamedTuple):
    """An opener for the lanes of a destination; each test takes a lane of its own."""

    connection: Connection
    opener: LaneOpener

    @asynccontextmanager
    async def owned(self, partition: int) -> AsyncIterator[Lane]:
        """Open a lane, and commit what the body has submitted."""
        lane = await self.opener.open(partition)
        try:
            async with in_background(_run(lane)):
                yield lane
                await lane.committer.drained()
        finally:
            await lane.committer.close()


async def _run(lane: Lane) -> None:
    async for cycle in lane.committer.cycles():
        lane.committed(cycle.settlements)


@pytest_asyncio.fixture(scope="module")
async def setup(kafka: RunningKafka) -> AsyncIterator[Setup]:
    connection = crm_connection(kafka, f"opening-{uuid.uuid4().hex[:8]}.")
    async with admin_client(connection.kafka) as admin:
        await create_topics(admin, "crm", connection.topic_prefix, partitions=5)
        yield Setup(connection, LaneOpener(connection.kafka, admin, _make_terms(connection.topics("crm"))))


def _accept(lane: Lane, count: int) -> list[Item]:
    return lane.accept(0, [record_message(offset, lane=lane.partition) for offset in range(count)])


async def test_lane_that_nobody_has_owned_is_read_from_the_beginning(setup: Setup) -> None:
    async with setup.owned(0) as lane:
        committed = [0] * len(setup.opener.inputs(0))
        assert lane.summary() == {"committed": committed, "settled_beyond": 0, "in_doubt": 0, "parked": 0}


async def test_next_owner_skips_what_is_settled_beyond_the_commit(setup: Setup) -> None:
    async with setup.owned(1) as lane:
        first, _, third = _accept(lane, 3)
        settle(lane, [first, third], DELIVERED, DELIVERED)
    async with setup.owned(1) as lane:
        assert lane.progress[0].position == 1
        assert [item.offset for item in _accept(lane, 4)] == [1, 3]


async def test_next_owner_knows_what_was_being_sent(setup: Setup) -> None:
    vendor_at = NOON - timedelta(seconds=5)
    async with setup.owned(2) as lane:
        items = _accept(lane, 2)
        await lane.write_ahead(make_batch(items[1:], "batch-7"), items[1:], NOON, vendor_at)
    opened_at_s = asyncio.get_running_loop().time()
    async with setup.owned(2) as lane:
        first, second = _accept(lane, 2)
        assert (first.in_doubt, second.in_doubt and second.in_doubt.batch_id) == (None, "batch-7")
        assert second.in_doubt is not None
        assert second.in_doubt.vendor_at == vendor_at
        assert opened_at_s <= second.in_doubt.lost_at_s <= asyncio.get_running_loop().time()


async def test_keys_of_unread_retries_are_parked(setup: Setup) -> None:
    retries = setup.connection.topics("crm").retries[0].name
    async with AIOKafkaProducer(bootstrap_servers=setup.connection.kafka.bootstrap_servers) as producer:
        for key, value in [(b"a", b""), (None, encode_event(record(key="b"))), (None, b"no record event")]:
            await producer.send_and_wait(retries, value, key, 3)
    async with setup.owned(3) as lane:
        events = [record(key=key) for key in ("a", "b", "c")]
        items = lane.accept(0, [record_message(offset, event, lane=3) for offset, event in enumerate(events)])
        assert [item.order_key for item in items] == [b"c"]


async def test_last_owner_is_fenced_before_anything_is_read(setup: Setup) -> None:
    lane = await setup.opener.open(4)
    items, running = _accept(lane, 500), asyncio.create_task(_run(lane))

    async def settle_each(items: Sequence[Item]) -> None:
        for item in items:
            settle(lane, [item], DELIVERED)
            await lane.committer.drained()

    await settle_each(items[:1])
    settling = asyncio.create_task(settle_each(items[1:]))
    async with setup.owned(4) as new:
        with pytest.raises(LaneLost, match="lane 4 has a new owner"):
            await running
    await settling
    await lane.committer.close()
    async with setup.owned(4) as newest:
        assert 0 < newest.progress[0].position == new.progress[0].position < 500


async def test_lane_cannot_be_opened_without_kafka(setup: Setup) -> None:
    opener = LaneOpener(
        KafkaSettings(bootstrap_servers="localhost:1"), None, _make_terms(setup.connection.topics("crm"))
    )
    with pytest.raises(KafkaUnreachable, match="localhost:1"):
        await opener.open(0)


def test_retry_that_is_settled_already_parks_no_key() -> None:
    retries = [(1, 0, b"settled"), (1, 1, b"waits"), (2, 0, b"another topic"), (2, 1, None)]
    assert parked_keys(retries, [OffsetSet(), OffsetSet([0]), OffsetSet()]) == [b"waits", b"another topic"]
