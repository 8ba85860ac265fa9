"""The state of a destination's flood guard, kept in its control topic.

All writers of a destination follow it: when one of them stops the destination all stop, and a restart resumes nothing.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Literal

from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition

from sluice.events import GUARD_KEY, ControlEvent, KafkaRecord, decode_control, encode_event
from sluice.kafka.bounded_consumer import BoundedConsumer
from sluice.kafka.clients import client_options, running
from sluice.kafka.foreign_messages import ForeignMessages
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_reader import assign_at, offsets_since, read_to_end
from sluice.wall_clock import utc_now

PARTITION = 0
"""The partition of all guard events: there are few, and their order matters."""
_POLL_MS = 500


async def set_guard(
    kafka: KafkaSettings, topic: str, state: Literal["stopped", "running"], *, reason: str, by: str
) -> ControlEvent:
    """Tell all writers of the destination to stop or to resume. Raises ``KafkaError`` and ``KafkaUnreachable``."""
    event = ControlEvent(guard=state, reason=reason, by=by, at=utc_now())
    async with running(AIOKafkaProducer(**client_options(kafka), enable_idempotence=True), kafka) as producer:
        await producer.send_and_wait(topic, encode_event(event), GUARD_KEY, PARTITION)
    return event


async def read_guard(kafka: KafkaSettings, topic: str) -> ControlEvent | None:
    """Return the guard's state now; ``None`` when it has never stopped anything. Raises as :func:`set_guard`."""
    last = None
    async for event in follow_guard(kafka, topic, until_end=True):
        last = event or last
    return last


async def follow_guard(
    kafka: KafkaSettings, topic: str, *, until_end: bool = False, foreign: ForeignMessages | None = None
) -> AsyncIterator[ControlEvent | None]:
    """Yield every state that Kafka has kept, then ``None``, then, unless ``until_end``, each new state.

    Reads uncommitted messages, too: a redrive's open transaction must not hold a stop back. ``foreign`` skips what is
    no state: it stops nothing, and lets nothing go on.
    """
    foreign = foreign or ForeignMessages()
    partition = TopicPartition(topic, PARTITION)
    consumer = BoundedConsumer(**client_options(kafka), auto_offset_reset="earliest")
    async with running(consumer, kafka):
        ends = await consumer.end_offsets([partition])
        starts = await offsets_since(consumer, ends, "beginning")
        async for messages in read_to_end(consumer, starts, ends, foreign):
            for event in _guard_events(messages, foreign):
                yield event
        yield None
        if until_end:
            return
        assign_at(consumer, ends)
        while True:
            for messages in (await foreign.getmany(consumer, timeout_ms=_POLL_MS)).values():
                for event in _guard_events(messages, foreign):
                    yield event


def _control_event(message: KafkaRecord) -> ControlEvent:
    return decode_control(message.value or b"")


def _guard_events(messages: Iterable[ConsumerRecord], foreign: ForeignMessages) -> Iterator[ControlEvent]:
    for message in messages:
        if message.key == GUARD_KEY and message.value is not None:
            event = foreign.read(message, _control_event)
            if event is not None:
                yield event
