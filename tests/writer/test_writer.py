"""Writer, in this process and for a vendor that is a fake."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from sluice.client.connection import Connection
from sluice.events import encode_event
from sluice.flow.windows import Limits, WindowSettings
from sluice.kafka.sending import BatchedSends, Message
from sluice.records import ordering_key
from sluice.settings import DeliverySettings, DestinationEntry
from sluice.telemetry.metrics import WriterMetrics
from tests.support.factories import record
from tests.support.fakes import FakeDestination, sample
from tests.support.writer_process import eventually
from tests.writer.in_process import RECORDS, is_true, make_writer


@pytest.mark.parametrize(
    ("allowed", "configured"),
    [pytest.param(2, 100, id="not widened"), pytest.param(100, 2, id="narrowed"), pytest.param(2, None, id="not set")],
)
async def test_window_is_the_vendors_narrowed_by_the_settings(
    backlog: Connection, allowed: int, configured: int | None
) -> None:
    destination = FakeDestination()
    destination.limits = Limits(max_items=allowed, max_bytes=1000, max_concurrent=1, max_age_s=60)
    entry = DestinationEntry(to=None, window=WindowSettings(max_items=configured, max_age_s=0.2))
    writer = make_writer(backlog, destination, entry)
    before, stop = writer.status(), asyncio.Event()
    running = asyncio.create_task(writer.run(stop))

    await eventually(lambda: is_true(sum(map(len, destination.requests)) == RECORDS))
    during = writer.status()
    stop.set()
    await running
    assert destination.requests == [[0, 1], [2, 3], [4, 5]]
    assert [status["ready"] for status in (before, during, writer.status())] == [False, True, False]


async def test_a_backlog_of_many_groups_is_not_delivered_at_the_pace_of_the_windows_age(backlog: Connection) -> None:
    groups, records = 8, 24_000  # a fifth of 120,000 records for 8 groups of 10,000 on the default buffer
    producer = AIOKafkaProducer(bootstrap_servers=backlog.kafka.bootstrap_servers)
    async with producer:
        events = (record(f"group-{number % groups}", key=f"c-{number}") for number in range(records))
        sends = BatchedSends(producer, 0)
        await sends.send(
            backlog.topics("crm").records, [Message(ordering_key(one), encode_event(one), []) for one in events]
        )
        await sends.confirmed()
    destination, metrics, stop = FakeDestination(latency_s=0.05), WriterMetrics("crm"), asyncio.Event()
    destination.limits = Limits(max_items=2000, max_bytes=2**20, max_concurrent=2, max_age_s=300.0)
    entry = DestinationEntry(to=None, delivery=DeliverySettings(max_buffered_items=8000))
    running = asyncio.create_task(make_writer(backlog, destination, entry, metrics).run(stop))
    await eventually(lambda: is_true(sum(map(len, destination.requests)) == records + RECORDS))
    stop.set()
    await running
    assert sample(metrics, "sluice_window_items_count", reason="age") is None
    assert len(destination.requests) <= 3 * records / 2000
