"""Partitioner: murmur2, as Java's clients have it."""

import pytest
from aiokafka import AIOKafkaProducer

from sluice.client.connection import Connection
from sluice.events import Headers
from sluice.kafka.partitioner import MAX_KEY_BYTES, NEWEST, find_misplaced, is_misplaced
from sluice.kafka.topic_reader import TopicReader
from tests.support.factories import FakeMessage

BY_MURMUR2 = {b"acme5": 0, b"acme6": 0, b"acme7": 0, b"acme8": 1, b"acme9": 1, b"acme10": 1}
"""Partitions of two. crc32, the default of librdkafka, puts each of them on the other one."""


@pytest.mark.parametrize(("key", "partition"), BY_MURMUR2.items())
def test_key_is_misplaced_where_murmur2_does_not_put_it(key: bytes, partition: int) -> None:
    assert not is_misplaced(FakeMessage(key=key, partition=partition), 2)
    assert is_misplaced(FakeMessage(key=key, partition=1 - partition), 2)


@pytest.mark.parametrize(
    ("key", "headers"),
    [
        pytest.param(None, [], id="no key"),
        pytest.param(b"acme5", [("sluice.redrive-count", b"1")], id="redriven"),
        pytest.param(b"k" * (MAX_KEY_BYTES + 1), [], id="a key that takes too long to hash"),
    ],
)
def test_message_whose_partition_says_nothing_is_not_misplaced(key: bytes | None, headers: Headers) -> None:
    assert not any(is_misplaced(FakeMessage(key=key, headers=headers, partition=one), 2) for one in (0, 1))


async def test_newest_records_are_searched(connection: Connection) -> None:
    topic = connection.topics("crm").records
    async with AIOKafkaProducer(bootstrap_servers=connection.kafka.bootstrap_servers) as producer:
        for number in range(NEWEST + 1):
            await producer.send(topic, b"{}", b"too-old" if number == 0 else b"%d" % number)
        wrong = {partition: await producer.send_and_wait(topic, b"{}", b"acme", partition) for partition in range(3)}
    async with TopicReader(connection.kafka) as reader:
        found = await find_misplaced(reader, topic, 3)
    assert len(found) == 2
    assert {(one.key, one.offset - wrong[one.partition].offset) for one in found} == {(b"acme", 0)}
