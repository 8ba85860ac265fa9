"""What is none of ours is skipped with its place, and nothing else with it."""

from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from sluice.client.connection import Connection
from sluice.events import KafkaRecord, SucceededEvent, decode_succeeded
from sluice.kafka.control_topic import follow_guard, read_guard, set_guard
from sluice.kafka.foreign_messages import MESSAGE, ForeignMessages
from sluice.kafka.topic_reader import TopicReader
from tests.support.factories import FakeMessage
from tests.support.raw_records import publish_with_header_name

GARBAGE: list[Any] = [
    pytest.param(None, id="nothing"),
    pytest.param(b"hello", id="no JSON"),
    pytest.param(b'{"a": 1}', id="another object"),
    pytest.param(b'{"event_id": "\xff"}', id="no UTF-8"),
    pytest.param(b"[" * 100_000, id="JSON without an end"),
    pytest.param(b'{"guard": "stopped", "reason": "x", "by": "x", "at": "yesterday"}', id="almost an event"),
]


def _event(message: KafkaRecord) -> SucceededEvent:
    return decode_succeeded(message.value or b"")


@pytest.mark.parametrize("value", GARBAGE)
def test_garbage_is_skipped_with_its_place(value: bytes | None, caplog: pytest.LogCaptureFixture) -> None:
    counted: list[str] = []
    message = FakeMessage(topic="crm.succeeded", partition=3, offset=7, value=value)
    assert ForeignMessages(counted.append).read(message, _event) is None
    [record] = caplog.records
    place = {name: vars(record)[name] for name in ("topic", "partition", "offset")}
    assert (record.getMessage(), place) == (MESSAGE, {"topic": "crm.succeeded", "partition": 3, "offset": "7"})
    assert counted == ["crm.succeeded"]


@pytest.mark.parametrize("value", GARBAGE)
async def test_a_guard_event_of_somebody_else_is_no_state(connection: Connection, value: bytes | None) -> None:
    kafka, topic = connection.kafka, connection.topics("crm").control
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        stopped = await set_guard(kafka, topic, "stopped", reason="flood", by="guard")
        await producer.send_and_wait(topic, value, b"guard", 0)
        assert await read_guard(kafka, topic) == stopped
        events = follow_guard(kafka, topic)
        assert [await anext(events), await anext(events)] == [stopped, None]
        await producer.send_and_wait(topic, value, b"guard", 0)
        running = await set_guard(kafka, topic, "running", reason="repaired", by="me")
        assert await anext(events) == running
        await events.aclose()  # type: ignore[attr-defined]


async def test_a_batch_that_cannot_be_read_is_skipped_and_its_neighbours_are_not(
    connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    topic, servers = connection.topics("crm").control, connection.kafka.bootstrap_servers
    counted: list[str] = []
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for number in (0, 1):
            await producer.send_and_wait(topic, b"before %d" % number, None, 0)
            await publish_with_header_name(servers, topic, 0, b"n\xffme")
        await producer.send_and_wait(topic, b"after", None, 0)
    async with TopicReader(connection.kafka, foreign=ForeignMessages(counted.append)) as reader:
        read = [message.value async for messages in reader.read(topic, [0]) for message in messages]
        last = await reader.at(topic, 0, 6)
    assert [value for value in read if value != b"{}"] == [b"before 0", b"before 1", b"after"]
    assert last is not None
    assert last.value == b"after"
    assert counted[:2] == [topic, topic]
    ours = [vars(one)["offset"] for one in caplog.records if one.name.startswith("sluice")]
    assert ours[:2] == ["1 to 2", "4 to 5"]
