"""The memory of the writer process stays within its settings, whatever its records carry."""

import pytest
from aiokafka import AIOKafkaProducer

from sandbox.faults.fault import Outage
from sluice.events import Headers
from tests.support.stage import Place, Stage, record
from tests.support.writer_process import eventually

MIB = 2**20
MAX_BUFFERED_BYTES = 16 * MIB
MORE_BYTES = 32 * MIB
"""For everything else that the writer does: a poll, requests, Kafka's batches, the allocator's holes."""


async def _publish(stage: Stage, count: int, headers: Headers) -> list[Place]:
    """Publish ``count`` records, each with ``headers``, as compressed as can be."""
    servers = stage.connection.kafka.bootstrap_servers
    messages = [record(f"k{number}") for number in range(count)]
    async with AIOKafkaProducer(bootstrap_servers=servers, compression_type="zstd") as producer:
        sent = [await producer.send(stage.topics.records, one.value, one.key, headers=headers) for one in messages]
        return [((await one).partition, (await one).offset) for one in sent]


@pytest.mark.parametrize(
    ("count", "headers"),
    [
        pytest.param(1_000, [("x", bytes(100_000))], id="large headers"),
        pytest.param(20_000, [(f"name-{number}", b"value") for number in range(20)], id="many headers"),
    ],
)
async def test_records_fit_in_memory_whatever_their_headers(stage: Stage, count: int, headers: Headers) -> None:
    writer = stage.writer(
        stage.settings(
            window={"max_items": 1000, "max_age_s": 1.0}, delivery={"max_buffered_bytes": MAX_BUFFERED_BYTES}
        )
    )
    await writer.owns(2)
    idle_bytes = writer.peak_rss_bytes()
    stage.app.faults.add(Outage(seconds=3600))
    sources = await _publish(stage, count, headers)

    async def full() -> bool:
        return bool((await writer.status())["buffered_bytes"] > 0.9 * MAX_BUFFERED_BYTES)

    await eventually(full)
    stage.app.faults.clear()
    assert len(await stage.settled(sources)) == count
    assert writer.peak_rss_bytes() - idle_bytes < MAX_BUFFERED_BYTES + MORE_BYTES
