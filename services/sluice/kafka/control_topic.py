"""The state of a destination's flood guard, kept in its control topic: it outlives every process.

All writers of a destination follow it, so that what one of them stops is stopped, and a restart does not resume it.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from sluice.events import GUARD_KEY, ControlEvent, decode_control, encode_event
from sluice.kafka.clients import client_options
from sluice.kafka.settings import KafkaSettings

PARTITION = 0
"""All control events stand in one partition: there are few, and their order matters."""


async def set_guard(
    kafka: KafkaSettings, topic: str, state: Literal["stopped", "running"], *, reason: str, by: str
) -> ControlEvent:
    """Tell all writers of the destination to stop or to go on. Raises ``KafkaError``."""
    event = ControlEvent(guard=state, reason=reason, by=by, at=datetime.now(UTC))
    async with AIOKafkaProducer(**client_options(kafka), enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, encode_event(event), GUARD_KEY, PARTITION)
    return event


async def read_guard(kafka: KafkaSettings, topic: str) -> ControlEvent | None:
    """The guard's state now; ``None`` when it has never stopped anything. Raises ``KafkaError``."""
    last = None
    async for event in follow_guard(kafka, topic, until_end=True):
        last = event or last
    return last


async def follow_guard(
    kafka: KafkaSettings, topic: str, *, until_end: bool = False
) -> AsyncIterator[ControlEvent | None]:
    """Every state from the first one kept, then, unless ``until_end``, each new one; ``None`` where today begins."""
    partition = TopicPartition(topic, PARTITION)
    consumer = AIOKafkaConsumer(**client_options(kafka), auto_offset_reset="earliest")
    consumer.assign([partition])
    await consumer.start()
    try:
        end = (await consumer.end_offsets([partition]))[partition]
        caught_up = False
        while True:
            if not caught_up and await consumer.position(partition) >= end:
                caught_up = True
                yield None
                if until_end:
                    return
            for messages in (await consumer.getmany(timeout_ms=500)).values():
                for message in messages:
                    if message.key == GUARD_KEY and message.value is not None:
                        yield decode_control(message.value)
    finally:
        await consumer.stop()
