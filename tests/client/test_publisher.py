"""Publishing on a real Kafka: what arrives, what is refused, what is raised."""

import json
from datetime import UTC, datetime

import pytest
from aiokafka.partitioner import DefaultPartitioner
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from sluice.client.connection import Connection
from sluice.client.publisher import Publisher, RecordTooLarge
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.settings import KafkaSettings
from tests.support.topics import read_all

AT = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


async def _publish_company(publisher: Publisher, key: str, name: str = "Acme") -> str:
    return await publisher.publish(object="group/company", operation="upsert", key=key, data={"name": name})


async def test_event_arrives_as_published(connection: Connection) -> None:
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


async def test_partition_is_the_one_that_other_clients_choose_for_the_key(connection: Connection) -> None:
    async with Publisher("crm", connection) as publisher:
        for number in range(20):
            await _publish_company(publisher, f"key-{number}")

    for record in await read_all(connection, publisher.topic):
        assert record.partition == DefaultPartitioner()(record.key, [0, 1, 2], [0, 1, 2])


async def test_message_key_replaces_the_event_key_for_order(connection: Connection) -> None:
    async with Publisher("crm", connection) as publisher:
        await publisher.publish(object="o", operation="insert", data={}, message_key=b"together")

    (record,) = await read_all(connection, publisher.topic)
    assert record.key == b"together"


async def test_too_large_record_is_named_and_the_others_arrive(connection: Connection) -> None:
    async with Publisher("crm", connection) as publisher:
        await _publish_company(publisher, "before")
        with pytest.raises(RecordTooLarge, match=r"at most 1048332 bytes, got 20\d{5}; .* max.message.bytes .*1048588"):
            await _publish_company(publisher, "huge", "x" * 2_000_000)
        await _publish_company(publisher, "after")

    assert {record.key for record in await read_all(connection, publisher.topic)} == {b"after", b"before"}


async def test_largest_record_that_is_let_through_is_taken(connection: Connection) -> None:
    async with Publisher("crm", connection) as publisher:
        await _publish_company(publisher, "large", "x" * 1_048_000)
    assert len(await read_all(connection, publisher.topic)) == 1


async def test_kafka_that_does_not_answer_is_named() -> None:
    connection = Connection(kafka=KafkaSettings(bootstrap_servers="localhost:1"))
    with pytest.raises(KafkaUnreachable, match="Kafka cannot be reached at localhost:1"):
        async with Publisher("crm", connection):
            pass


async def test_trace_context_of_the_current_span_goes_along(connection: Connection) -> None:
    context = SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=True, trace_flags=TraceFlags(0))
    async with Publisher("crm", connection) as publisher:
        with trace.use_span(NonRecordingSpan(context)):
            await _publish_company(publisher, "a")

    (record,) = await read_all(connection, publisher.topic)
    assert record.headers == (("traceparent", b"00-%032x-%016x-00" % (0xABC, 0xDEF)),)
