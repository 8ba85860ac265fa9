"""Writer, in this process and for a vendor that is a fake."""

import asyncio
import uuid

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from sluice.client.connection import Connection
from sluice.events import encode_event
from sluice.flow.batch import Batch
from sluice.flow.outcome import Outcome
from sluice.flow.windows import Limits, WindowSettings
from sluice.kafka.sending import BatchedSends, Message
from sluice.kafka.topic_admin import admin_client, create_topics
from sluice.records import ordering_key
from sluice.settings import DeliverySettings, DestinationEntry, Settings
from sluice.telemetry.health import Heartbeat
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.session import _cause_of
from sluice.writer.writer import Writer
from tests.support.factories import record, record_message
from tests.support.fakes import FakeDestination, deliver_all, sample
from tests.support.kafka_admin import RunningKafka
from tests.support.topics import crm_connection, read_all
from tests.support.writer_process import eventually

RECORDS = 6
UNFORESEEN, GONE = ZeroDivisionError(), KafkaError()


def _make_writer(
    connection: Connection, destination: FakeDestination, entry: DestinationEntry, metrics: WriterMetrics | None = None
) -> Writer:
    settings = Settings(kafka=connection.kafka, topic_prefix=connection.topic_prefix, destinations={"crm": entry})
    return Writer(settings, "crm", destination, metrics or WriterMetrics("crm"), Heartbeat())


async def _is(claim: bool) -> bool:
    return claim


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


async def test_answers_that_come_after_something_unforeseen_are_settled(connection: Connection) -> None:
    stop, failed = asyncio.Event(), asyncio.Event()

    async def answer(batch: Batch) -> list[Outcome]:
        await stop.wait()
        await asyncio.sleep(0.2)  # the vendor's latency: the writer is draining by then
        if batch.items[0].offset == 0:
            failed.set()
            raise UNFORESEEN
        await failed.wait()
        await asyncio.sleep(1.0)
        return deliver_all(batch)

    destination = FakeDestination(answer)
    writer = _make_writer(connection, destination, DestinationEntry(to=None, window=WindowSettings(max_items=3)))
    others = asyncio.all_tasks()
    running = asyncio.create_task(writer.run(stop))
    await eventually(lambda: _is(len(destination.requests) == 2))
    stop.set()
    with pytest.raises(ZeroDivisionError):
        await running
    assert asyncio.all_tasks() == others  # nothing is left to itself, such as a lane's producer
    assert len(await read_all(connection, connection.topics("crm").succeeded)) == 3


@pytest.mark.parametrize(
    ("failures", "cause"),
    [
        pytest.param([KafkaError(), ExceptionGroup("", [UNFORESEEN])], UNFORESEEN, id="what nobody foresaw"),
        pytest.param([GONE, KafkaError()], GONE, id="the first of Kafka's"),
    ],
)
def test_failure_that_matters_most_is_raised(failures: list[Exception], cause: Exception) -> None:
    assert _cause_of(ExceptionGroup("two tasks", failures)) is cause


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
    writer = _make_writer(connection, destination, entry)
    before, stop = writer.status(), asyncio.Event()
    running = asyncio.create_task(writer.run(stop))

    await eventually(lambda: _is(sum(map(len, destination.requests)) == RECORDS))
    during = writer.status()
    stop.set()
    await running
    assert destination.requests == [[0, 1], [2, 3], [4, 5]]
    assert [status["ready"] for status in (before, during, writer.status())] == [False, True, False]


async def test_a_backlog_of_many_groups_is_not_delivered_at_the_pace_of_the_windows_age(connection: Connection) -> None:
    groups, records = 8, 24_000  # a fifth of 120,000 records for 8 groups of 10,000 on the default buffer
    producer = AIOKafkaProducer(bootstrap_servers=connection.kafka.bootstrap_servers)
    async with producer:
        events = (record(f"group-{number % groups}", key=f"c-{number}") for number in range(records))
        sends = BatchedSends(producer, 0)
        await sends.send(
            connection.topics("crm").records, [Message(ordering_key(one), encode_event(one), []) for one in events]
        )
        await sends.confirmed()
    destination, metrics, stop = FakeDestination(latency_s=0.05), WriterMetrics("crm"), asyncio.Event()
    destination.limits = Limits(max_items=2000, max_bytes=2**20, max_concurrent=2, max_age_s=30.0)
    entry = DestinationEntry(to=None, delivery=DeliverySettings(max_buffered_items=8000))
    running = asyncio.create_task(_make_writer(connection, destination, entry, metrics).run(stop))
    await eventually(lambda: _is(sum(map(len, destination.requests)) == records + RECORDS), within_s=20)
    stop.set()
    await running
    assert sample(metrics, "sluice_window_items_count", reason="age") is None
    assert len(destination.requests) <= 3 * records / 2000
