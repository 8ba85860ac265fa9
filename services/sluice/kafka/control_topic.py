"""The control topic of a destination, which its writers follow, and the state of the flood guard in it.

When one writer stops the destination all stop, and a restart resumes nothing. What else is kept there has readers of
its own, in the rooms that know it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import Literal, NamedTuple

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


class ControlMessage(NamedTuple):
    """A message for the control topic; ``None`` as its value deletes what stands under its key."""

    partition: int
    key: bytes
    value: bytes | None


async def send_control(kafka: KafkaSettings, topic: str, messages: Iterable[ControlMessage]) -> None:
    """Write ``messages``, in their order. Raises ``KafkaError`` and ``KafkaUnreachable``."""
    async with running(AIOKafkaProducer(**client_options(kafka), enable_idempotence=True), kafka) as producer:
        for partition, key, value in messages:
            await producer.send_and_wait(topic, value, key, partition)


async def follow_control(
    kafka: KafkaSettings, topic: str, partitions: Iterable[int], foreign: ForeignMessages, *, until_end: bool = False
) -> AsyncGenerator[Sequence[ConsumerRecord] | None, None]:
    """Yield every message that Kafka has kept, then ``None``, then, unless ``until_end``, each new one.

    Reads uncommitted messages, too: a redrive's open transaction must not hold a stop back.
    """
    consumer = BoundedConsumer(**client_options(kafka), auto_offset_reset="earliest")
    async with running(consumer, kafka):
        ends = await consumer.end_offsets([TopicPartition(topic, partition) for partition in partitions])
        starts = await offsets_since(consumer, ends, "beginning")
        async for messages in read_to_end(consumer, starts, ends, foreign):
            yield messages
        yield None
        if until_end:
            return
        assign_at(consumer, ends)
        while True:
            for messages in (await foreign.getmany(consumer, timeout_ms=_POLL_MS)).values():
                yield messages


async def set_guard(
    kafka: KafkaSettings, topic: str, state: Literal["stopped", "running"], *, reason: str, by: str
) -> ControlEvent:
    """Tell all writers of the destination to stop or to resume. Raises ``KafkaError`` and ``KafkaUnreachable``."""
    event = ControlEvent(guard=state, reason=reason, by=by, at=utc_now())
    await send_control(kafka, topic, [ControlMessage(PARTITION, GUARD_KEY, encode_event(event))])
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

    ``foreign`` skips what is no state: it stops nothing, and lets nothing go on.
    """
    foreign = foreign or ForeignMessages()
    async with aclosing(follow_control(kafka, topic, [PARTITION], foreign, until_end=until_end)) as control:
        async for messages in control:
            if messages is None:
                yield None
                continue
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
