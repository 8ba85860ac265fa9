"""The partitioner of all publishers of a destination: murmur2 of the message key, which is Java's and aiokafka's.

Order per key holds within a partition. A publisher with another partitioner, such as librdkafka's default of crc32,
puts the same key on another partition, and nothing keeps the two in order.
"""

from collections.abc import Sequence

from aiokafka import TopicPartition
from aiokafka.partitioner import murmur2

from sluice.events import SLUICE_HEADER, KafkaRecord
from sluice.kafka.topic_reader import TopicReader

ADVICE = (
    "a publisher does not choose partitions by murmur2, or partitions were added since: keys that stand on two "
    "partitions are not applied in order; set partitioner=murmur2_random in clients of librdkafka (confluent-kafka, "
    "rdkafka), and Java's partitioner in others"
)
MAX_KEY_BYTES = 128
"""Longer keys are left out: murmur2 in Python costs 0.6 µs a byte."""
NEWEST = 100
"""Records of each partition that are looked at."""


def is_misplaced(message: KafkaRecord, partitions: int) -> bool:
    """Return whether murmur2 would put ``message``, of a records topic with so many partitions, somewhere else.

    A message without a key, and one that Sluice has published again, stands wherever it was put.
    """
    key = message.key
    if key is None or len(key) > MAX_KEY_BYTES or any(name.startswith(SLUICE_HEADER) for name, _ in message.headers):
        return False
    wanted: int = (murmur2(key) & 0x7FFFFFFF) % partitions
    return wanted != message.partition


async def find_misplaced(reader: TopicReader, topic: str, partitions: int) -> Sequence[KafkaRecord]:
    """Return those of the newest records of ``topic`` that are misplaced. Raises ``KafkaError``."""
    places = [TopicPartition(topic, number) for number in range(partitions)]
    beginnings, ends = await reader.beginnings(places), await reader.ends(places)
    starts = {place: max(beginnings[place], ends[place] - NEWEST) for place in places}
    return [
        message
        async for messages in reader.read_from(starts)
        for message in messages
        if is_misplaced(message, partitions)
    ]
