"""Receipts as consumers see them, on a real Kafka."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from sluice.client.connection import Connection
from sluice.client.outcomes import outcomes
from sluice.client.publisher import Publisher
from sluice.client.receipts import Receipt
from sluice.kafka.foreign_messages import MESSAGE
from tests.support.fake_writer import fake_writer, reject_bad
from tests.support.topics import take_receipts


async def _publish(connection: Connection, *keys: str, job_id: str | None = None) -> None:
    async with Publisher("crm", connection) as publisher:
        for key in keys:
            await publisher.publish(object="o", operation="upsert", key=key, data={"a": 1}, job_id=job_id)


async def _settled(connection: Connection, *keys: str, job_id: str | None = None) -> None:
    """Publish, and wait for the receipts."""
    async with outcomes("crm", connection) as stream, fake_writer(connection, reject_bad):
        await _publish(connection, *keys, job_id=job_id)
        await take_receipts(stream, len(keys))


async def _all(connection: Connection, **options: Any) -> list[Receipt]:
    async with asyncio.timeout(30):
        return [receipt async for receipt in outcomes("crm", connection, until_end=True, **options)]


def _keys(receipts: list[Receipt]) -> set[Any]:
    return {receipt.event.key for receipt in receipts if receipt.event}


async def test_stream_begins_now_unless_told_otherwise(connection: Connection) -> None:
    await _settled(connection, "before")
    async with outcomes("crm", connection) as stream, fake_writer(connection):
        await _publish(connection, "after")
        assert _keys(await take_receipts(stream, 1)) != {"before"}


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        pytest.param({"since": "beginning"}, {"a", "b", "bad"}, id="all"),
        pytest.param({"since": datetime(1969, 7, 20, tzinfo=UTC)}, {"a", "b", "bad"}, id="all since before 1970"),
        pytest.param({"since": "beginning", "only": "succeeded"}, {"a", "b"}, id="succeeded"),
        pytest.param({"since": "beginning", "only": "failed"}, {"bad"}, id="failed"),
    ],
)
async def test_stream_until_the_end_stops_there_and_nothing_stays_open(
    connection: Connection, options: dict[str, Any], keys: set[str]
) -> None:
    await _settled(connection, "a", "b", "bad")
    tasks = asyncio.all_tasks()
    assert _keys(await _all(connection, **options)) == keys
    assert asyncio.all_tasks() <= tasks


async def test_stream_until_the_end_of_empty_topics_is_empty(connection: Connection) -> None:
    assert await _all(connection, since="beginning") == []


async def test_job_selects_its_receipts_from_the_beginning(connection: Connection) -> None:
    await _settled(connection, "a", "bad", job_id="one")
    await _settled(connection, "b", "bad", job_id="two")
    await _settled(connection, "c")
    receipts = await _all(connection, job_id="one")
    assert _keys(receipts) == {"a", "bad"}
    assert len(receipts) == 2


async def test_instant_selects_what_was_written_since(connection: Connection) -> None:
    await _settled(connection, "old")
    (old,) = await _all(connection, since="beginning")
    await _settled(connection, "new")
    assert _keys(await _all(connection, since=old.written_at + timedelta(milliseconds=1))) == {"new"}


async def test_aborted_receipts_are_not_seen(connection: Connection) -> None:
    await _settled(connection, "a")
    servers = connection.kafka.bootstrap_servers
    async with AIOKafkaProducer(bootstrap_servers=servers, transactional_id=f"{connection.topic_prefix}x") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(f"{connection.topic_prefix}crm.dead-letters", b"{}", partition=0)
        await producer.abort_transaction()
    assert _keys(await _all(connection, since="beginning")) == {"a"}


async def test_group_goes_on_where_it_stopped(connection: Connection) -> None:
    await _settled(connection, "a", "b")
    async with outcomes("crm", connection, since="beginning", group_id=f"{connection.topic_prefix}g") as stream:
        receipts = aiter(stream)
        assert _keys(await take_receipts(receipts, 2)) == {"a", "b"}
        await _settled(connection, "c")
        assert _keys(await take_receipts(receipts, 1)) == {"c"}
    async with outcomes("crm", connection, since="beginning", group_id=f"{connection.topic_prefix}g") as stream:
        assert _keys(await take_receipts(stream, 1)) == {"c"}  # at least once: nobody has asked for the next one


async def test_strange_message_among_the_succeeded_is_skipped_with_a_warning(
    connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    async with AIOKafkaProducer(bootstrap_servers=connection.kafka.bootstrap_servers) as producer:
        await producer.send_and_wait(f"{connection.topic_prefix}crm.succeeded", b"hello", partition=0)
    assert await _all(connection, since="beginning") == []
    assert [record.getMessage() for record in caplog.records if record.name.startswith("sluice")] == [MESSAGE]


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
