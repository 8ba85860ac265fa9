"""Lanes on a real Kafka, opened by the writer's own code and run as a writer runs them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from sluice.client.connection import Connection
from sluice.destinations.contract import Account
from sluice.flow.batch import Item
from sluice.kafka.topic_admin import admin_client, topic_states
from sluice.telemetry.metrics import WriterMetrics
from sluice.topics import DestinationTopics
from sluice.writer.lanes.buffer import Buffer
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.opening import LaneOpener, LaneTerms
from sluice.writer.lanes.state_reading import LaneTopics
from tests.support.factories import DELIVERED, record_message
from tests.support.fakes import BUFFER_LIMITS, BUILDER, DECODER, ORDER_TERMS, FakeDestination, settle
from tests.support.instant_clock import in_background
from tests.support.kafka_admin import remake_topics


class LaneOwner(NamedTuple):
    """A process that may take the lanes of ``crm``."""

    connection: Connection
    opener: LaneOpener
    metrics: WriterMetrics

    @asynccontextmanager
    async def owned(self, partition: int) -> AsyncIterator[Lane]:
        """Open a lane, and commit what the body has submitted."""
        lane = await self.opener.open(partition)
        try:
            async with in_background(run_cycles(lane)):
                yield lane
                await lane.committer.drained()
        finally:
            await lane.committer.close()

    async def publish(self, partition: int, count: int) -> None:
        """Publish the records that :func:`~tests.support.factories.record_message` makes."""
        servers = self.connection.kafka.bootstrap_servers
        async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
            for offset in range(count):
                message = record_message(offset)
                records = self.connection.topics("crm").records
                await producer.send(records, message.value, message.key, partition)

    async def settle_all(self, partition: int, count: int) -> None:
        """Publish ``count`` records, and settle all of them."""
        await self.publish(partition, count)
        async with self.owned(partition) as lane:
            settle(lane, accept(lane, count), *[DELIVERED] * count)

    async def commit(self, partition: int, offset: int, metadata: str = "") -> None:
        """Commit an offset of the lane's records as an administrator does, with a tool."""
        topics, servers = self.connection.topics("crm"), self.connection.kafka.bootstrap_servers
        group_id = group_of(topics)
        async with AIOKafkaConsumer(bootstrap_servers=servers, group_id=group_id, enable_auto_commit=False) as consumer:
            records = TopicPartition(topics.records, partition)
            consumer.assign([records])
            await consumer.commit({records: OffsetAndMetadata(offset, metadata)})

    async def committed(self, partition: int) -> OffsetAndMetadata | None:
        """Return what is committed of the lane's records; ``None`` for nothing."""
        topics = self.connection.topics("crm")
        async with admin_client(self.connection.kafka) as admin:
            found = await admin.list_consumer_group_offsets(group_of(topics))
        one: OffsetAndMetadata | None = found.get(TopicPartition(topics.records, partition))
        return one


async def lane_owner(connection: Connection, admin: Any, destination: Account | None = None) -> LaneOwner:
    """Make one that knows the topics as they are now."""
    topics, metrics = connection.topics("crm"), WriterMetrics("crm")
    ids = {state.name: state.topic_id for state in await topic_states(admin, topics.all)}
    opener = LaneOpener(connection.kafka, admin, lane_terms(LaneTopics(topics, ids), destination), metrics)
    return LaneOwner(connection, opener, metrics)


def lane_terms(topics: LaneTopics, destination: Account | None = None) -> LaneTerms:
    """Return terms for lanes whose vendor takes everything, unless ``destination`` is another."""
    return LaneTerms(
        destination=destination or FakeDestination(),
        topics=topics,
        group_id=group_of(topics.names),
        decoder=DECODER,
        builder=BUILDER,
        buffer=Buffer(BUFFER_LIMITS),
        order=ORDER_TERMS,
    )


def group_of(topics: DestinationTopics) -> str:
    """Return the group in which the lanes' offsets are committed."""
    return f"{topics.records}.writer"


def accept(lane: Lane, count: int) -> list[Item]:
    """Have ``lane`` take its first ``count`` records, and return the items that may go to the vendor."""
    return lane.accept(0, [record_message(offset, lane=lane.partition) for offset in range(count)])


async def remade(owner: LaneOwner, *names: str) -> LaneOwner:
    """Make topics anew, and return an owner that knows them."""
    await remake_topics(owner.connection.kafka.bootstrap_servers, names)
    async with admin_client(owner.connection.kafka) as admin:
        return await lane_owner(owner.connection, admin)


async def run_cycles(lane: Lane) -> None:
    """Run the commit cycles of ``lane``."""
    async for cycle in lane.committer.cycles():
        lane.committed(cycle.settlements)
