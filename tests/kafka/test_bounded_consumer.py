"""BoundedConsumer: polls are bounded in bytes, and nothing is lost or comes twice for it."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition

from sluice.kafka.bounded_consumer import MAX_POLL_BYTES, BoundedConsumer, unpacked_bytes
from tests.conftest import CreateTopics
from tests.support.factories import FakeMessage
from tests.support.kafka_admin import RunningKafka
from tests.support.memory import held_bytes
from tests.support.raw_records import publish_with_header_name

Headers = list[tuple[str, bytes]]


async def _publish(kafka: RunningKafka, topic: str, headers: Sequence[Headers]) -> None:
    """Publish a message with each of ``headers``, in turn to partition 0 and 1; its value is its number."""
    servers = kafka.bootstrap_servers
    async with AIOKafkaProducer(bootstrap_servers=servers, compression_type="zstd") as producer:
        for number, one in enumerate(headers):
            await producer.send(topic, str(number).encode(), None, number % 2, headers=one)


@asynccontextmanager
async def _reading(kafka: RunningKafka, topic: str) -> AsyncIterator[BoundedConsumer]:
    consumer = BoundedConsumer(
        bootstrap_servers=kafka.bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in (0, 1)])
        yield consumer
    finally:
        await consumer.stop()


async def _polls(consumer: BoundedConsumer, messages: int, max_records: int | None) -> list[list[ConsumerRecord]]:
    """Poll until so many ``messages`` have come."""
    polls: list[list[ConsumerRecord]] = []
    while sum(map(len, polls)) < messages:
        polled = await consumer.getmany(timeout_ms=1000, max_records=max_records)
        assert all(polled.values())
        polls.append([message for found in polled.values() for message in found])
    return polls


@pytest.mark.parametrize("max_records", [None, 3])
async def test_polls_bring_every_message_once_in_order(
    kafka: RunningKafka, prefix: str, create_topics: CreateTopics, max_records: int | None
) -> None:
    topic = f"{prefix}t"
    await create_topics([topic], partitions=2)
    sizes = [random.choice((0, 10, 300_000, 900_000)) for _ in range(60)]
    await _publish(kafka, topic, [[("x", bytes(size))] for size in sizes])
    async with _reading(kafka, topic) as consumer:
        polls = await _polls(consumer, len(sizes), max_records)
    for partition in (0, 1):
        values = [int(message.value) for poll in polls for message in poll if message.partition == partition]
        assert values == list(range(partition, len(sizes), 2))
    for poll in polls:
        assert len(poll) <= (max_records or len(sizes))
        assert sum(unpacked_bytes(message) for message in poll[:-1]) < MAX_POLL_BYTES


async def test_poll_of_small_messages_brings_as_many_as_may_be(
    kafka: RunningKafka, prefix: str, create_topics: CreateTopics
) -> None:
    topic = f"{prefix}t"
    await create_topics([topic], partitions=2)
    await _publish(kafka, topic, [[]] * 3000)
    async with _reading(kafka, topic) as consumer:
        polls = await _polls(consumer, 3000, 4000)
    assert len(polls) <= 4, "a poll ends where a fetch ends"


async def test_messages_before_one_that_cannot_be_read_arrive_before_its_error(
    kafka: RunningKafka, prefix: str, create_topics: CreateTopics
) -> None:
    topic = f"{prefix}t"
    await create_topics([topic], partitions=2)
    await _publish(kafka, topic, [[], []])
    await publish_with_header_name(kafka.bootstrap_servers, topic, 0, b"n\xffme")
    async with _reading(kafka, topic) as consumer:
        polls = await _polls(consumer, 3, None)
        assert sorted(message.value for poll in polls for message in poll) == [b"0", b"1", b"{}"]
        with pytest.raises(UnicodeDecodeError):
            await _polls(consumer, 1, None)


@pytest.mark.parametrize("headers", [0, 1, 20])
def test_unpacked_bytes_are_those_that_python_holds(headers: int) -> None:
    def make() -> list[FakeMessage]:
        return [
            FakeMessage(
                key=bytes(range(50)),
                value=bytes(bytearray(1000)),
                headers=tuple((f"name-{number}-{header}", bytes(bytearray(30))) for header in range(headers)),
            )
            for number in range(200)
        ]

    messages, size_bytes = held_bytes(make)
    counted_bytes = sum(map(unpacked_bytes, messages))
    assert 0.85 * counted_bytes <= size_bytes <= 1.15 * counted_bytes + 300 * len(messages)
