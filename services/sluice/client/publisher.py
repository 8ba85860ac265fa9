"""Publish record events to a destination's records topic.

Every record is written exactly once, or an error says how many may be missing: the producer is idempotent, and what
Kafka does not confirm is raised by the next ``publish``, by ``flush``, or at the end of the ``async with``::

    SettingsError       the settings cannot be used, or do not know the destination
    KafkaUnreachable    no broker answered at the start
    TopicsError         the records topic does not exist
    InvalidRecord       this record cannot be published; no other is affected
    └── RecordTooLarge  it exceeds what the topic takes
    PublishError        Kafka did not confirm records; nothing is sent after them, so that order holds
"""

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime
from typing import Literal, Self

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from opentelemetry import trace

from sluice.client.connection import SETTINGS_FILE, Connectable, connect
from sluice.events import TRACEPARENT, Headers, Operation, RecordEvent, encode_event
from sluice.kafka.aiokafka_workarounds import abandon, stop
from sluice.kafka.clients import client_options, start
from sluice.kafka.outbox import Outbox, PublishError
from sluice.kafka.sending import Message
from sluice.kafka.topic_admin import admin_client, max_message_bytes, partition_count, topic_states
from sluice.records import Data, GivenKey, InvalidRecord, make_record, ordering_key
from sluice.telemetry.spans import publish_span
from sluice.telemetry.traceparent import current_traceparent

Compression = Literal["gzip", "lz4", "snappy", "zstd", "none"]

BATCH_BYTES = 128 * 1024


class RecordTooLarge(InvalidRecord):
    """A record that is too large for the records topic; the message names both sizes."""


def check_size(message: Message, max_message_bytes: int) -> int:
    """Return the bytes that ``message`` takes in a topic. Raises :class:`RecordTooLarge`."""
    size_bytes: int = DefaultRecordBatchBuilder.estimate_size_in_bytes(message.key, message.value, message.headers)
    largest_bytes = _largest_record_bytes(max_message_bytes)
    if size_bytes > largest_bytes:
        raise RecordTooLarge(
            f"expected a record of at most {largest_bytes} bytes, got {size_bytes}; make it smaller, or raise "
            f"max.message.bytes of the destination's topics (now {max_message_bytes})"
        )
    return size_bytes


class Publisher:
    """A publisher of record events for one destination. Tasks of one event loop may share it.

        async with Publisher("crm", "sluice.yaml") as publisher:
            await publisher.publish(object="group/company", operation="upsert", key="acme", data={"name": "Acme"})

    Records of one key are applied in the order in which they were published. ``publish`` returns when the record is
    in memory, ``flush`` and the end of the ``async with`` when Kafka has confirmed all. A record carries the trace
    context of the span it is published in, or begins a trace where the process has a tracer.

    ``publish`` waits while ``max_buffered_bytes`` are in memory. A record waits ``linger_s`` for others to be sent with
    it. It is a ``PublishError`` when Kafka confirms nothing for ``delivery_timeout_s``. Raises ``SettingsError``; the
    ``async with`` raises ``KafkaUnreachable`` and ``TopicsError``, and ``PublishError`` at its end.
    """

    def __init__(
        self,
        destination: str,
        settings: Connectable = SETTINGS_FILE,
        *,
        max_buffered_bytes: int = 32 * 1024 * 1024,
        linger_s: float = 0.005,
        compression: Compression = "zstd",
        delivery_timeout_s: float = 120.0,
    ) -> None:
        connection = connect(settings)
        self._kafka = connection.kafka
        self._destination = destination
        self.topic = connection.topics(destination).records
        self._compression = None if compression == "none" else compression
        self._max_buffered_bytes = max_buffered_bytes
        self._linger_s = linger_s
        self._delivery_timeout_s = delivery_timeout_s

    async def __aenter__(self) -> Self:
        async with admin_client(self._kafka) as admin:
            partitions = partition_count(await topic_states(admin, [self.topic]), self._destination)
            self._max_message_bytes = await max_message_bytes(admin, self.topic)
        self._traced = not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
        self._producer = AIOKafkaProducer(
            **client_options(self._kafka),
            enable_idempotence=True,
            max_batch_size=min(BATCH_BYTES, _largest_record_bytes(self._max_message_bytes)),
            compression_type=self._compression,
        )
        await start(self._producer, self._kafka)
        self._outbox = Outbox(
            self._producer,
            self.topic,
            partitions,
            max_buffered_bytes=self._max_buffered_bytes,
            linger_s=self._linger_s,
            delivery_timeout_s=self._delivery_timeout_s,
        )
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            await self.flush()
        except PublishError as failure:
            await abandon(self._producer)
            if error is None:
                raise
            if not isinstance(error, PublishError):
                error.add_note(str(failure))
        finally:
            await self._outbox.stop()
            await stop(self._producer)

    @property
    def unconfirmed(self) -> int:
        """Count of records that were published and that Kafka has not confirmed yet."""
        return self._outbox.unconfirmed

    async def publish(
        self,
        *,
        object: str,  # noqa: A002  # the event's own word
        operation: Operation,
        key: GivenKey = None,
        data: Data,
        job_id: str | None = None,
        event_id: str | None = None,
        occurred_at: datetime | None = None,
        message_key: bytes | None = None,
        headers: Iterable[tuple[str, bytes]] | None = None,
    ) -> str:
        """Publish one record and return its ``event_id``, a new UUID where none is passed.

        ``data`` is a mapping, or a JSON object in bytes. Whole numbers in ``key`` become texts. Records with the same
        ``message_key`` are applied in order; it is made from ``key`` where left out. ``occurred_at`` is now where left
        out. ``job_id`` names the job that the record belongs to. ``headers`` travel with the record and its receipt.
        Raises ``InvalidRecord`` for this record, and ``PublishError`` for earlier ones.
        """
        event = make_record(
            object=object,
            operation=operation,
            key=key,
            data=data,
            job_id=job_id,
            event_id=event_id,
            occurred_at=occurred_at,
        )
        await self.publish_event(event, message_key=message_key, headers=headers)
        return event.event_id

    async def publish_event(
        self,
        event: RecordEvent,
        *,
        message_key: bytes | None = None,
        headers: Iterable[tuple[str, bytes]] | None = None,
    ) -> None:
        """Publish a complete event, as ``publish`` does. Raises ``RecordTooLarge`` and ``PublishError``."""
        key = ordering_key(event) if message_key is None else message_key
        message = Message(key, encode_event(event), self._with_traceparent([] if headers is None else list(headers)))
        await self._outbox.put(message, check_size(message, self._max_message_bytes))

    async def flush(self) -> None:
        """Wait until Kafka has confirmed everything published so far. Raises ``PublishError``."""
        await self._outbox.flush()

    def _with_traceparent(self, headers: Headers) -> Headers:
        """Return ``headers`` with the record's trace context, unless they have one already."""
        if any(name == TRACEPARENT for name, _ in headers):
            return headers
        current = trace.get_current_span().get_span_context()
        if not self._traced and not current.is_valid:
            return headers
        sampled = not current.is_valid or current.trace_flags.sampled
        # A span that is not exported would cost as much as all the rest.
        with publish_span(self.topic) if self._traced and sampled else nullcontext():
            traceparent = current_traceparent()
        return headers if traceparent is None else [*headers, (TRACEPARENT, traceparent)]


def _largest_record_bytes(max_message_bytes: int) -> int:
    # Compression can make a batch larger: lz4 adds 4 bytes to each 64 KiB that it cannot shrink, and a frame.
    return max_message_bytes - max_message_bytes // 8192 - 128
