"""Writer, in this process and for a vendor that is a fake."""

import asyncio
import uuid

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from sluice.client.connection import Connection
from sluice.flow.windows import Limits, WindowSettings
from sluice.kafka.topic_admin import admin_client, create_topics
from sluice.settings import DestinationEntry, Settings
from sluice.telemetry.health import Heartbeat
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.writer import Writer
from tests.support.factories import record_message
from tests.support.fakes import FakeDestination
from tests.support.kafka_admin import RunningKafka
from tests.support.topics import crm_connection
from tests.support.writer_process import eventually

RECORDS = 6


@pytest_asyncio.fixture
async def connection(kafka: RunningKafka) -> Connection:
    """Make topics with records in them that have no receipt yet."""
    connection = crm_connection(kafka, f"writer-{uuid.uuid4().hex[:8]}.")
    async with admin_client(connection.kafka) as admin:
        await create_topics(admin, "crm", connection.topic_prefix, partitions=1)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        for offset in range(RECORDS):
            await producer.send_and_wait(connection.topics("crm").records, record_message(offset).value)
    return connection


@pytest.mark.parametrize(
    ("allowed", "configured"),
    [pytest.param(2, 100, id="not widened"), pytest.param(100, 2, id="narrowed"), pytest.param(2, None, id="not set")],
)
async def test_window_is_the_vendors_narrowed_by_the_settings(
    connection: Connection, allowed: int, configured: int | None
) -> None:
    destination = FakeDestination()
    destination.limits = Limits(max_items=allowed, max_bytes=1000, max_concurrent=1, max_age_s=60)
    entry = DestinationEntry(to=None, window=WindowSettings(max_items=configured, max_age_s=0.2))
    settings = Settings(kafka=connection.kafka, topic_prefix=connection.topic_prefix, destinations={"crm": entry})
    writer = Writer(settings, "crm", destination, WriterMetrics("crm"), Heartbeat())
    before, stop = writer.status(), asyncio.Event()
    running = asyncio.create_task(writer.run(stop))

    async def sent() -> bool:
        return sum(map(len, destination.requests)) == RECORDS

    await eventually(sent)
    during = writer.status()
    stop.set()
    await running
    assert destination.requests == [[0, 1], [2, 3], [4, 5]]
    assert [status["ready"] for status in (before, during, writer.status())] == [False, True, False]
