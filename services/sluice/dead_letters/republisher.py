"""Put redriven records into the records topic, together with the note that they were redriven, or not at all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from sluice.client.connection import Connection
from sluice.client.publisher import BATCH_BYTES
from sluice.dead_letters.redrive_log import RedrivenOffsets
from sluice.dead_letters.redrive_plan import RedrivePlan
from sluice.kafka.clients import client_options, running
from sluice.kafka.sending import BatchedSends
from sluice.topics import DestinationTopics

TRANSACTION_TIMEOUT_S = 15.0
"""Longest time for which a killed redrive holds back the records behind it."""


class Republisher:
    """One transaction after the other, each of one partition; made by :func:`open_republisher`."""

    def __init__(self, producer: AIOKafkaProducer, topics: DestinationTopics) -> None:
        self._producer = producer
        self._topics = topics

    async def send(self, plan: RedrivePlan, redriven: RedrivenOffsets) -> None:
        """Publish the records of ``plan``, and note in Kafka and in ``redriven`` that their letters were redriven.

        Raises ``KafkaError``: nothing is published then, and ``redriven`` must not be used any more.
        """
        notes = redriven.add([planned.letter for planned in plan.to_send])
        sends = BatchedSends(self._producer, plan.partition)
        async with self._producer.transaction():
            await sends.send(self._topics.records, [planned.message for planned in plan.to_send])
            await sends.send(self._topics.control, notes)
            await sends.confirmed()


@asynccontextmanager
async def open_republisher(destination: str, connection: Connection) -> AsyncIterator[Republisher]:
    """Open the destination's only republisher: end one that still runs, and the transaction that one has left open.

    Raises :class:`~sluice.kafka.clients.KafkaUnreachable`.
    """
    producer = AIOKafkaProducer(
        **client_options(connection.kafka),
        transactional_id=f"{connection.topic_prefix}{destination}.redrive",
        transaction_timeout_ms=int(TRANSACTION_TIMEOUT_S * 1000),
        max_batch_size=BATCH_BYTES,
        compression_type="zstd",
    )
    async with running(producer, connection.kafka):
        yield Republisher(producer, connection.topics(destination))
