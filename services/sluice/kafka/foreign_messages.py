"""Messages of somebody else in topics that are ours to write: skipped, logged with their place, and counted.

Anybody with the right to write may have written them. They must not stop those who read the topic, now and after each
restart, and they mean nothing.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from sluice.events import KafkaRecord
from sluice.kafka.aiokafka_workarounds import unreadable_batch

log = logging.getLogger(__name__)

MESSAGE = "a message that is none of ours is skipped"

Event = TypeVar("Event")


class ForeignMessages:
    """Skips them; ``count`` is told the topic of each."""

    def __init__(self, count: Callable[[str], None] | None = None) -> None:
        self._count = count

    def read(self, message: KafkaRecord, read: Callable[[KafkaRecord], Event]) -> Event | None:
        """Return ``message`` as ``read`` makes it out; ``None`` where it is none of ours."""
        try:
            return read(message)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._skip(message.topic, message.partition, str(message.offset), error)
        return None

    async def getmany(
        self, consumer: AIOKafkaConsumer, *, timeout_ms: int, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Poll ``consumer``, and skip Kafka batches in which a header's name is no UTF-8: aiokafka cannot read them.

        Such a batch is of one producer, and ours write no such names: nothing of ours is skipped with it.
        """
        while True:
            try:
                polled: dict[TopicPartition, list[ConsumerRecord]]
                polled = await consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
            except UnicodeDecodeError as error:
                batch = unreadable_batch(error)
                if batch is None:
                    raise
                partition, offsets = batch
                self._skip(partition.topic, partition.partition, f"{offsets.start} to {offsets.stop - 1}", error)
                consumer.seek(partition, offsets.stop)
            else:
                return polled

    def _skip(self, topic: str, partition: int, offset: str, error: Exception) -> None:
        place = {"topic": topic, "partition": partition, "offset": offset}
        log.warning(MESSAGE, extra={**place, "error": str(error)})
        if self._count is not None:
            self._count(topic)
