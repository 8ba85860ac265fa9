"""Messages of a publisher wait in memory, which is bounded, and arrive in order or are raised."""

import asyncio
from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder

from sluice.client.connection import Connection
from sluice.client.publisher import Publisher
from sluice.events import decode_record
from sluice.kafka.outbox import Outbox, PublishError
from sluice.kafka.sending import Message
from tests.support.topics import read_all


async def _publish(publisher: Publisher, key: str, name: str = "Acme") -> None:
    await publisher.publish(object="o", operation="upsert", key=key, data={"name": name})


async def test_records_of_a_key_keep_their_order_over_many_batches(connection: Connection) -> None:
    async with Publisher("crm", connection) as publisher:
        for number in range(3000):
            await _publish(publisher, f"key-{number % 7}", f"{number:05d}" + "x" * 300)

    seen: dict[bytes, list[bytes]] = {}
    for record in await read_all(connection, publisher.topic):
        seen.setdefault(record.key, []).append(bytes(decode_record(record.value).data))
    assert sum(map(len, seen.values())) == 3000
    assert all(names == sorted(names) for names in seen.values())


async def test_flush_returns_when_everything_is_confirmed(connection: Connection) -> None:
    async with Publisher("crm", connection, linger_s=60) as publisher:
        await _publish(publisher, "a")
        assert publisher.unconfirmed == 1
        await publisher.flush()
        assert publisher.unconfirmed == 0
        assert len(await read_all(connection, publisher.topic)) == 1


async def test_publish_waits_while_memory_is_full(connection: Connection) -> None:
    async with Publisher("crm", connection, max_buffered_bytes=10_000) as publisher:
        for number in range(300):
            await _publish(publisher, f"key-{number}", "x" * 1000)
            assert publisher.unconfirmed < 10
    assert len(await read_all(connection, publisher.topic)) == 300


async def test_tasks_share_a_publisher(connection: Connection) -> None:
    async with Publisher("crm", connection, max_buffered_bytes=5_000) as publisher, asyncio.TaskGroup() as tasks:
        for number in range(100):
            tasks.create_task(_publish(publisher, f"key-{number}", "x" * 500))
    assert len(await read_all(connection, publisher.topic)) == 100


async def test_nothing_is_sent_after_a_delivery_that_failed(connection: Connection) -> None:
    publisher = await Publisher("crm", connection, linger_s=60, delivery_timeout_s=0.0001).__aenter__()
    await _publish(publisher, "a")
    await _publish(publisher, "b")
    for again in (publisher.flush(), _publish(publisher, "c"), publisher.__aexit__(None, None, None)):
        with pytest.raises(PublishError, match=r"2 messages to .*crm\.records are not confirmed .* for 0.0001 s"):
            await again
    assert publisher.unconfirmed == 2


class _Faulty:
    """A producer that takes batches and fails in a way that nobody foresees."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def create_batch(self) -> Any:
        return BatchBuilder(1000, 0, is_transactional=False)

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> None:
        raise self._error


@pytest.mark.parametrize("error", [asyncio.CancelledError(), AssertionError("of aiokafka")], ids=repr)
async def test_a_delivery_that_ends_by_itself_is_told_at_once(error: BaseException) -> None:
    outbox = Outbox(_Faulty(error), "t", 1, max_buffered_bytes=1000, linger_s=0, delivery_timeout_s=60)
    await outbox.put(Message(b"k", b"v", []), 10)
    async with asyncio.timeout(5):
        with pytest.raises(PublishError, match=r"1 messages to t are not confirmed .* the delivery has ended"):
            await outbox.flush()
    await outbox.stop()
