"""The records of a vendor job, read again from Kafka, a slice at a time."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from aiokafka import TopicPartition

from sluice.events import KafkaRecord
from sluice.flow.batch import Item
from sluice.flow.lane_job import LaneJob
from sluice.kafka.topic_reader import TopicReader
from sluice.topics import DestinationTopics
from sluice.writer.lanes.decoding import Recall
from sluice.writer.lanes.lane import Lane
from sluice.writer.vendor_jobs.job_table import Job

Piece = tuple[int, range, Sequence[KafkaRecord]]
"""An input topic's number, the offsets that were looked at, and all messages that Kafka has of them."""


class JobRecords:
    """Reads with one reader of the input topics. Raises ``KafkaError`` and ``KafkaUnreachable``."""

    def __init__(self, topics: DestinationTopics, reader: TopicReader) -> None:
        self._topics = topics
        self._reader = reader

    async def recalled(self, lane: Lane, part: LaneJob, recall: Recall | None) -> AsyncGenerator[list[Item], None]:
        """Yield the items of the open rows of ``part``, as long as its lane is ours."""
        async with aclosing(self._pieces(lane, part)) as pieces:
            async for topic, looked_at, messages in pieces:
                if items := lane.recall_rows(part, topic, messages, looked_at, recall):
                    yield items

    async def sent(self, job: Job) -> AsyncGenerator[Item, None]:
        """Yield the items of the open rows of ``job`` only to be looked at, as far as their lanes are ours."""
        for lane, part in job.parts:
            async with aclosing(self._pieces(lane, part)) as pieces:
                async for topic, _, messages in pieces:
                    rows = part.rows[topic]
                    for message in [one for one in messages if one.offset in rows.open]:
                        item = lane.decoder.item(message, topic, Recall.TO_ENCODE)
                        item.row = rows.row_of(item.offset) or 0
                        yield item

    async def _pieces(self, lane: Lane, part: LaneJob) -> AsyncGenerator[Piece, None]:
        """Yield what stands in Kafka at the open rows of ``part``, as long as its lane is ours."""
        for topic, rows in sorted(part.rows.items()):
            runs = list(rows.open.runs())
            if not runs:
                continue
            place = TopicPartition(self._topics.inputs[topic], lane.partition)
            wanted = rows.open.stretches(range(runs[0].start, runs[-1].stop))
            async with aclosing(self._reader.read_ranges(place, wanted)) as pieces:
                async for looked_at, messages in pieces:
                    if not lane.alive:
                        return
                    yield topic, looked_at, messages

    async def taken_back(self, job: Job) -> AsyncIterator[list[Item]]:
        """Take the rows of ``job``, none of which was applied, out of the journal; yield its items slice by slice.

        Rows that are still to come are left to be read. Those that the settings of now do not let be sent get their
        dead letter.
        """
        for lane, part in job.parts:
            if not lane.alive:
                continue
            if coming := lane.jobs.drop_coming(part):
                lane.journal.withdraw_rows(part.batch_id, part.batch_key, coming)
            async with aclosing(self.recalled(lane, part, None)) as slices:
                async for items in slices:
                    places = [(item.topic, item.offset, item.row) for item in items]
                    lane.journal.withdraw_rows(part.batch_id, part.batch_key, places)
                    lane.jobs.remove(part, {items[0].topic: [item.offset for item in items]})
                    yield items
