"""A writer that has no vendor: it settles what is published, as a test tells it, one transaction per fetch."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from sluice.client.connection import Connection
from sluice.events import RecordEvent
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.retry_policy import RetryPolicy
from sluice.writer.lanes.decoding import Undecodable
from sluice.writer.lanes.settlement import BatchTimes, Settlement, SettlementBuilder, VendorAnswer
from tests.support.factories import DELIVERED, INPUT_TOPICS, LIMITS, make_batch
from tests.support.fakes import DECODER
from tests.support.instant_clock import in_background

NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
"""When it settles everything."""
Decide = Callable[[RecordEvent], Outcome]
BUILDER = SettlementBuilder(RetryPolicy(delays_s=(), max_attempts=1), LIMITS, INPUT_TOPICS)


def deliver(event: RecordEvent) -> Outcome:
    return DELIVERED


def reject_bad(event: RecordEvent) -> Outcome:
    is_bad = event.key == "bad" or b"bad" in bytes(event.data)
    return Outcome(Fate.REJECTED, "INVALID", "no such field", http_status=200) if is_bad else DELIVERED


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
    async with consumer, producer, in_background(_settle(consumer, producer, connection, decide)):
        yield


async def _settle(consumer: Any, producer: Any, connection: Connection, decide: Decide) -> None:
    topics = connection.topics("crm")
    await consumer._client._wait_on_metadata(topics.records)
    partitions = [TopicPartition(topics.records, number) for number in consumer.partitions_for_topic(topics.records)]
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
            for message in chain.from_iterable(fetched.values()):
                settlement = _settlement(message, decide, batch_id)
                topic = topics.succeeded if settlement.succeeded else topics.dead_letters
                [receipt] = settlement.succeeded or settlement.dead
                await producer.send(topic, receipt.value, receipt.key, message.partition, headers=receipt.headers)


def _settlement(message: ConsumerRecord, decide: Decide, batch_id: str) -> Settlement:
    try:
        item = DECODER.item(message, 0)
    except Undecodable as error:
        return BUILDER.of_undecodable(0, [(message, error)], NOW)
    fates = [(item, decide(item.event))]
    return BUILDER.of_answer(
        VendorAnswer(make_batch([item], batch_id), fates, BatchTimes(NOW, NOW), lambda _: None), NOW
    )
