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
from sluice.events import RecordEvent, decode_record, place_of
from sluice.flow.outcome import Fate, Outcome
from sluice.kafka.sending import Message
from sluice.writer.lanes.receipt_messages import Failure, Received, dead_letter, succeeded
from tests.support.factories import DELIVERED, make_item

SETTLED_AT = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
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
                    topic, receipt = _receipt(message, connection, decide, batch_id)
                    await producer.send(
                        topic, receipt.value, receipt.key, message.partition, headers=list(receipt.headers)
                    )


def _receipt(message: ConsumerRecord, connection: Connection, decide: Decide, batch_id: str) -> tuple[str, Message]:
    topics, source, headers = connection.topics("crm"), place_of(message), list(message.headers)
    try:
        event = decode_record(message.value or b"")
        outcome = decide(event)
    except msgspec.DecodeError as error:
        outcome = Outcome(Fate.REJECTED, "not-a-record-event", str(error))
    if outcome.fate is Fate.DELIVERED or outcome.fate is Fate.SKIPPED:
        item = msgspec.structs.replace(make_item(event=event), key=message.key, headers=headers, source=source)
        return topics.succeeded, succeeded(item, outcome, batch_id, SETTLED_AT)
    received = Received(message.key, message.value, headers, source, attempt=1)
    failure = Failure(outcome.fate, outcome.code, outcome.message, http_status=200)
    return topics.dead_letters, dead_letter(received, failure, batch_id, SETTLED_AT)
