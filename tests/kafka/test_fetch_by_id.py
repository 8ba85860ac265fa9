"""A consumer reads one topic, whatever else comes to have its name, and says when its place is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from sluice.kafka.fetch_by_id import PositionLost, fetch_by_id
from sluice.kafka.topic_ids import describe_topics
from tests.conftest import CreateTopics
from tests.support.kafka_admin import RunningKafka, remake_topics


class Reading(NamedTuple):
    servers: str
    topic: str
    consumer: AIOKafkaConsumer

    async def publish(self, *values: str, partition: int = 0) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.servers) as producer:
            for value in values:
                await producer.send_and_wait(self.topic, value.encode(), None, partition)

    async def values(self, count: int) -> list[str]:
        found: list[str] = []
        async with asyncio.timeout(20):
            while len(found) < count:
                for messages in (await self.consumer.getmany(timeout_ms=50)).values():
                    found += [message.value.decode() for message in messages]
        return sorted(found)


@asynccontextmanager
async def _reading(kafka: RunningKafka, topic: str, *, keep_place: bool = True) -> AsyncIterator[Reading]:
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest") as consumer:
        [described] = await describe_topics(consumer, [topic])
        fetch_by_id(consumer, {topic: described.topic_id}, keep_place=keep_place)
        partitions = [TopicPartition(topic, number) for number in range(len(described.replicas))]
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        yield Reading(kafka.bootstrap_servers, topic, consumer)


async def test_everything_is_read_as_by_name(kafka: RunningKafka, prefix: str, create_topics: CreateTopics) -> None:
    await create_topics([f"{prefix}t"], partitions=2)
    async with _reading(kafka, f"{prefix}t") as reading:
        await reading.publish("a", "b")
        await reading.publish("c", partition=1)
        assert await reading.values(3) == ["a", "b", "c"]


async def test_aborted_messages_are_left_out(kafka: RunningKafka, prefix: str, create_topics: CreateTopics) -> None:
    topic, servers = f"{prefix}t", kafka.bootstrap_servers
    await create_topics([topic])
    async with AIOKafkaProducer(bootstrap_servers=servers, transactional_id=topic) as producer:
        for value, commit in ((b"a", True), (b"b", False), (b"c", True)):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, value, None, 0)
            await (producer.commit_transaction() if commit else producer.abort_transaction())
    async with AIOKafkaConsumer(bootstrap_servers=servers, isolation_level="read_committed") as consumer:
        [described] = await describe_topics(consumer, [topic])
        fetch_by_id(consumer, {topic: described.topic_id}, keep_place=True)
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), 0)
        assert await Reading(servers, topic, consumer).values(2) == ["a", "c"]


@pytest.mark.parametrize("published", [pytest.param(1, id="shorter"), pytest.param(9, id="longer")])
async def test_nothing_is_read_of_another_topic_with_the_name(
    kafka: RunningKafka, prefix: str, create_topics: CreateTopics, published: int
) -> None:
    await create_topics([f"{prefix}t"])
    async with _reading(kafka, f"{prefix}t", keep_place=False) as reading:
        await reading.publish("a", "b", "c")
        await reading.values(3)
        await remake_topics(kafka.bootstrap_servers, [reading.topic])
        await reading.publish(*["new"] * published)
        with pytest.raises(PositionLost, match="is gone, which was being read"):
            await reading.values(1)


async def test_a_topic_that_is_gone_is_told(kafka: RunningKafka, prefix: str, create_topics: CreateTopics) -> None:
    await create_topics([f"{prefix}t"])
    async with _reading(kafka, f"{prefix}t") as reading:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
        await admin.start()
        await admin.delete_topics([reading.topic])
        await admin.close()
        with pytest.raises(PositionLost):
            await reading.values(1)


async def test_a_place_that_retention_has_taken_is_told_to_who_keeps_it(
    kafka: RunningKafka, prefix: str, create_topics: CreateTopics
) -> None:
    topic, servers = f"{prefix}t", kafka.bootstrap_servers
    await create_topics([topic])
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for value in (b"a", b"b", b"c"):
            await producer.send_and_wait(topic, value, None, 0)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=2)})
    await admin.close()
    async with _reading(kafka, topic) as keeping:
        with pytest.raises(PositionLost, match=f"offset 0 is not in {topic} 0 any more"):
            await keeping.values(1)
        keeping.consumer.seek(TopicPartition(topic, 0), 2)
        assert await keeping.values(1) == ["c"]
    async with _reading(kafka, topic, keep_place=False) as going_on:
        assert await going_on.values(1) == ["c"]
