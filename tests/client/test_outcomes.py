"""Receipts as consumers see them, on a real Kafka."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from sluice.client.connection import Connection
from sluice.client.outcomes import outcomes
from sluice.client.publisher import Publisher
from sluice.client.receipts import DeadLetter, Receipt, Succeeded, read_dead_letter
from sluice.events import Place, RecordEvent
from sluice.flow.outcome import Fate, Outcome
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import TopicsError
from sluice.settings_file import SettingsError
from tests.support.factories import DELIVERED
from tests.support.fake_writer import fake_writer
from tests.support.kafka_admin import RunningKafka
from tests.support.topics import crm_topics

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def reject_bad(event: RecordEvent) -> Outcome:
    return Outcome(Fate.REJECTED, "INVALID", "no such field") if event.key == "bad" else DELIVERED


async def _publish(connection: Connection, *keys: str, job_id: str | None = None) -> None:
    async with Publisher("crm", connection) as publisher:
        for key in keys:
            await publisher.publish(object="o", operation="upsert", key=key, data={"a": 1}, job_id=job_id)


async def _settled(connection: Connection, *keys: str, job_id: str | None = None) -> None:
    """Publish, and wait for the receipts."""
    async with outcomes("crm", connection) as stream, fake_writer(connection, reject_bad):
        await _publish(connection, *keys, job_id=job_id)
        await _take(stream, len(keys))


async def _take(stream: AsyncIterator[Receipt] | Any, count: int) -> list[Receipt]:
    receipts: list[Receipt] = []
    async with asyncio.timeout(30):
        async for receipt in stream:
            receipts.append(receipt)
            if len(receipts) == count:
                break
    return receipts


async def _all(connection: Connection, **options: Any) -> list[Receipt]:
    async with asyncio.timeout(30):
        return [receipt async for receipt in outcomes("crm", connection, until_end=True, **options)]


def _keys(receipts: list[Receipt]) -> set[Any]:
    return {receipt.event.key for receipt in receipts if receipt.event}


async def test_success_and_dead_letter_are_typed(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    async with outcomes("crm", connection) as stream, fake_writer(connection, reject_bad):
        async with Publisher("crm", connection) as publisher:
            for key in ("good", "bad"):
                headers = [("traceparent", TRACEPARENT.encode()), ("origin", b"erp")]
                await publisher.publish(object="o", operation="upsert", key=key, data={"a": 1}, headers=headers)
        receipts = await _take(stream, 2)

    (good,) = [receipt for receipt in receipts if isinstance(receipt, Succeeded)]
    (bad,) = [receipt for receipt in receipts if isinstance(receipt, DeadLetter)]
    assert (good.event.key, good.event.status, good.event.record_id) == ("good", "CREATED", "v-1")
    assert good.traceparent == bad.traceparent == TRACEPARENT
    assert good.place.topic == f"{prefix}crm.succeeded"
    assert bad.event is not None
    assert bad.event.key == "bad"
    assert (bad.error_class, bad.code, bad.message, bad.http_status) == ("rejected", "INVALID", "no such field", 200)
    assert bad.headers == [("traceparent", TRACEPARENT.encode()), ("origin", b"erp")]
    assert bad.first_failure_at == datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


async def test_stream_begins_now_unless_told_otherwise(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    await _settled(connection, "before")
    async with outcomes("crm", connection) as stream, fake_writer(connection):
        await _publish(connection, "after")
        assert _keys(await _take(stream, 1)) != {"before"}


async def test_stream_until_the_end_stops_there(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    await _settled(connection, "a", "b", "bad")
    assert _keys(await _all(connection, since="beginning")) == {"a", "b", "bad"}


async def test_stream_until_the_end_of_empty_topics_is_empty(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    assert await _all(connection, since="beginning") == []


async def test_job_selects_its_receipts_from_the_beginning(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    await _settled(connection, "a", "bad", job_id="one")
    await _settled(connection, "b", "bad", job_id="two")
    await _settled(connection, "c")
    receipts = await _all(connection, job_id="one")
    assert _keys(receipts) == {"a", "bad"}
    assert len(receipts) == 2


async def test_instant_selects_what_was_written_since(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    await _settled(connection, "old")
    (old,) = await _all(connection, since="beginning")
    await _settled(connection, "new")
    assert _keys(await _all(connection, since=old.written_at + timedelta(milliseconds=1))) == {"new"}


@pytest.mark.parametrize(("only", "keys"), [("succeeded", {"a"}), ("failed", {"bad"})])
async def test_one_kind_can_be_read_alone(kafka: RunningKafka, prefix: str, only: str, keys: set[str]) -> None:
    connection = await crm_topics(kafka, prefix)
    await _settled(connection, "a", "bad")
    assert _keys(await _all(connection, since="beginning", only=only)) == keys


async def test_aborted_receipts_are_not_seen(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix, partitions=1)
    await _settled(connection, "a")
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, transactional_id=f"{prefix}x")
    async with producer:
        await producer.begin_transaction()
        await producer.send_and_wait(f"{prefix}crm.dead-letters", b"{}", partition=0)
        await producer.abort_transaction()
    assert _keys(await _all(connection, since="beginning")) == {"a"}


async def test_group_goes_on_where_it_stopped(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    await _settled(connection, "a", "b")
    async with outcomes("crm", connection, since="beginning", group_id=f"{prefix}g") as stream:
        receipts = aiter(stream)
        assert _keys(await _take(receipts, 2)) == {"a", "b"}
        await _settled(connection, "c")
        assert _keys(await _take(receipts, 1)) == {"c"}
    async with outcomes("crm", connection, since="beginning", group_id=f"{prefix}g") as stream:
        assert _keys(await _take(stream, 1)) == {"c"}  # at least once: nobody has asked for the next one


async def test_bytes_that_are_no_event_are_a_dead_letter_untouched(kafka: RunningKafka, prefix: str) -> None:
    connection = await crm_topics(kafka, prefix)
    async with outcomes("crm", connection) as stream, fake_writer(connection):
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
            await producer.send_and_wait(f"{prefix}crm.records", b"\xff\x00", key=b"\xfe", partition=0)
        (receipt,) = await _take(stream, 1)
    assert isinstance(receipt, DeadLetter)
    assert (receipt.key, receipt.value, receipt.event) == (b"\xfe", b"\xff\x00", None)
    assert receipt.source == Place(topic=f"{prefix}crm.records", partition=0, offset=0)


async def test_strange_message_among_the_succeeded_is_skipped_with_a_warning(
    kafka: RunningKafka, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    connection = await crm_topics(kafka, prefix)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        await producer.send_and_wait(f"{prefix}crm.succeeded", b"hello", partition=0)
    with caplog.at_level(logging.WARNING, "sluice.client.outcomes"):
        assert await _all(connection, since="beginning") == []
    ours = [record.getMessage() for record in caplog.records if record.name == "sluice.client.outcomes"]
    assert ours == ["not a SucceededEvent, skipped"]


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


async def test_missing_topics_are_named(kafka: RunningKafka) -> None:
    connection = Connection(kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers), topic_prefix="nowhere.")
    with pytest.raises(TopicsError, match=r"no topic nowhere\.crm\.succeeded, nowhere\.crm\.dead-letters"):
        async with outcomes("crm", connection):
            pass


def test_unknown_destination_is_named_with_the_nearest() -> None:
    connection = Connection(kafka=KafkaSettings(bootstrap_servers="localhost:1"), destinations=("crm",))
    with pytest.raises(SettingsError, match=r"no destination 'crn' in the settings; did you mean `crm`\?"):
        outcomes("crn", connection)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param({"since": datetime(2026, 11, 1)}, "with a time zone", id="naive instant"),  # noqa: DTZ001
        pytest.param({"group_id": "g", "until_end": True}, "has no end", id="group until the end"),
        pytest.param({"group_id": "g", "since": datetime.now(UTC)}, "not at an instant", id="group from an instant"),
    ],
)
def test_contradictory_options_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        outcomes("crm", **options)
