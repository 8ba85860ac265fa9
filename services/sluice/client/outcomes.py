"""The receipts of a destination, as a stream."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, nullcontext
from datetime import datetime
from typing import Any, Literal, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from sluice.client.connection import SETTINGS_FILE, Connectable, connect
from sluice.client.receipts import Receipt, read_dead_letter, read_succeeded
from sluice.events import KafkaRecord
from sluice.kafka.bounded_consumer import BoundedConsumer
from sluice.kafka.clients import client_options, running
from sluice.kafka.foreign_messages import ForeignMessages
from sluice.kafka.topic_admin import admin_client, partition_count, topic_states
from sluice.kafka.topic_reader import Since, assign_at, offsets_since, pause_finished
from sluice.telemetry.spans import received_span

_POLL_MS = 500
_LARGEST_FETCH_BYTES = 4 * 1024 * 1024
"""Per partition and fetch; a larger message still arrives, alone."""


def outcomes(
    destination: str,
    settings: Connectable = SETTINGS_FILE,
    *,
    job_id: str | None = None,
    since: Since | None = None,
    until_end: bool = False,
    only: Literal["succeeded", "failed"] | None = None,
    group_id: str | None = None,
) -> "Outcomes":
    """Stream the receipts of ``destination``.

        async for receipt in outcomes("crm", job_id="nightly", until_end=True):
            match receipt:
                case Succeeded(event=event):
                    print(event.key, event.status)
                case DeadLetter(code=code, message=message):
                    print(code, message)

    ``since`` is where to begin: ``"now"``, ``"beginning"`` or an instant with a time zone; left out it is now, or the
    beginning when a ``job_id`` is asked for. ``until_end`` stops after what is there when the stream is opened.
    ``only`` leaves out the other kind of receipt. A dead letter whose bytes are no record event belongs to no job.

    With a ``group_id`` Kafka shares the partitions among all streams of that group and remembers what was handed over,
    at least once: a receipt may come again after a crash. ``since`` then counts only for a new group, and cannot be an
    instant. Raises ``SettingsError`` and ``ValueError``; reading raises ``KafkaUnreachable`` and ``TopicsError``.
    """
    since = since or ("now" if job_id is None else "beginning")
    if isinstance(since, datetime):
        if since.tzinfo is None:
            raise ValueError(f"expected since with a time zone, got {since}; add tzinfo, for example UTC")
        if group_id is not None:
            raise ValueError("a group begins at the beginning or now, not at an instant; leave since or group_id out")
    if group_id is not None and until_end:
        raise ValueError("a group's stream has no end, others may be reading it; leave until_end or group_id out")
    return Outcomes(
        destination, settings, job_id=job_id, since=since, until_end=until_end, only=only, group_id=group_id
    )


class Outcomes:
    """A stream of receipts, made by :func:`outcomes`.

    Only committed receipts are seen: exactly one per record, and those of one partition in their order. ``async for``
    opens it and closes it at its end. ``async with`` opens it before the body begins, so that no receipt of what the
    body publishes is missed:

        async with outcomes("crm") as stream, Publisher("crm") as publisher:
            event_id = await publisher.publish(object="profile", operation="upsert", key="a@b.org", data={})
            async for receipt in stream:
                ...
    """

    def __init__(
        self,
        destination: str,
        settings: Connectable,
        *,
        job_id: str | None,
        since: Since,
        until_end: bool,
        only: Literal["succeeded", "failed"] | None,
        group_id: str | None,
    ) -> None:
        connection = connect(settings)
        self._kafka = connection.kafka
        self._destination = destination
        topics = connection.topics(destination)
        self._succeeded_topic = topics.succeeded
        wanted = {"succeeded": [topics.succeeded], "failed": [topics.dead_letters]}
        self._topics = wanted[only] if only else [topics.succeeded, topics.dead_letters]
        self._job_id = job_id
        self._since = since
        self._until_end = until_end
        self._group_id = group_id
        self._ends: dict[TopicPartition, int] = {}
        self._consumer: Any = None
        self._foreign = ForeignMessages()

    async def __aenter__(self) -> Self:
        async with admin_client(self._kafka) as admin:
            states = await topic_states(admin, self._topics)
        partitions = partition_count(states, self._destination)
        async with AsyncExitStack() as resources:
            self._consumer = await resources.enter_async_context(running(self._new_consumer(), self._kafka))
            if self._group_id is None:
                await self._seek([TopicPartition(topic, one) for topic in self._topics for one in range(partitions)])
            else:
                self._consumer.subscribe(self._topics)
            self._resources = resources.pop_all()
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._consumer = None
        await self._resources.aclose()

    async def __aiter__(self) -> AsyncIterator[Receipt]:
        """Yield the receipts. Open the stream, and close it at the end, unless it is open."""
        async with self if self._consumer is None else nullcontext():
            async for receipts in self.polls():
                for receipt in receipts:
                    yield receipt

    async def polls(self) -> AsyncIterator[list[Receipt]]:
        """Yield the same receipts in lists, as they arrive. None is empty. The stream must be open."""
        while not self._until_end or self._ends:
            fetched = await self._foreign.getmany(self._consumer, timeout_ms=_POLL_MS)
            receipts = [
                receipt
                for partition, messages in fetched.items()
                for message in messages
                if message.offset < self._ends.get(partition, message.offset + 1)
                and (receipt := self._receipt(message)) is not None
            ]
            if receipts:
                yield receipts
            if self._group_id is not None and fetched:
                await self._consumer.commit()
            for partition in await pause_finished(self._consumer, self._ends):
                del self._ends[partition]

    def _receipt(self, message: KafkaRecord) -> Receipt | None:
        read: Callable[[KafkaRecord], Receipt] = (
            read_succeeded if message.topic == self._succeeded_topic else read_dead_letter
        )
        receipt = self._foreign.read(message, read)
        if receipt is None:
            return None
        if self._job_id is not None and (receipt.event is None or receipt.event.job_id != self._job_id):
            return None
        with received_span(message.topic, message.headers):
            return receipt

    def _new_consumer(self) -> AIOKafkaConsumer:
        return BoundedConsumer(
            **client_options(self._kafka),
            group_id=self._group_id,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="latest" if self._group_id and self._since == "now" else "earliest",
            max_partition_fetch_bytes=_LARGEST_FETCH_BYTES,
        )

    async def _seek(self, partitions: Sequence[TopicPartition]) -> None:
        ends = await self._consumer.end_offsets(partitions)
        starts = await offsets_since(self._consumer, ends, self._since)
        if self._until_end:
            self._ends = {partition: end for partition, end in ends.items() if starts[partition] < end}
        assign_at(self._consumer, starts)
