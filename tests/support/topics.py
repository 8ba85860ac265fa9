"""A destination's topics for one test, and what stands in them."""

import asyncio
from collections.abc import AsyncIterable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from sluice.client.connection import Connection
from sluice.client.receipts import Receipt
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import admin_client
from tests.support.kafka_admin import RunningKafka, create_topics


def crm_connection(kafka: RunningKafka, prefix: str) -> Connection:
    """Return how to reach the topics of a destination ``crm``."""
    return Connection(
        kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers), topic_prefix=prefix, destinations=("crm",)
    )


async def crm_topics(kafka: RunningKafka, prefix: str) -> Connection:
    """Make the topics of ``crm`` that its publishers, consumers and redrives use, and return how to reach them."""
    connection = crm_connection(kafka, prefix)
    topics = connection.topics("crm")
    names = [topics.records, topics.succeeded, topics.dead_letters, topics.control]
    await create_topics(kafka.bootstrap_servers, names, partitions=3)
    return connection


async def read_all(connection: Connection, topic: str) -> list[ConsumerRecord]:
    """Read what is committed in ``topic`` now, partition after partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=connection.kafka.bootstrap_servers,
        isolation_level="read_committed",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in await _partitions(connection, topic)]
        ends = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)  # at once: the client would begin to look for its own default
        records: list[ConsumerRecord] = []
        for partition, end in ends.items():
            while await consumer.position(partition) < end:
                for batch in (await consumer.getmany(partition, timeout_ms=500)).values():
                    records += batch
        return records
    finally:
        await consumer.stop()


async def take_receipts(stream: AsyncIterable[Receipt], count: int) -> list[Receipt]:
    """Read the next ``count`` receipts of ``stream``."""
    receipts: list[Receipt] = []
    async with asyncio.timeout(30):
        async for receipt in stream:
            receipts.append(receipt)
            if len(receipts) == count:
                break
    return receipts


async def _partitions(connection: Connection, topic: str) -> range:
    async with admin_client(connection.kafka) as admin:
        (described,) = await admin.describe_topics([topic])
        return range(len(described["partitions"]))
