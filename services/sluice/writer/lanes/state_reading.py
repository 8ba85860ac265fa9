"""Read what a lane's last owner has left in Kafka, and say what is not as it was left.

1. The committed offsets with their metadata, which say where the journal's tail begins.
2. The journal's tail, and the unread tails of the retry topics, whose records park their keys.
3. The topics' ids once more. Offsets are listed by name, so only now is it sure whose they were.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from sluice.destinations.contract import FoldKey
from sluice.events import NO_REFS, BatchEvent, KafkaRecord, decode_batch, decode_record
from sluice.flow.commits import Commit, CommitMetadata, LaneTopicIds, Log, journal_start_of, start_of
from sluice.flow.journal import Journal
from sluice.flow.key_order import KeyOrder, OrderTerms
from sluice.flow.offsets import OffsetProgress
from sluice.kafka.foreign_messages import ForeignMessages
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_reader import TopicReader
from sluice.records import ordering_key
from sluice.telemetry.metrics import WriterMetrics
from sluice.topics import DestinationTopics
from sluice.writer.lanes.decoding import RECORDS
from sluice.writer.lanes.lane import LaneState
from sluice.writer.lanes.state_findings import Found

TAIL_FETCH_BYTES = 1024 * 1024
"""Of each of a lane's partitions at a time: all lanes are opened side by side."""


_NEVER = OffsetAndMetadata(-1, "")


class LaneTopics(NamedTuple):
    """The topics of one destination and their ids, which are fixed for as long as a process is in its group."""

    names: DestinationTopics
    ids: Mapping[str, str]

    @property
    def of_lane(self) -> LaneTopicIds:
        """Return the ids of those in which a lane has a place."""
        return LaneTopicIds(tuple(self.ids[topic] for topic in self.names.inputs), self.ids[self.names.batches])


class WaitingRetry(NamedTuple):
    """An unread message of a retry topic, and the key that it parks."""

    topic: int
    offset: int
    key: bytes | None


class StateReader:
    """Reads the state of lanes of one destination."""

    def __init__(
        self,
        kafka: KafkaSettings,
        admin: Any,
        topics: LaneTopics,
        group_id: str,
        metrics: WriterMetrics,
        fold_key: FoldKey | None = None,
    ) -> None:
        self._fold_key = fold_key
        self._metrics = metrics
        self._foreign = ForeignMessages(metrics.foreign_message)
        self._kafka = kafka
        self._admin = admin
        self._topics = topics
        self._group_id = group_id

    async def read(self, partition: int, order_terms: OrderTerms) -> LaneState:
        """Read lane ``partition``, whose last owner is fenced. Raises ``KafkaError`` and ``KafkaUnreachable``."""
        names, ids = self._topics
        inputs = [TopicPartition(topic, partition) for topic in names.inputs]
        batches = TopicPartition(names.batches, partition)
        opened_at_s = asyncio.get_running_loop().time()
        commits = await self._commits(inputs)
        async with TopicReader(self._kafka, ids, fetch_bytes=TAIL_FETCH_BYTES, foreign=self._foreign) as reader:
            beginnings, ends = await reader.beginnings([*inputs, batches]), await reader.ends([*inputs, batches])
            logs = {one: Log(ids[one.topic], beginnings[one], ends[one]) for one in (*inputs, batches)}
            starts = [start_of(commit, logs[one]) for commit, one in zip(commits, inputs, strict=True)]
            journal_start = journal_start_of(commits[RECORDS], logs[batches])
            journal = Journal(starts, journal_start.offset, opened_at_s=opened_at_s)
            tails = {batches: journal_start.offset} | {
                one: start.offset for one, start in zip(inputs[1:], starts[1:], strict=True)
            }
            retries: list[WaitingRetry] = []
            async for messages in reader.read_from(tails):
                if messages[0].topic == names.batches:
                    for message in messages:
                        entry = self._foreign.read(message, _batch_event)
                        if entry is not None:
                            journal.read(message.offset, entry)
                else:
                    number = names.inputs.index(messages[0].topic)
                    retries += [WaitingRetry(number, message.offset, _ordering_key(message)) for message in messages]
            await reader.confirm()
        found = Found(partition, commits, starts, journal_start, journal)
        is_strange = found.report(names, self._metrics)
        order = KeyOrder(order_terms)
        waiting = [one for one in retries if not journal.has(one.topic, one.offset)]
        fold_key = self._fold_key or bytes
        order.park(fold_key(one.key) for one in waiting if one.key is not None)
        progress = [OffsetProgress(start.offset) for start in starts]
        counts = Counter([one.topic for one in waiting])
        last = commits[RECORDS]
        newest_ids = NO_REFS if last is None or last.metadata is None else last.metadata.newest_ids
        return LaneState(progress, journal, order, self._topics.of_lane, is_strange, counts, newest_ids)

    async def _commits(self, inputs: Sequence[TopicPartition]) -> list[Commit | None]:
        found = await self._admin.list_consumer_group_offsets(self._group_id, partitions=inputs)
        return [
            Commit(committed.offset, CommitMetadata.decode(committed.metadata)) if committed.offset >= 0 else None
            for committed in (found.get(one, _NEVER) for one in inputs)
        ]


def _batch_event(message: KafkaRecord) -> BatchEvent:
    return decode_batch(message.value or b"")


def _ordering_key(message: KafkaRecord) -> bytes | None:
    """Return the key that ``message`` has parked; ``None`` for bytes that are no record event and so park none."""
    if message.key is not None:
        return message.key
    try:
        return ordering_key(decode_record(message.value or b""))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
