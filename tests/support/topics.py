"""A destination's topics for one test, and what stands in them."""

import asyncio
from collections.abc import AsyncIterable
from typing import Any

from aiokafka import ConsumerRecord

from sluice.client.connection import Connection
from sluice.client.receipts import Receipt
from sluice.kafka.topic_admin import admin_client, topic_states
from sluice.kafka.topic_reader import TopicReader
from tests.support.kafka_admin import RunningKafka, create_topics


def crm_connection(kafka: RunningKafka, prefix: str) -> Connection:
    """Return how to reach the topics of a destination ``crm``."""
    return Connection(kafka=kafka.settings, topic_prefix=prefix, destinations=("crm",))


async def crm_topics(kafka: RunningKafka, prefix: str) -> Connection:
    """Make the topics of ``crm`` that its publishers, consumers and redrives use, and return how to reach them."""
    connection = crm_connection(kafka, prefix)
    topics = connection.topics("crm")
    names = [topics.records, topics.succeeded, topics.dead_letters, topics.control]
    await create_topics(kafka.bootstrap_servers, names, partitions=3)
    return connection


async def partitions_of(admin: Any, topic: str) -> range:
    """Return the partitions that ``topic`` has now."""
    [state] = await topic_states(admin, [topic])
    return range(state.partitions)


async def read_all(connection: Connection, topic: str) -> list[ConsumerRecord]:
    """Read what is committed in ``topic`` now, partition after partition."""
    async with admin_client(connection.kafka) as admin:
        partitions = await partitions_of(admin, topic)
    records: list[ConsumerRecord] = []
    async with TopicReader(connection.kafka) as reader:
        for partition in partitions:
            async for messages in reader.read(topic, [partition]):
                records += messages
    return records


async def take_receipts(stream: AsyncIterable[Receipt], count: int) -> list[Receipt]:
    """Read the next ``count`` receipts of ``stream``."""
    receipts: list[Receipt] = []
    async with asyncio.timeout(90):
        async for receipt in stream:
            receipts.append(receipt)
            if len(receipts) == count:
                break
    return receipts
