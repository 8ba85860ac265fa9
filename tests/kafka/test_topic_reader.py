"""A topic is read from the place that was asked for to its end, whatever stands there."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from sluice.client.connection import Connection
from sluice.kafka.topic_reader import Since, TopicReader

WRITTEN_AT = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


async def _write(connection: Connection, values: str, *, partition: int = 0) -> str:
    """Write a message for each letter, one second after the other; ``|`` ends a transaction, ``x`` aborts it.

    Return the topic.
    """
    topic, servers = connection.topics("crm").records, connection.kafka.bootstrap_servers
    async with AIOKafkaProducer(bootstrap_servers=servers, transactional_id=f"{topic}.tx") as producer:
        await producer.begin_transaction()
        for seconds, value in enumerate(values):
            if value in "|x":
                await (producer.commit_transaction() if value == "|" else producer.abort_transaction())
                await producer.begin_transaction()
            else:
                at_ms = int(WRITTEN_AT.timestamp() + seconds) * 1000
                await producer.send_and_wait(topic, value.encode(), None, partition, at_ms)
        await producer.commit_transaction()
    return topic


async def _text(readings: AsyncIterator[list[ConsumerRecord]]) -> str:
    async with asyncio.timeout(20):
        return "".join([message.value.decode() async for messages in readings for message in messages])


@pytest.mark.parametrize(
    ("since", "text"),
    [
        pytest.param("beginning", "abcd", id="the beginning"),
        pytest.param("now", "", id="now"),
        pytest.param(datetime(1969, 7, 20, tzinfo=UTC), "abcd", id="before 1970 is the beginning"),
        pytest.param(WRITTEN_AT + timedelta(seconds=2), "cd", id="the instant of a message"),
        pytest.param(WRITTEN_AT + timedelta(seconds=1, milliseconds=1), "cd", id="between two messages"),
        pytest.param(datetime.max.replace(tzinfo=UTC), "", id="the future is the end"),
    ],
)
async def test_reading_begins_where_it_was_asked_to(connection: Connection, since: Since, text: str) -> None:
    topic = await _write(connection, "abcd")
    async with TopicReader(connection.kafka) as reader:
        assert await _text(reader.read(topic, [0], since)) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        pytest.param("", "", id="an empty topic but for a control record"),
        pytest.param("a|b|", "ab", id="control records at the end"),
        pytest.param("abxcdx", "", id="nothing but aborted messages"),
        pytest.param("a|bcxd|ex", "ad", id="aborted messages between and at the end"),
    ],
)
async def test_reading_ends_where_nothing_is_handed_out(connection: Connection, written: str, text: str) -> None:
    topic = await _write(connection, written)
    async with TopicReader(connection.kafka) as reader:
        assert await _text(reader.read(topic, [0])) == text
        assert await _text(reader.read(topic, [0])) == text


async def test_partitions_are_read_alone_and_in_order(connection: Connection) -> None:
    for partition, values in enumerate(("abc", "def", "ghi")):
        topic = await _write(connection, values, partition=partition)
    async with TopicReader(connection.kafka) as reader:
        assert sorted([await _text(reader.read(topic, [0])), await _text(reader.read(topic, [2]))]) == ["abc", "ghi"]
        starts = {TopicPartition(topic, 0): 1, TopicPartition(topic, 1): 2, TopicPartition(topic, 2): 4}
        assert sorted(await _text(reader.read_from(starts))) == ["b", "c", "f"]


async def test_a_message_is_found_at_its_offset_and_nowhere_else(connection: Connection) -> None:
    topic = await _write(connection, "ab|cxd|")  # a b - c - d -: an offset for each, and one for each control record
    admin = AIOKafkaAdminClient(bootstrap_servers=connection.kafka.bootstrap_servers)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=1)})
    await admin.close()
    async with TopicReader(connection.kafka) as reader, asyncio.timeout(20):
        found = [await reader.at(topic, 0, offset) for offset in range(9)]
        assert await reader.beginnings([TopicPartition(topic, 0)]) == {TopicPartition(topic, 0): 1}
    assert [message and message.value for message in found] == [None, b"b", None, None, None, b"d", None, None, None]
