"""Puts redriven records into the records topic, together with the note that they were redriven, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from sluice.client.connection import Connection
from sluice.client.publisher import BATCH_BYTES
from sluice.dead_letters.redrive_log import RedrivenOffsets
from sluice.dead_letters.redrive_plan import Lives
from sluice.kafka.clients import KafkaUnreachable, client_options
from sluice.kafka.outbox import Message
from sluice.topics import DestinationTopics

TRANSACTION_TIMEOUT_S = 15.0
"""How long a redrive that was killed can hold back the records behind it."""

_STOP_TIMEOUT_S = 5.0


class Republisher:
    """One transaction after the other, each of one partition; made by :func:`open_republisher`."""

    def __init__(self, producer: AIOKafkaProducer, topics: DestinationTopics) -> None:
        self._producer = producer
        self._topics = topics

    async def send(self, lives: Lives, redriven: RedrivenOffsets) -> None:
        """Publish the next lives, and note it in ``redriven``, where that is no longer true if this raises.

        Raises ``KafkaError``: nothing is published then.
        """
        notes = redriven.add([life.letter for life in lives.next])
        async with self._producer.transaction():
            records = await self._send(self._topics.records, lives.partition, [life.message for life in lives.next])
            control = await self._send(self._topics.control, lives.partition, notes)
            await asyncio.gather(*records, *control)

    async def _send(self, topic: str, partition: int, messages: Sequence[Message]) -> list[asyncio.Future[object]]:
        sent = []
        builder = self._producer.create_batch()
        for key, value, headers in messages:
            if builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
                sent.append(await self._producer.send_batch(builder, topic, partition=partition))
                builder = self._producer.create_batch()
                builder.append(timestamp=None, key=key, value=value, headers=headers)
        sent.append(await self._producer.send_batch(builder, topic, partition=partition))
        return sent


@asynccontextmanager
async def open_republisher(connection: Connection, destination: str) -> AsyncIterator[Republisher]:
    """Ends the transaction that an earlier one has left open, and any one that still runs.

    Raises :class:`~sluice.kafka.clients.KafkaUnreachable`.
    """
    producer = AIOKafkaProducer(
        **client_options(connection.kafka),
        transactional_id=f"{connection.topic_prefix}{destination}.redrive",
        transaction_timeout_ms=int(TRANSACTION_TIMEOUT_S * 1000),
        max_batch_size=BATCH_BYTES,
        compression_type="zstd",
    )
    try:
        await producer.start()
    except (KafkaError, OSError) as error:
        await producer.stop()
        raise KafkaUnreachable(connection.kafka, error) from error
    try:
        yield Republisher(producer, connection.topics(destination))
    finally:
        await _stop(producer)


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await producer.stop()
    except TimeoutError:  # it waits for Kafka, which may be gone
        await producer.client.close()
