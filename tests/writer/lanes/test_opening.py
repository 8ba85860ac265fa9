"""LaneOpener on a real Kafka: the next owner fences the last one, and finds all that it has committed."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from sluice.flow.batch import Item
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import admin_client, create_topics
from sluice.telemetry.metrics import WriterMetrics
from sluice.topics import topics_of
from sluice.writer.lanes.committer import LaneLost
from sluice.writer.lanes.opening import LaneOpener
from sluice.writer.lanes.state_reading import LaneTopics
from tests.support.factories import DELIVERED
from tests.support.fake_items import FakeItemDestination
from tests.support.fakes import settle
from tests.support.kafka_admin import RunningKafka
from tests.support.lane_owner import LaneOwner, accept, lane_owner, lane_terms, run_cycles
from tests.support.topics import crm_connection


@pytest_asyncio.fixture(scope="module")
async def owner(kafka: RunningKafka) -> AsyncIterator[LaneOwner]:
    """Make a destination whose lanes each serve one test."""
    connection = crm_connection(kafka, f"opening-{uuid.uuid4().hex[:8]}.")
    async with admin_client(connection.kafka) as admin:
        await create_topics(admin, "crm", connection.topic_prefix, partitions=1)
        yield await lane_owner(connection, admin)


async def test_last_owner_is_fenced_before_anything_is_read(owner: LaneOwner) -> None:
    await owner.publish(0, 500)
    lane = await owner.opener.open(0)
    items, running = accept(lane, 500), asyncio.create_task(run_cycles(lane))

    async def settle_each(items: Sequence[Item]) -> None:
        for item in items:
            settle(lane, [item], DELIVERED)
            await lane.committer.drained()

    await settle_each(items[:1])
    settling = asyncio.create_task(settle_each(items[1:]))
    async with owner.owned(0) as new:
        with pytest.raises(LaneLost, match="lane 0 has a new owner"):
            await running
    await settling
    await lane.committer.close()
    async with owner.owned(0) as newest:
        assert 0 < newest.progress[0].position == new.progress[0].position < 500


async def test_next_owner_learns_what_the_last_one_knew_of_the_vendor(kafka: RunningKafka) -> None:
    """Else it takes for its own what that one has made: its own look at the vendor may be older."""
    connection = crm_connection(kafka, f"newest-{uuid.uuid4().hex[:8]}.")
    last, new = FakeItemDestination(), FakeItemDestination()
    async with admin_client(connection.kafka) as admin:
        await create_topics(admin, "crm", connection.topic_prefix, partitions=1)
        owner = await lane_owner(connection, admin, last)
        await owner.publish(0, 1)
        async with owner.owned(0) as lane:
            items = accept(lane, 1)
            last.newest_ids = {"issue": "28471980"}
            settle(lane, items, DELIVERED)
            await lane.committer.drained()
        async with (await lane_owner(connection, admin, new)).owned(0):
            assert (last.learned, new.learned) == ([{}], [{"issue": "28471980"}])


async def test_lane_cannot_be_opened_without_kafka() -> None:
    topics = topics_of("crm")
    terms = lane_terms(LaneTopics(topics, dict.fromkeys(topics.all, "")))
    opener = LaneOpener(KafkaSettings(bootstrap_servers="localhost:1"), None, terms, WriterMetrics("crm"))
    with pytest.raises(KafkaUnreachable, match="localhost:1"):
        await opener.open(0)
