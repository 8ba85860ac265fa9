"""Opening a lane, in the one order that is safe.

1. The producer's init fences the previous owner and ends whatever transaction was open. What the lane has committed is
   final from now on, and only now can be read.
2. The committed offsets with their metadata, which say where the journal's tail begins.
3. The journal's tail, and the unread tails of the retry topics, whose records park their keys.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaTimeoutError
from aiokafka.structs import OffsetAndMetadata

from sluice.events import KafkaRecord, decode_batch, decode_record
from sluice.flow.journal import CommitMetadata, Journal
from sluice.flow.key_order import KeyOrder
from sluice.flow.offset_set import OffsetSet
from sluice.flow.offsets import OffsetProgress
from sluice.kafka.aiokafka_workarounds import stop
from sluice.kafka.clients import client_options, start
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_reader import TopicReader
from sluice.records import ordering_key
from sluice.topics import DestinationTopics
from sluice.writer.lanes.buffer import Buffer
from sluice.writer.lanes.committer import LaneCommitter
from sluice.writer.lanes.decoding import Decoder
from sluice.writer.lanes.lane import Lane, LaneState
from sluice.writer.lanes.settlement import SettlementBuilder

MAX_BATCH_BYTES = 900_000
"""Receipts in one Kafka batch, before compression, unless a topic takes less."""
TAIL_FETCH_BYTES = 1024 * 1024
"""Of each of a lane's partitions at a time: all lanes are opened side by side."""
START_TIMEOUT_S = 30.0
"""Longest wait for Kafka to fence the lane's previous owner."""
STALE_SHARE = 1 / 3
"""A committed cycle proves for this share of the session timeout that the lane is ours."""


class LaneTerms(NamedTuple):
    """The parts that all lanes of one destination have in common."""

    topics: DestinationTopics
    group_id: str
    decoder: Decoder
    builder: SettlementBuilder
    buffer: Buffer
    ordered: bool


class LaneOpener:
    """Opens lanes of one destination for one process."""

    def __init__(self, kafka: KafkaSettings, admin: Any, terms: LaneTerms) -> None:
        self._kafka = kafka
        self._admin = admin
        self._terms = terms

    def inputs(self, partition: int) -> list[TopicPartition]:
        """Return what lane ``partition`` reads, by input topic number."""
        return [TopicPartition(topic, partition) for topic in self._terms.topics.inputs]

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
            state = await self._read(partition)
        except BaseException:
            await stop(producer)
            raise
        return Lane(
            partition,
            state=state,
            committer=LaneCommitter(partition, producer, terms.topics, terms.group_id, state),
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

    async def _read(self, partition: int) -> LaneState:
        topics = self._terms.topics
        inputs = self.inputs(partition)
        batches = TopicPartition(topics.batches, partition)
        opened_at_s = asyncio.get_running_loop().time()
        found: dict[TopicPartition, OffsetAndMetadata] = await self._admin.list_consumer_group_offsets(
            self._terms.group_id, partitions=inputs
        )
        async with TopicReader(self._kafka, fetch_bytes=TAIL_FETCH_BYTES) as reader:
            beginnings = await reader.beginnings([batches, *inputs])
            committed = [_position(found.get(one), beginnings[one]) for one in inputs]
            text = found[inputs[0]].metadata if inputs[0] in found else ""
            start_at = max(CommitMetadata.decode(text).journal, beginnings[batches])
            journal = Journal(committed, start_at, opened_at_s=opened_at_s)
            retries: list[tuple[int, int, bytes | None]] = []
            tails = {batches: start_at, **dict(zip(inputs[1:], committed[1:], strict=True))}
            async for messages in reader.read_from(tails):
                for message in messages:
                    if message.topic == topics.batches:
                        journal.read(message.offset, decode_batch(message.value))
                    else:
                        number = topics.inputs.index(message.topic)
                        retries.append((number, message.offset, _ordering_key(message)))
        order = KeyOrder(ordered=self._terms.ordered)
        order.park(parked_keys(retries, journal.settled))
        return LaneState([OffsetProgress(offset) for offset in committed], journal, order)


def parked_keys(retries: Iterable[tuple[int, int, bytes | None]], settled: Sequence[OffsetSet]) -> list[bytes]:
    """Return the keys that wait in retry topics, from (topic number, offset, key) of each message there.

    A message that the journal has settled already is left out: it will be skipped, and nothing would free its key.
    """
    return [key for number, offset, key in retries if key is not None and offset not in settled[number]]


def _position(committed: OffsetAndMetadata | None, beginning: int) -> int:
    return beginning if committed is None or committed.offset < 0 else int(committed.offset)


def _ordering_key(message: KafkaRecord) -> bytes | None:
    """Return the key that ``message`` has parked; ``None`` for bytes that are no record event and so park none."""
    if message.key is not None:
        return message.key
    try:
        return ordering_key(decode_record(message.value or b""))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
