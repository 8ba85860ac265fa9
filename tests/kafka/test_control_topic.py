"""The guard's state is what was set last, for those who ask and for those who follow."""

import asyncio
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaProducer

from sluice.client.connection import Connection
from sluice.events import ControlEvent
from sluice.kafka.control_topic import follow_guard, read_guard, set_guard


async def _next(events: AsyncIterator[ControlEvent | None]) -> str | None:
    async with asyncio.timeout(20):
        event = await anext(events)
    return None if event is None else f"{event.guard}: {event.reason}"


async def test_the_state_is_the_last_one_and_none_before_the_first(connection: Connection) -> None:
    kafka, topic = connection.kafka, connection.topics("crm").control
    assert await read_guard(kafka, topic) is None
    await set_guard(kafka, topic, "stopped", reason="flood", by="guard")
    last = await set_guard(kafka, topic, "running", reason="repaired", by="me")
    assert await read_guard(kafka, topic) == last


async def test_followers_hear_what_was_then_none_and_then_every_change(connection: Connection) -> None:
    kafka, topic = connection.kafka, connection.topics("crm").control
    await set_guard(kafka, topic, "stopped", reason="one", by="me")
    events = follow_guard(kafka, topic)
    assert [await _next(events), await _next(events)] == ["stopped: one", None]
    await set_guard(kafka, topic, "running", reason="two", by="me")
    assert await _next(events) == "running: two"
    await events.aclose()  # type: ignore[attr-defined]


async def test_entries_of_an_open_redrive_neither_hold_a_state_back_nor_are_one(connection: Connection) -> None:
    kafka, topic = connection.kafka, connection.topics("crm").control
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, transactional_id=f"{topic}.x") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"{}", b"redriven/0/0", 0)
        event = await set_guard(kafka, topic, "stopped", reason="flood", by="guard")
        assert await read_guard(kafka, topic) == event
        await producer.abort_transaction()
