"""The records of the benchmark: 300 bytes each, with a ``traceparent``, every key once, evenly over the lanes."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import RecordsToDelete
from aiokafka.structs import OffsetAndMetadata

from sluice.events import TRACEPARENT, Headers
from sluice.flow.commits import CommitMetadata
from sluice.kafka.sending import Message
from tests.bench.stage import Stage

RECORD_BYTES = 300
_SLICE = 1000
_IN_FLIGHT = 8
_VALUE = (
    b'{"event_id":"%032x","object":"group/company","operation":"upsert","key":"company-%08d","data":{"name":"Company '
    b'%016x of Rotterdam","city":"Rotterdam","country":"NL","employees":%d,"active":true,"updated":"2026-03-01"},'
    b'"occurred_at":"2026-03-01T10:00:00Z"}'
)
SPREAD = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""Makes ids that look random, so that the input is as hard to compress as real records are."""


def message(number: int, sampled_every: int) -> tuple[bytes, bytes, Headers]:
    """Return key, value and headers of a record; every ``sampled_every``-th is sampled, 0 is none."""
    id_ = (number + 1) * SPREAD % 2**128
    sampled = bool(sampled_every) and number % sampled_every == 0
    traceparent = b"00-%032x-%016x-%02x" % (id_, id_ >> 64 or 1, sampled)
    value = _VALUE % (id_, number, id_ % 2**64, 10_000 + number % 90_000)
    return b"company-%08d" % number, value, [(TRACEPARENT, traceparent)]


async def publish(stage: Stage, records: int, *, sampled_every: int = 0) -> None:
    """Publish the input, once for all runs."""
    size = max(1, min(_SLICE, records // stage.lanes))
    slices = (range(first, min(first + size, records)) for first in range(0, records, size))
    batches = ([Message(*message(number, sampled_every)) for number in numbers] for numbers in slices)
    await write(stage, stage.topics.records, batches, compression="lz4")


async def write(stage: Stage, topic: str, batches: Iterable[Iterable[Message]], *, compression: str) -> None:
    """Write each of ``batches`` as one Kafka batch, dealt out to the lanes in turn."""
    async with AIOKafkaProducer(
        bootstrap_servers=stage.bootstrap_servers, max_batch_size=1_000_000, compression_type=compression
    ) as producer:
        sent: deque[asyncio.Future[Any]] = deque()
        for index, messages in enumerate(batches):
            builder = producer.create_batch()
            for one in messages:
                builder.append(timestamp=None, key=one.key, value=one.value, headers=one.headers)
            sent.append(await producer.send_batch(builder, topic, partition=index % stage.lanes))
            if len(sent) > _IN_FLIGHT:
                await sent.popleft()
        await asyncio.gather(*sent)


async def rewind(stage: Stage) -> None:
    """Have both contenders begin at the first record again, and drop the receipts of earlier runs.

    The journal is to be read from its end, as if nothing had been settled. Publishing anew would take as long as a run.
    """
    servers = stage.bootstrap_servers
    async with AIOKafkaConsumer(bootstrap_servers=servers, isolation_level="read_committed") as consumer:
        journal = await consumer.end_offsets(stage.partitions(stage.topics.batches))
        receipts = await consumer.end_offsets(stage.partitions(stage.topics.succeeded))
    metadata = {one.partition: CommitMetadata(journal=end).encode() for one, end in journal.items()}
    offsets = {one: OffsetAndMetadata(0, metadata[one.partition]) for one in stage.partitions(stage.topics.records)}
    for group_id in (stage.writer_group, stage.reference_group):
        async with AIOKafkaConsumer(bootstrap_servers=servers, group_id=group_id, enable_auto_commit=False) as consumer:
            consumer.assign(list(offsets))
            await consumer.commit(offsets)
    await stage.admin.delete_records({one: RecordsToDelete(end) for one, end in receipts.items()})
