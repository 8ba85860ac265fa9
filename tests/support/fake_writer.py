"""A writer that has no vendor: it settles what is published, as a test tells it, one transaction per fetch."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from sluice.client.connection import Connection
from sluice.events import Header, Headers, Place, RecordEvent, SucceededEvent, decode_record, encode_event
from sluice.flow.outcome import Fate, Outcome
from tests.support.factories import DELIVERED

Decide = Callable[[RecordEvent], Outcome]


def deliver(event: RecordEvent) -> Outcome:
    return DELIVERED


def reject_bad(event: RecordEvent) -> Outcome:
    is_bad = event.key == "bad" or b"bad" in bytes(event.data)
    return Outcome(Fate.REJECTED, "INVALID", "no such field") if is_bad else DELIVERED


class RejectBadUntilRepaired:
    """Decides as :func:`reject_bad`, and delivers everything once it is ``repaired``."""

    repaired = False

    def __call__(self, event: RecordEvent) -> Outcome:
        return DELIVERED if self.repaired else reject_bad(event)


@asynccontextmanager
async def fake_writer(connection: Connection, decide: Decide = deliver) -> AsyncIterator[None]:
    """Settle every record of ``crm`` while the body runs."""
    servers = connection.kafka.bootstrap_servers
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers,
        group_id=f"{connection.topic_prefix}fake",
        isolation_level="read_committed",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=f"fake-{uuid.uuid4().hex}")
    async with consumer, producer:
        settling = asyncio.create_task(_settle(consumer, producer, connection, decide))
        try:
            yield
        finally:
            settling.cancel()
            await asyncio.wait([settling])
            if not settling.cancelled():
                settling.result()


async def _settle(consumer: Any, producer: Any, connection: Connection, decide: Decide) -> None:
    records = connection.topics("crm").records
    await consumer._client._wait_on_metadata(records)
    partitions = [TopicPartition(records, number) for number in consumer.partitions_for_topic(records)]
    committed = {partition: await consumer.committed(partition) or 0 for partition in partitions}
    consumer.assign(partitions)
    for partition, offset in committed.items():
        consumer.seek(partition, offset)
    while True:
        fetched = await consumer.getmany(timeout_ms=200)
        if not fetched:
            continue
        batch_id = uuid.uuid4().hex
        async with producer.transaction():
            ends = {partition: messages[-1].offset + 1 for partition, messages in fetched.items()}
            await producer.send_offsets_to_transaction(ends, f"{connection.topic_prefix}fake")
            for messages in fetched.values():
                for message in messages:
                    topic, value, headers = _receipt(message, connection, decide, batch_id)
                    await producer.send(
                        topic, value=value, key=message.key, partition=message.partition, headers=headers
                    )


def _receipt(
    message: ConsumerRecord, connection: Connection, decide: Decide, batch_id: str
) -> tuple[str, bytes | None, Headers]:
    topics = connection.topics("crm")
    try:
        event = decode_record(message.value or b"")
    except msgspec.DecodeError as error:
        outcome = Outcome(Fate.REJECTED, "not-a-record-event", str(error))
        return topics.dead_letters, message.value, _headers(message, outcome, batch_id)
    outcome = decide(event)
    if outcome.fate is Fate.DELIVERED or outcome.fate is Fate.SKIPPED:
        return topics.succeeded, _succeeded(message, event, outcome, batch_id), list(message.headers)
    return topics.dead_letters, message.value, _headers(message, outcome, batch_id)


def _succeeded(message: ConsumerRecord, event: RecordEvent, outcome: Outcome, batch_id: str) -> bytes:
    receipt = SucceededEvent(
        event_id=event.event_id,
        object=event.object,
        operation=event.operation,
        key=event.key,
        job_id=event.job_id,
        outcome="delivered" if outcome.fate is Fate.DELIVERED else "skipped",
        status=outcome.code,
        record_id=outcome.record_id,
        batch_id=batch_id,
        source=Place(topic=message.topic, partition=message.partition, offset=message.offset),
        occurred_at=event.occurred_at,
        settled_at=datetime.now(UTC),
    )
    return encode_event(receipt)


def _headers(message: ConsumerRecord, outcome: Outcome, batch_id: str) -> Headers:
    ours = {
        Header.ATTEMPT: "1",
        Header.ERROR_CLASS: outcome.fate.value,
        Header.ERROR_CODE: outcome.code,
        Header.ERROR_MESSAGE: outcome.message,
        Header.ERROR_HTTP_STATUS: "200",
        Header.BATCH_ID: batch_id,
        Header.SOURCE_TOPIC: message.topic,
        Header.SOURCE_PARTITION: str(message.partition),
        Header.SOURCE_OFFSET: str(message.offset),
        Header.FIRST_FAILURE_AT: "2026-11-01T12:30:00.000Z",
    }
    return [*message.headers, *((name.value, value.encode()) for name, value in ours.items())]
