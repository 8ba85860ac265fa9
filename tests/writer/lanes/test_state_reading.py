"""StateReader on a real Kafka: the next owner of a lane knows what is settled, and in which topic."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from sluice.events import encode_event
from sluice.flow.commits import CommitMetadata
from sluice.kafka.topic_admin import admin_client, create_topics
from sluice.writer.lanes.decoding import Decoder
from sluice.writer.lanes.opening import LaneOpener
from tests.support.factories import DELIVERED, NOON, make_batch, record, record_message
from tests.support.fakes import FoldingDestination, settle
from tests.support.kafka_admin import RunningKafka
from tests.support.lane_owner import LaneOwner, accept, lane_owner, remade
from tests.support.topics import crm_connection


@pytest_asyncio.fixture(scope="module")
async def owner(kafka: RunningKafka) -> AsyncIterator[LaneOwner]:
    """Make a destination whose lanes each serve one test."""
    connection = crm_connection(kafka, f"state-{uuid.uuid4().hex[:8]}.")
    async with admin_client(connection.kafka) as admin:
        await create_topics(admin, "crm", connection.topic_prefix, partitions=9)
        yield await lane_owner(connection, admin)


async def test_lane_that_nobody_has_owned_is_read_from_the_beginning(owner: LaneOwner) -> None:
    async with owner.owned(0) as lane:
        committed = [0] * len(owner.opener.inputs(0))
        none = dict.fromkeys(("settled_beyond", "in_doubt", "parked", "vendor_jobs"), 0)
        assert lane.summary() == {"committed": committed, **none}


async def test_next_owner_skips_what_is_settled_beyond_the_commit(owner: LaneOwner) -> None:
    await owner.publish(1, 4)
    async with owner.owned(1) as lane:
        first, _, third = accept(lane, 3)
        settle(lane, [first, third], DELIVERED, DELIVERED)
    async with owner.owned(1) as lane:
        assert lane.progress[0].position == 1
        assert [item.offset for item in accept(lane, 4)] == [1, 3]


async def test_next_owner_knows_what_was_being_sent(owner: LaneOwner) -> None:
    vendor_at = NOON - timedelta(seconds=5)
    await owner.publish(2, 2)
    async with owner.owned(2) as lane:
        items = accept(lane, 2)
        await lane.journal.open(make_batch(items[1:], "batch-7"), items[1:], NOON, vendor_at)
    opened_at_s = asyncio.get_running_loop().time()
    async with owner.owned(2) as lane:
        first, second = accept(lane, 2)
        assert (first.in_doubt, second.in_doubt and second.in_doubt.batch_id) == (None, "batch-7")
        assert second.in_doubt is not None
        assert second.in_doubt.vendor_at == vendor_at
        assert opened_at_s <= second.in_doubt.lost_at_s <= asyncio.get_running_loop().time()


async def test_keys_of_unread_retries_are_parked(owner: LaneOwner) -> None:
    retries = owner.connection.topics("crm").retries[0].name
    async with AIOKafkaProducer(bootstrap_servers=owner.connection.kafka.bootstrap_servers) as producer:
        for key, value in [(b"a", b""), (None, encode_event(record(key="b"))), (None, b"no record event")]:
            await producer.send_and_wait(retries, value, key, 3)
    async with owner.owned(3) as lane:
        events = [record(key=key) for key in ("a", "b", "c")]
        items = lane.accept(0, [record_message(offset, event, lane=3) for offset, event in enumerate(events)])
        assert [item.order_key for item in items] == [b"c"]
        assert lane.waiting_retries == {1: 3}


async def test_keys_are_parked_as_the_kind_folds_them(owner: LaneOwner) -> None:
    kafka = owner.connection.kafka
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        await producer.send_and_wait(owner.connection.topics("crm").retries[0].name, b"", b"A", 5)
    async with admin_client(kafka) as admin:
        terms = owner.opener._terms._replace(decoder=Decoder(FoldingDestination(), max_bytes=1_000))
        opener = LaneOpener(kafka, admin, terms, owner.metrics)
        async with owner._replace(opener=opener).owned(5) as lane:
            events = [record(key=key) for key in ("a", "B")]
            items = lane.accept(0, [record_message(offset, event, lane=5) for offset, event in enumerate(events)])
            assert [item.order_key for item in items] == [b"b"]


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param(CommitMetadata(journal=10**15), id="far beyond the journal"),
        pytest.param(CommitMetadata(journal=-(10**15)), id="before its beginning"),
        pytest.param(CommitMetadata(journal=3, journal_id="AAAAAAAAAAAAAAAAAAAAAQ"), id="of another journal"),
    ],
)
async def test_a_place_in_the_journal_that_means_nothing_has_it_read_whole(
    owner: LaneOwner, metadata: CommitMetadata
) -> None:
    if not (await owner.committed(7)):
        await owner.settle_all(7, 6)
    await owner.commit(7, 2, metadata.encode())
    async with owner.owned(7) as lane:
        assert accept(lane, 6) == []


@pytest.fixture(name="own")
async def _own(kafka: RunningKafka, prefix: str) -> AsyncIterator[LaneOwner]:
    """Give a test a destination of its own, whose topics it may make anew."""
    connection = crm_connection(kafka, prefix)
    async with admin_client(connection.kafka) as admin:
        await create_topics(admin, "crm", prefix, partitions=1)
        yield await lane_owner(connection, admin)


async def test_lane_is_not_opened_for_a_topic_that_is_gone(own: LaneOwner) -> None:
    await own.settle_all(0, 3)
    await remade(own, own.connection.topics("crm").retries[3].name)
    with pytest.raises(KafkaError, match="is gone, which was being read"):
        await own.opener.open(0)
