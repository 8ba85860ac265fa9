"""Read topics from a place to their end as of now: for looking things up, not for following."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError

from sluice.kafka.aiokafka_workarounds import stop
from sluice.kafka.bounded_consumer import BoundedConsumer
from sluice.kafka.clients import client_options, start
from sluice.kafka.fetch_by_id import PositionLost, fetch_by_id
from sluice.kafka.foreign_messages import ForeignMessages
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_ids import describe_topics

Since = datetime | Literal["beginning", "now"]
"""The place in a topic at which reading begins."""
Offsets = dict[TopicPartition, int]

_POLL_MS = 50
_FETCH_BYTES = 4 * 1024 * 1024
"""Per partition and fetch: large, because everything is wanted. A larger message still arrives, alone."""

_MAX_MESSAGES = 4000
"""Handed over at a time: a fetch may hold a hundred thousand, which unpacked take a hundred times its memory."""


async def offsets_since(consumer: AIOKafkaConsumer, ends: Offsets, since: Since) -> Offsets:
    """Return the offset of each partition at which reading begins; ``ends`` are the partitions' ends.

    An instant stands for the first message written then or later; older ones can stand behind it. One before 1970 is
    the beginning.
    """
    if since == "now":
        return dict(ends)
    if since == "beginning":
        beginnings: Offsets = await consumer.beginning_offsets(list(ends))
        return beginnings
    since_ms = max(0, int(since.timestamp() * 1000))  # Kafka takes no negative time
    found = await consumer.offsets_for_times(dict.fromkeys(ends, since_ms))
    return {partition: at.offset if (at := found[partition]) else end for partition, end in ends.items()}


def assign_at(consumer: AIOKafkaConsumer, starts: Mapping[TopicPartition, int]) -> None:
    """Make ``consumer`` read these partitions alone, from these offsets."""
    consumer.assign(list(starts))
    for partition, offset in starts.items():
        # In the same turn of the loop as the assignment: the client would begin to look for its own default.
        consumer.seek(partition, offset)


async def pause_finished(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> set[TopicPartition]:
    """Pause the partitions that were read to their end, and return them.

    The position tells, not the last message: a transaction's control record at the end is never handed out.
    """
    done = {partition for partition, end in ends.items() if await consumer.position(partition) >= end}
    for partition in done:
        consumer.pause(partition)
    return done


async def read_to_end(
    consumer: AIOKafkaConsumer,
    starts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    foreign: ForeignMessages,
) -> AsyncIterator[list[ConsumerRecord]]:
    """Yield everything between ``starts`` and ``ends``, each list of one partition and none of them empty."""
    left = {partition: end for partition, end in ends.items() if starts[partition] < end}
    assign_at(consumer, {partition: starts[partition] for partition in left})
    while left:
        polled = await foreign.getmany(consumer, timeout_ms=_POLL_MS, max_records=_MAX_MESSAGES)
        for partition, messages in polled.items():
            if partition not in left:
                continue
            if messages[-1].offset >= left[partition]:
                messages = [message for message in messages if message.offset < left[partition]]
            if messages:
                yield messages
        for partition in await pause_finished(consumer, left):
            del left[partition]


class TopicReader:
    """A consumer without a group that sees only committed messages. It reads one thing at a time.

    It sees one topic of a name, the one that it has met first: once that is deleted, reading raises ``KafkaError``,
    whether there is another of that name or not.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        ids: Mapping[str, str] | None = None,
        *,
        fetch_bytes: int = _FETCH_BYTES,
        foreign: ForeignMessages | None = None,
    ) -> None:
        """Read topics with ``ids``, by name, where they are known; about ``fetch_bytes`` of each partition at a time.

        These are held in memory. ``foreign`` skips what cannot be read.
        """
        self._foreign = foreign or ForeignMessages()
        self._kafka = kafka
        self._ids = dict(ids or {})
        self._fetch_bytes = fetch_bytes
        self._consumer: BoundedConsumer

    async def __aenter__(self) -> Self:
        """Connect. Raises :class:`~sluice.kafka.clients.KafkaUnreachable`."""
        self._consumer = BoundedConsumer(
            **client_options(self._kafka),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=self._fetch_bytes,
        )
        fetch_by_id(self._consumer, self._ids, keep_place=False)
        await start(self._consumer, self._kafka)
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        await stop(self._consumer)

    async def read(
        self, topic: str, partitions: Iterable[int], since: Since = "beginning"
    ) -> AsyncIterator[list[ConsumerRecord]]:
        """Yield everything in these partitions, each list of one partition and none of them empty."""
        await self.topic_id(topic)
        ends = await self._consumer.end_offsets([TopicPartition(topic, number) for number in partitions])
        starts = await offsets_since(self._consumer, ends, since)
        async for messages in read_to_end(self._consumer, starts, ends, self._foreign):
            yield messages

    async def read_from(self, starts: Mapping[TopicPartition, int]) -> AsyncIterator[list[ConsumerRecord]]:
        """Yield everything from these offsets on, as :meth:`read` does."""
        for partition in starts:
            await self.topic_id(partition.topic)
        ends = await self._consumer.end_offsets(list(starts))
        async for messages in read_to_end(self._consumer, starts, ends, self._foreign):
            yield messages

    async def read_ranges(
        self, partition: TopicPartition, ranges: Iterable[range]
    ) -> AsyncGenerator[tuple[range, list[ConsumerRecord]], None]:
        """Yield what stands in ``ranges`` of ``partition``, which rise and have ended, in pieces.

        Each piece comes with the offsets that it covers. Together they cover all of ``ranges``, also where nothing is.
        """
        await self.topic_id(partition.topic)
        first = (await self.beginnings([partition]))[partition]
        for one in ranges:
            start = one.start
            self._consumer.drop_fetched()
            starts, ends = {partition: max(start, first)}, {partition: one.stop}
            async for messages in read_to_end(self._consumer, starts, ends, self._foreign):
                stop = messages[-1].offset + 1
                yield range(start, stop), messages
                start = stop
            if start < one.stop:
                yield range(start, one.stop), []

    async def topic_id(self, topic: str) -> str:
        """Return the id of the one topic of this name that is read here."""
        if topic not in self._ids:
            [found] = await describe_topics(self._consumer, [topic])
            if not found.replicas:
                raise UnknownTopicOrPartitionError(topic)
            self._ids[topic] = found.topic_id
        return self._ids[topic]

    async def at(self, topic: str, partition: int, offset: int) -> ConsumerRecord | None:
        """Return the message that stands there; ``None`` when there is none, or none any more."""
        await self.topic_id(topic)
        place = TopicPartition(topic, partition)
        first = (await self.beginnings([place]))[place]
        end = (await self._consumer.end_offsets([place]))[place]
        if not first <= offset < end:
            return None
        self._consumer.drop_fetched()
        assign_at(self._consumer, {place: offset})
        while await self._consumer.position(place) <= offset:
            polled = await self._foreign.getmany(self._consumer, timeout_ms=_POLL_MS, max_records=1)
            for message in polled.get(place, ()):
                return message if message.offset == offset else None
        return None

    async def beginnings(self, partitions: Sequence[TopicPartition]) -> Offsets:
        """Return the oldest offsets that retention has left, of whatever topic has the name."""
        offsets: Offsets = await self._consumer.beginning_offsets(partitions)
        return offsets

    async def ends(self, partitions: Sequence[TopicPartition]) -> Offsets:
        """Return the offsets behind the newest message that can be read, likewise."""
        offsets: Offsets = await self._consumer.end_offsets(partitions)
        return offsets

    async def confirm(self) -> None:
        """Raise :class:`~sluice.kafka.fetch_by_id.PositionLost` unless every topic is still the one that was met first.

        Whatever Kafka has said of a topic by its name before was then said of that one: no id ever comes back.
        """
        for found in await describe_topics(self._consumer, list(self._ids)):
            if found.topic_id != self._ids[found.name]:
                raise PositionLost(f"{found.name} with the id {self._ids[found.name]} is gone, which was being read")
