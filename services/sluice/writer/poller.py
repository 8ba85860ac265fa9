"""The poll loop: reads the input topics, as fast as memory, order and due times allow."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from sluice.events import KafkaRecord
from sluice.kafka.aiokafka_workarounds import unreadable_batch
from sluice.kafka.topic_admin import TopicsError
from sluice.writer import kill_points
from sluice.writer.backpressure import Backpressure
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.due_retries import DueRetries
from sluice.writer.kill_points import KillPoint
from sluice.writer.lanes.decoding import RECORDS
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.partitioner_check import PartitionerCheck
from sluice.writer.pauses import PauseReason, Pauses

POLL_TIMEOUT_MS = 50
"""Longest wait of a poll for records: an upper bound on how late a pause reason is looked at again."""
MAX_POLL_RECORDS = 4000
"""Records of one poll: bounds how long the event loop is kept from everything else."""


class UnreadableRecord(TopicsError):
    """A record with a header whose name is not UTF-8, which Kafka's protocol forbids and aiokafka cannot read.

    Its Kafka batch cannot be read any further, so that to go on would mean to lose what follows there.
    """

    def __init__(self, error: UnicodeDecodeError) -> None:
        batch = unreadable_batch(error)
        place = "in one of the topics"
        if batch is not None:
            (topic, partition), offsets = batch
            place = f"in {topic} {partition}/{offsets.start} to {offsets.stop - 1}"
        super().__init__(
            f"expected header names in UTF-8, as Kafka's protocol has them, got {error.object!r} {place}; "
            "nothing was lost, and nothing is delivered until that record is gone: "
            "correct its publisher, then move the writers' group past it with kafka-consumer-groups.sh --reset-offsets"
        )


class Poller:
    """Moves messages from the consumer to their lanes."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        inputs: Sequence[str],
        lanes: Lanes,
        dispatcher: Dispatcher,
        pauses: Pauses,
        backpressure: Backpressure,
        retries: DueRetries,
        partitioner: PartitionerCheck,
    ) -> None:
        """``inputs`` are the input topics by number."""
        self._consumer = consumer
        self._numbers = {topic: number for number, topic in enumerate(inputs)}
        self._lanes = lanes
        self._dispatcher = dispatcher
        self._pauses = pauses
        self._backpressure = backpressure
        self._retries = retries
        self._partitioner = partitioner

    async def polls(self) -> AsyncIterator[None]:
        """Poll until cancelled, and yield after each poll.

        Raises ``KafkaError`` when the consumer fails for good, and :class:`UnreadableRecord`.
        """
        while True:
            open_before = {lane.partition: lane for lane in self._lanes}
            try:
                polled = await self._consumer.getmany(
                    *self._pauses.to_poll(self._consumer.assignment()),
                    timeout_ms=POLL_TIMEOUT_MS,
                    max_records=MAX_POLL_RECORDS,
                )
            except UnicodeDecodeError as error:
                raise UnreadableRecord(error) from error
            if polled:
                kill_points.at(KillPoint.FETCHED)
            for partition, messages in polled.items():
                lane = self._lanes.get(partition.partition)
                # A paused partition can still hand out what was fetched before: its lane reads that again.
                if lane is None or self._pauses.holds(partition, PauseReason.OPENING):
                    continue
                if open_before.get(partition.partition) is lane:
                    self._take(lane, partition, messages)
                else:
                    # Opened during this poll: memory may have been full before, and back-pressure comes first.
                    self._consumer.seek(partition, lane.progress[self._numbers[partition.topic]].next)
            self._retries.resume()
            for lane in self._lanes:
                self._dispatcher.add(lane.due(asyncio.get_running_loop().time()))
            self._backpressure.apply(found_nothing=not polled)
            yield

    def _take(self, lane: Lane, partition: TopicPartition, messages: Sequence[KafkaRecord]) -> None:
        number = self._numbers[partition.topic]
        if number == RECORDS:
            self._partitioner.look(messages)
        else:
            messages = self._retries.take(partition, messages)
        if messages:
            self._dispatcher.add(lane.accept(number, messages))
        if number == RECORDS and (further := lane.jobs.skip(number)) is not None:
            self._consumer.seek(partition, further)
