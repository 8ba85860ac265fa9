"""Batches of messages arrive in order, and what Kafka refuses is raised."""

import asyncio
import gc
import random
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from sluice.client.connection import Connection
from sluice.kafka.sending import BatchedSends, Message
from tests.conftest import CreateTopics
from tests.support.topics import read_all


async def test_messages_arrive_in_order_in_as_few_batches_as_they_fit_in(connection: Connection) -> None:
    topic = connection.topics("crm").records
    messages = [Message(b"k", b"%0100d" % number, [("n", b"%d" % number)]) for number in range(50)]
    servers = connection.kafka.bootstrap_servers
    async with AIOKafkaProducer(bootstrap_servers=servers, max_batch_size=1250) as producer:
        sends = BatchedSends(producer, 1)
        assert await sends.send(topic, []) == []
        sent = await sends.send(topic, messages) + await sends.send(topic, [Message(None, None, [])])
        await sends.confirmed()
    assert [batch.messages for batch in sent] == [10, 10, 10, 10, 10, 1]
    found = await read_all(connection, topic)
    assert [(one.partition, one.key, one.value) for one in found] == [
        *((1, message.key, message.value) for message in messages),
        (1, None, None),
    ]
    assert found[7].headers == (("n", b"7"),)


async def test_a_refused_batch_is_raised_when_the_others_are_written(
    connection: Connection, create_topics: CreateTopics, prefix: str
) -> None:
    small, large = f"{prefix}small", connection.topics("crm").records
    await create_topics([small], config={"max.message.bytes": "1000"})
    async with AIOKafkaProducer(bootstrap_servers=connection.kafka.bootstrap_servers) as producer:
        sends = BatchedSends(producer, 0)
        for topic in (small, large):
            await sends.send(topic, [Message(None, random.Random(1).randbytes(5000), [])])
        with pytest.raises(MessageSizeTooLargeError):
            await sends.confirmed()
    assert [len(await read_all(connection, topic)) for topic in (small, large)] == [0, 1]


async def test_a_failure_that_nobody_waits_for_is_not_reported_by_the_event_loop(
    connection: Connection, create_topics: CreateTopics, prefix: str
) -> None:
    small, reported = f"{prefix}small", list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    await create_topics([small], config={"max.message.bytes": "1000"})
    async with AIOKafkaProducer(bootstrap_servers=connection.kafka.bootstrap_servers) as producer:
        await BatchedSends(producer, 0).send(small, [Message(None, random.Random(1).randbytes(5000), [])])
    gc.collect()
    assert reported == []
