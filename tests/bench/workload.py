"""The records of the benchmark: 300 bytes each, with a ``traceparent``, every key once, evenly over the lanes."""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import RecordsToDelete
from aiokafka.structs import OffsetAndMetadata

from sluice.events import TRACEPARENT, Headers
from sluice.flow.journal import CommitMetadata
from sluice.kafka.topic_admin import create_topics
from tests.bench.stage import DESTINATION, Stage

RECORD_BYTES = 300
_SLICE = 1000
_IN_FLIGHT = 8
_VALUE = (
    b'{"event_id":"%032x","object":"group/company","operation":"upsert","key":"company-%08d","data":{"name":"Company '
    b'%016x of Rotterdam","city":"Rotterdam","country":"NL","employees":%d,"active":true,"updated":"2026-03-01"},'
    b'"occurred_at":"2026-03-01T10:00:00Z"}'
)
_SPREAD = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""Makes ids that look random, so that the input is as hard to compress as real records are."""


def message(number: int, sampled_every: int) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers of one record; every ``sampled_every``-th is sampled, 0 is none."""
    id_ = (number + 1) * _SPREAD % 2**128
    sampled = bool(sampled_every) and number % sampled_every == 0
    traceparent = b"00-%032x-%016x-%02x" % (id_, id_ >> 64 or 1, sampled)
    value = _VALUE % (id_, number, id_ % 2**64, 10_000 + number % 90_000)
    return b"company-%08d" % number, value, [(TRACEPARENT, traceparent)]


async def make_topics(stage: Stage) -> None:
    await create_topics(stage.admin, DESTINATION, stage.prefix, partitions=stage.lanes)


async def publish(stage: Stage, records: int, *, sampled_every: int = 0) -> None:
    """Publish the input, once for all runs."""
    await make_topics(stage)
    producer = AIOKafkaProducer(
        bootstrap_servers=stage.bootstrap_servers, max_batch_size=1_000_000, compression_type="lz4"
    )
    await producer.start()
    try:
        sent: deque[asyncio.Future[Any]] = deque()
        for index, numbers in enumerate(_slices(records, stage.lanes)):
            builder = producer.create_batch()
            for number in numbers:
                key, value, headers = message(number, sampled_every)
                builder.append(timestamp=None, key=key, value=value, headers=headers)
            sent.append(await producer.send_batch(builder, stage.topics.records, partition=index % stage.lanes))
            if len(sent) > _IN_FLIGHT:
                await sent.popleft()
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def rewind(stage: Stage) -> None:
    """Have both contenders begin at the first record again, and drop the receipts of earlier runs.

    The journal is to be read from its end, as if nothing had been settled. Publishing anew would take as long as a run.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.bootstrap_servers, isolation_level="read_committed")
    await consumer.start()
    try:
        journal = await consumer.end_offsets(stage.partitions(stage.topics.batches))
        receipts = await consumer.end_offsets(stage.partitions(stage.topics.succeeded))
    finally:
        await consumer.stop()
    metadata = {one.partition: CommitMetadata(journal=end).encode() for one, end in journal.items()}
    offsets = {one: OffsetAndMetadata(0, metadata[one.partition]) for one in stage.partitions(stage.topics.records)}
    for group_id in (stage.writer_group, stage.reference_group):
        consumer = AIOKafkaConsumer(
            bootstrap_servers=stage.bootstrap_servers, group_id=group_id, enable_auto_commit=False
        )
        await consumer.start()
        try:
            consumer.assign(list(offsets))
            await consumer.commit(offsets)
        finally:
            await consumer.stop()
    await stage.admin.delete_records({one: RecordsToDelete(end) for one, end in receipts.items()})


async def discard(stage: Stage) -> None:
    """Delete the topics: a case's input and output are gigabytes."""
    await stage.admin.delete_topics(list(stage.topics.all))


def _slices(records: int, lanes: int) -> Iterator[range]:
    """Runs of numbers, dealt out to the lanes in turn."""
    size = max(1, min(_SLICE, records // lanes))
    for first in range(0, records, size):
        yield range(first, min(first + size, records))
