"""Opening a lane, in the one order that is safe.

1. The producer's init fences the previous owner and ends whatever transaction was open. What the lane has committed is
   final from now on, and only now can be read.
2. What the last owner has left: committed offsets, journal, retries that wait (``state_reading.py``), and the newest
   ids that it knew of the vendor.
3. A first commit cycle at once where that is not as it was left: from then on the commits say what counts now.
"""

import asyncio
from functools import partial
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from sluice.destinations.contract import Account
from sluice.destinations.item_calls import ItemDestination, newest_ids_of
from sluice.flow.key_order import OrderTerms
from sluice.kafka.aiokafka_workarounds import stop
from sluice.kafka.clients import client_options, start
from sluice.kafka.settings import KafkaSettings
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.lanes.buffer import Buffer
from sluice.writer.lanes.committer import LaneCommitter
from sluice.writer.lanes.decoding import Decoder
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.settlement import SettlementBuilder
from sluice.writer.lanes.state_reading import LaneTopics, StateReader

MAX_BATCH_BYTES = 900_000
"""Receipts in one Kafka batch, before compression, unless a topic takes less."""
START_TIMEOUT_S = 30.0
"""Longest wait for Kafka to fence the lane's previous owner."""
STALE_SHARE = 1 / 3
"""A committed cycle proves for this share of the session timeout that the lane is ours."""


class LaneTerms(NamedTuple):
    """The parts that all lanes of one destination have in common."""

    destination: Account
    topics: LaneTopics
    group_id: str
    decoder: Decoder
    builder: SettlementBuilder
    buffer: Buffer
    order: OrderTerms


class LaneOpener:
    """Opens lanes of one destination for one process."""

    def __init__(self, kafka: KafkaSettings, admin: Any, terms: LaneTerms, metrics: WriterMetrics) -> None:
        self._kafka = kafka
        self._terms = terms
        self._reader = StateReader(kafka, admin, terms.topics, terms.group_id, metrics, terms.decoder.fold_key)

    def inputs(self, partition: int) -> list[TopicPartition]:
        """Return what lane ``partition`` reads, by input topic number."""
        return [TopicPartition(topic, partition) for topic in self._terms.topics.names.inputs]

    async def open(self, partition: int) -> Lane:
        """Take lane ``partition`` over from its last owner. Raises ``KafkaError`` and ``KafkaUnreachable``."""
        terms = self._terms
        producer = AIOKafkaProducer(
            **client_options(self._kafka),
            transactional_id=f"{terms.group_id}-{partition}",
            # Measured on receipts: 5.7 times smaller for 0.2 µs each; lz4, at aiokafka's level, took 3.3 µs.
            compression_type="snappy",
            max_batch_size=min(MAX_BATCH_BYTES, terms.builder.limits.smallest),
            max_request_size=16 * MAX_BATCH_BYTES,
        )
        await self._start(producer)
        try:
            state = await self._reader.read(partition, terms.order)
        except BaseException:
            await stop(producer)
            raise
        if isinstance(terms.destination, ItemDestination):
            terms.destination.learn(state.newest_ids)
        newest_ids = partial(newest_ids_of, terms.destination)
        return Lane(
            partition,
            state=state,
            committer=LaneCommitter(partition, producer, terms.topics.names, terms.group_id, state, newest_ids),
            decoder=terms.decoder,
            builder=terms.builder,
            buffer=terms.buffer,
            stale_after_s=STALE_SHARE * self._kafka.session_timeout_s,
        )

    async def _start(self, producer: AIOKafkaProducer) -> None:
        """Fence the previous owner. aiokafka asks for ever while Kafka cannot end that one's transaction."""
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await start(producer, self._kafka)
        except TimeoutError as error:
            message = f"Kafka has not ended the lane's last transaction within {START_TIMEOUT_S:.0f} s"
            raise KafkaTimeoutError(message) from error
