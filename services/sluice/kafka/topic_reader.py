"""Reads what stands in a topic now, to its end and no further: for looking things up, not for following."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from sluice.kafka.clients import KafkaUnreachable, client_options
from sluice.kafka.settings import KafkaSettings

_POLL_MS = 100
_FETCH_BYTES = 4 * 1024 * 1024
"""Per partition and fetch: large, because everything is wanted. A larger message still arrives, alone."""

_MAX_MESSAGES = 4000
"""Handed over at a time: a fetch may hold a hundred thousand, which unpacked take a hundred times its memory."""


class TopicReader:
    """One consumer without a group; it sees only what is committed. Not for two readings at a time."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._consumer: Any = None

    async def __aenter__(self) -> Self:
        """Raises :class:`~sluice.kafka.clients.KafkaUnreachable`."""
        self._consumer = AIOKafkaConsumer(
            **client_options(self._kafka),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_FETCH_BYTES,
        )
        try:
            await self._consumer.start()
        except (KafkaError, OSError) as error:
            await self._consumer.stop()
            raise KafkaUnreachable(self._kafka, error) from error
        # aiokafka 0.14 stops with a CancelledError if it is stopped before the task that it has just made first runs.
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def read(
        self, topic: str, partitions: Iterable[int], since: datetime | None = None
    ) -> AsyncIterator[list[ConsumerRecord]]:
        """Everything in these partitions, each list of one partition and none of them empty.

        ``since`` only says where to begin: older messages can stand behind newer ones, and then come, too.
        """
        wanted = [TopicPartition(topic, number) for number in partitions]
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(wanted)
        starts = await self._starts(wanted, since, ends)
        left = {partition: end for partition, end in ends.items() if starts[partition] < end}
        self._go_to({partition: starts[partition] for partition in left})
        while left:
            fetched = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_MAX_MESSAGES)
            for partition, messages in fetched.items():
                if partition not in left:
                    continue
                if messages[-1].offset >= left[partition]:
                    messages = [message for message in messages if message.offset < left[partition]]
                if messages:
                    yield messages
            for partition, end in list(left.items()):
                if await self._consumer.position(partition) >= end:
                    del left[partition]
                    self._consumer.pause(partition)

    async def at(self, topic: str, partition: int, offset: int) -> ConsumerRecord | None:
        """The message that stands there; ``None`` when there is none, or none any more."""
        place = TopicPartition(topic, partition)
        first = (await self._consumer.beginning_offsets([place]))[place]
        end = (await self._consumer.end_offsets([place]))[place]
        if not first <= offset < end:
            return None
        self._go_to({place: offset})
        while await self._consumer.position(place) <= offset:
            for message in (await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=1)).get(place, ()):
                return message if message.offset == offset else None
        return None

    async def first_offset(self, topic: str, partition: int) -> int:
        """The oldest offset that retention has left."""
        place = TopicPartition(topic, partition)
        offset: int = (await self._consumer.beginning_offsets([place]))[place]
        return offset

    def _go_to(self, offsets: dict[TopicPartition, int]) -> None:
        self._consumer.assign(list(offsets))
        for partition, offset in offsets.items():
            # In the same turn of the loop as the assignment: the client would begin to look for its own default.
            self._consumer.seek(partition, offset)

    async def _starts(
        self, partitions: Sequence[TopicPartition], since: datetime | None, ends: dict[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        if since is None:
            beginnings: dict[TopicPartition, int] = await self._consumer.beginning_offsets(partitions)
            return beginnings
        since_ms = max(0, int(since.timestamp() * 1000))
        found = await self._consumer.offsets_for_times(dict.fromkeys(partitions, since_ms))
        return {partition: at.offset if (at := found[partition]) else ends[partition] for partition in partitions}
