"""The writer process when it is fenced by another owner, and when its Kafka stops, for a while or for good."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from aiokafka import AIOKafkaProducer

from sandbox.faults.fault import Latency
from sandbox.kafka.cluster import LocalKafka
from tests.support.kafka_admin import RunningKafka
from tests.support.stage import Stage, record, staged
from tests.support.writer_process import WriterProcess, eventually


@pytest_asyncio.fixture
async def own_kafka(prefix: str, tmp_path: Path) -> AsyncIterator[tuple[LocalKafka, Stage]]:
    """Start a Kafka of one broker that a test may kill, with a stage on it."""
    kafka = LocalKafka(heap_mb=256)
    await asyncio.to_thread(kafka.start)
    try:
        async with staged(RunningKafka(kafka.bootstrap_servers), prefix, tmp_path, lanes=2) as stage:
            yield kafka, stage
    finally:
        await asyncio.to_thread(kafka.stop)


async def _has_rejoined(writer: WriterProcess, times: int) -> bool:
    assert writer.running, writer.log_text()
    return len(writer.logged("joining the group again")) >= times


async def test_a_fenced_writer_gives_its_lanes_up_and_comes_back(stage: Stage) -> None:
    writer = stage.writer(stage.settings(window={"max_items": 5, "max_age_s": 0}, delivery={"drain_timeout_s": 0.1}))
    await writer.owns(2)
    sources = []
    servers = stage.connection.kafka.bootstrap_servers
    for times in range(1, 4):
        await writer.owns(2)
        sources += await stage.publish(record(f"k{times}-{n}") for n in range(1000))
        transactional_id = f"{stage.connection.topic_prefix}crm.writer-{times % 2}"
        async with AIOKafkaProducer(bootstrap_servers=servers, transactional_id=transactional_id):
            pass  # the last to start owns the lane
        sources += await stage.publish(record(f"late-{times}-{n}") for n in range(100))
        await eventually(lambda times=times: _has_rejoined(writer, times))  # type: ignore[misc]
    await stage.settled(sources)
    assert await writer.stop() == 0


async def test_a_writer_outlives_its_kafka(own_kafka: tuple[LocalKafka, Stage]) -> None:
    kafka, stage = own_kafka
    writer = stage.writer(stage.settings(delivery={"drain_timeout_s": 1}))
    await writer.owns(2)
    stage.app.faults.add(Latency(seconds=0.1, times=None, method="PUT"))
    sources = await stage.publish(record(f"k{n}") for n in range(1000))
    await asyncio.to_thread(kafka.broker(0).kill)
    await asyncio.sleep(8)  # longer than a session
    await asyncio.to_thread(kafka.broker(0).start)
    assert len(await stage.settled(sources)) == 1000
    assert writer.running


async def test_a_writer_stops_although_its_kafka_is_gone(own_kafka: tuple[LocalKafka, Stage]) -> None:
    kafka, stage = own_kafka
    writer = stage.writer(stage.settings(delivery={"drain_timeout_s": 1}))
    await writer.owns(2)
    stage.app.faults.add(Latency(seconds=0.2, times=None, method="PUT"))
    await stage.publish(record(f"k{n}") for n in range(1000))
    await writer.settles()
    await asyncio.to_thread(kafka.broker(0).kill)
    writer.send(signal.SIGTERM)
    assert await writer.ended(30) == 0, writer.log_text()
