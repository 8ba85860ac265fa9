"""Publishing on a real Kafka: what arrives, what is refused, what is raised."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from aiokafka.partitioner import DefaultPartitioner
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from sluice.client.connection import Connection
from sluice.client.publisher import Publisher, RecordTooLarge
from sluice.events import decode_record
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.outbox import PublishError
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import TopicsError
from tests.support.kafka_admin import RunningKafka
from tests.support.topics import crm_connection, crm_topics, read_all

AT = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


async def _publish_company(publisher: Publisher, key: str, name: str = "Acme") -> str:
    return await publisher.publish(object="group/company", operation="upsert", key=key, data={"name": name})


async def test_event_arrives_as_published(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    async with Publisher("crm", connection) as publisher:
        await publisher.publish(
            object="group/company",
            operation="delete",
            key={"id": "7", "country": "de"},
            data=b'{"name": "Acme"}',
            job_id="nightly",
            event_id="e-1",
            occurred_at=AT,
            headers=[("origin", b"erp")],
        )

    (record,) = await read_all(connection, publisher.topic)

    assert json.loads(record.value) == {
        "event_id": "e-1",
        "object": "group/company",
        "operation": "delete",
        "key": {"id": "7", "country": "de"},
        "data": {"name": "Acme"},
        "job_id": "nightly",
        "occurred_at": "2026-11-01T12:30:00Z",
    }
    assert record.key == b'{"country":"de","id":"7"}'
    assert record.headers == (("origin", b"erp"),)


async def test_partition_is_the_one_that_other_clients_choose_for_the_key(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix, partitions=3)
    async with Publisher("crm", connection) as publisher:
        for number in range(20):
            await _publish_company(publisher, f"key-{number}")

    for record in await read_all(connection, publisher.topic):
        assert record.partition == DefaultPartitioner()(record.key, [0, 1, 2], [0, 1, 2])


async def test_message_key_replaces_the_event_key_for_order(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    async with Publisher("crm", connection) as publisher:
        await publisher.publish(object="o", operation="insert", data={}, message_key=b"together")

    (record,) = await read_all(connection, publisher.topic)
    assert record.key == b"together"


async def test_records_of_a_key_keep_their_order_over_many_batches(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    async with Publisher("crm", connection) as publisher:
        for number in range(3000):
            await _publish_company(publisher, f"key-{number % 7}", f"{number:05d}" + "x" * 300)

    seen: dict[bytes, list[bytes]] = {}
    for record in await read_all(connection, publisher.topic):
        seen.setdefault(record.key, []).append(bytes(decode_record(record.value).data))
    assert sum(map(len, seen.values())) == 3000
    assert all(names == sorted(names) for names in seen.values())


async def test_flush_returns_when_everything_is_confirmed(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    async with Publisher("crm", connection, linger_s=60) as publisher:
        await _publish_company(publisher, "a")
        assert publisher.unconfirmed == 1
        await publisher.flush()
        assert publisher.unconfirmed == 0
        assert len(await read_all(connection, publisher.topic)) == 1


async def test_publish_waits_while_memory_is_full(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    async with Publisher("crm", connection, max_buffered_bytes=10_000) as publisher:
        for number in range(300):
            await _publish_company(publisher, f"key-{number}", "x" * 1000)
            assert publisher.unconfirmed < 10
    assert len(await read_all(connection, publisher.topic)) == 300


async def test_too_large_record_is_named_and_the_others_arrive(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    async with Publisher("crm", connection) as publisher:
        await _publish_company(publisher, "before")
        with pytest.raises(RecordTooLarge, match=r"at most 1048332 bytes, got 20\d{5}; .* max.message.bytes .*1048588"):
            await _publish_company(publisher, "huge", "x" * 2_000_000)
        await _publish_company(publisher, "after")

    assert {record.key for record in await read_all(connection, publisher.topic)} == {b"after", b"before"}


async def test_largest_record_that_is_let_through_is_taken(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    async with Publisher("crm", connection) as publisher:
        await _publish_company(publisher, "large", "x" * 1_048_000)
    assert len(await read_all(connection, publisher.topic)) == 1


async def test_delivery_that_fails_is_raised_with_its_count(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    publisher = await Publisher("crm", connection, linger_s=60, delivery_timeout_s=0.0001).__aenter__()
    await _publish_company(publisher, "a")
    await _publish_company(publisher, "b")
    with pytest.raises(PublishError, match=r"2 messages to .*crm\.records are not confirmed .* for 0.0001 s"):
        await publisher.__aexit__(None, None, None)


async def test_nothing_is_sent_after_a_failed_delivery(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    publisher = await Publisher("crm", connection, linger_s=60, delivery_timeout_s=0.0001).__aenter__()
    await _publish_company(publisher, "a")
    for again in (publisher.flush(), _publish_company(publisher, "b"), publisher.__aexit__(None, None, None)):
        with pytest.raises(PublishError):
            await again
    assert publisher.unconfirmed == 1


async def test_missing_topic_is_named_with_the_command_that_makes_it(kafka: RunningKafka, prefix: str) -> None:
    connection = crm_connection(kafka, prefix)
    with pytest.raises(TopicsError, match=r"no topic .*crm\.records; make it with `sluice topics create crm`"):
        async with Publisher("crm", connection):
            pass


async def test_kafka_that_does_not_answer_is_named() -> None:
    connection = Connection(kafka=KafkaSettings(bootstrap_servers="localhost:1"))
    with pytest.raises(KafkaUnreachable, match="Kafka does not answer at localhost:1"):
        async with Publisher("crm", connection):
            pass


async def test_trace_context_of_the_current_span_goes_along(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    context = SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=True, trace_flags=TraceFlags(0))
    async with Publisher("crm", connection) as publisher:
        with trace.use_span(NonRecordingSpan(context)):
            await _publish_company(publisher, "a")

    (record,) = await read_all(connection, publisher.topic)
    assert record.headers == (("traceparent", b"00-%032x-%016x-00" % (0xABC, 0xDEF)),)


async def test_tasks_share_a_publisher(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    async with Publisher("crm", connection, max_buffered_bytes=5_000) as publisher, asyncio.TaskGroup() as tasks:
        for number in range(100):
            tasks.create_task(_publish_company(publisher, f"key-{number}", "x" * 500))
    assert len(await read_all(connection, publisher.topic)) == 100
