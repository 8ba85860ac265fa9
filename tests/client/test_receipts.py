"""A receipt is read from its message, whatever its bytes and headers."""

from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from sluice.client.connection import Connection
from sluice.client.outcomes import outcomes
from sluice.client.publisher import Publisher
from sluice.client.receipts import DeadLetter, Succeeded, read_dead_letter
from sluice.events import Place
from tests.support.factories import FakeMessage
from tests.support.fake_writer import fake_writer, reject_bad
from tests.support.topics import take_receipts

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


async def test_success_and_dead_letter_are_typed(connection: Connection) -> None:
    async with outcomes("crm", connection) as stream, fake_writer(connection, reject_bad):
        async with Publisher("crm", connection) as publisher:
            for key in ("good", "bad"):
                headers = [("traceparent", TRACEPARENT.encode()), ("origin", b"erp")]
                await publisher.publish(object="o", operation="upsert", key=key, data={"a": 1}, headers=headers)
        receipts = await take_receipts(stream, 2)

    (good,) = [receipt for receipt in receipts if isinstance(receipt, Succeeded)]
    (bad,) = [receipt for receipt in receipts if isinstance(receipt, DeadLetter)]
    assert (good.event.key, good.event.status, good.event.record_id) == ("good", "CREATED", "v-1")
    assert good.traceparent == bad.traceparent == TRACEPARENT
    assert good.place.topic == f"{connection.topic_prefix}crm.succeeded"
    assert bad.event is not None
    assert bad.event.key == "bad"
    assert (bad.error_class, bad.code, bad.message, bad.http_status) == ("rejected", "INVALID", "no such field", 200)
    assert bad.headers == [("traceparent", TRACEPARENT.encode()), ("origin", b"erp")]
    assert bad.first_failure_at == datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


async def test_bytes_that_are_no_event_are_a_dead_letter_untouched(connection: Connection) -> None:
    async with outcomes("crm", connection) as stream, fake_writer(connection):
        async with AIOKafkaProducer(bootstrap_servers=connection.kafka.bootstrap_servers) as producer:
            await producer.send_and_wait(f"{connection.topic_prefix}crm.records", b"\xff\x00", key=b"\xfe", partition=0)
        (receipt,) = await take_receipts(stream, 1)
    assert isinstance(receipt, DeadLetter)
    assert (receipt.key, receipt.value, receipt.event) == (b"\xfe", b"\xff\x00", None)
    assert receipt.source == Place(topic=f"{connection.topic_prefix}crm.records", partition=0, offset=0)


def test_headers_of_a_dead_letter_may_be_anything() -> None:
    headers = [
        ("sluice.attempt", b"many"),
        ("sluice.error.code", b"\xff"),
        ("sluice.first-failure-at", b"yesterday"),
        ("sluice.source.topic", b"t"),
        ("sluice.source.partition", b"0"),
        ("sluice.error.http-status", None),
        ("traceparent", None),
    ]
    letter = read_dead_letter(ConsumerRecord("t", 0, 1, 0, 0, None, None, None, 0, 0, tuple(headers)))
    assert (letter.attempt, letter.code, letter.first_failure_at, letter.source) == (1, "�", None, None)


@pytest.mark.parametrize("timestamp", [-(2**63), -1, 2**63 - 1])
def test_a_time_that_no_calendar_has_is_cut(timestamp: int) -> None:
    assert 1 <= read_dead_letter(FakeMessage(timestamp=timestamp)).written_at.year <= 9999
