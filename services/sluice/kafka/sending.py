"""Messages, and the sending of many of them with aiokafka's batch API.

``AIOKafkaProducer.send`` makes a future for each message and costs 40 µs; a message in a batch costs a tenth.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message to write, as Kafka stores it."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class SentBatch(NamedTuple):
    """A Kafka batch on its way, and how many messages it holds."""

    written: asyncio.Future[RecordMetadata]
    messages: int


class BatchedSends:
    """Messages sent to partition ``partition`` of several topics, for one transaction."""

    def __init__(self, producer: AIOKafkaProducer, partition: int) -> None:
        self._producer = producer
        self._partition = partition
        self._sent: list[SentBatch] = []

    async def send(self, topic: str, messages: Iterable[Message]) -> list[SentBatch]:
        """Send ``messages`` in their order, in as few Kafka batches as they fit in. Raises ``KafkaError``."""
        first = len(self._sent)
        builder = None
        for message in messages:
            if builder is None:
                builder = self._producer.create_batch()
            if not append(builder, message):
                await self._submit(builder, topic)
                builder = self._producer.create_batch()
                append(builder, message)
        if builder is not None:
            await self._submit(builder, topic)
        return self._sent[first:]

    @property
    def messages(self) -> int:
        """Messages sent so far."""
        return sum(sent.messages for sent in self._sent)

    async def confirmed(self) -> None:
        """Wait until Kafka has answered everything that was sent, then raise the first failure."""
        for failure in await self.failures():
            raise failure

    async def failures(self) -> list[BaseException]:
        """Wait likewise, and return all failures."""
        results = await asyncio.gather(*(sent.written for sent in self._sent), return_exceptions=True)
        return [result for result in results if isinstance(result, BaseException)]

    async def _submit(self, builder: Any, topic: str) -> None:
        written = await self._producer.send_batch(builder, topic, partition=self._partition)
        written.add_done_callback(_look_at)
        self._sent.append(SentBatch(written, builder.record_count()))


def _look_at(written: asyncio.Future[RecordMetadata]) -> None:
    """Take note of a failure, so that the event loop does not report one that nobody waits for any more."""
    if not written.cancelled():
        written.exception()


def append(builder: Any, message: Message) -> bool:
    """Add ``message`` to a batch of aiokafka's, and return whether there was room for it."""
    added = builder.append(timestamp=None, key=message.key, value=message.value, headers=message.headers)
    return added is not None
