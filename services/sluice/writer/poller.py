"""The poll loop: reads the input topics, as fast as memory, order and due times allow."""

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition

from sluice.events import Header, KafkaRecord
from sluice.kafka.topic_admin import TopicsError
from sluice.topics import DestinationTopics
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.guard import GuardFollower
from sluice.writer.kill_points import AtKillPoint, KillPoint, go_on
from sluice.writer.lanes.buffer import Buffer
from sluice.writer.lanes.decoding import RECORDS, header_text
from sluice.writer.lanes.lane import Lane
from sluice.writer.pauses import PauseReason, Pauses

POLL_TIMEOUT_MS = 50
"""How long a poll waits for records: an upper bound on how late a pause reason is looked at again."""
MAX_POLL_RECORDS = 4000
"""Records of one poll: bounds how long the event loop is kept from everything else."""


class UnreadableRecord(TopicsError):
    """A record with a header whose name is not UTF-8, which Kafka's protocol forbids and aiokafka cannot read.

    Its Kafka batch cannot be read any further, so that to go on would mean to lose what follows there.
    """

    def __init__(self, error: UnicodeDecodeError) -> None:
        super().__init__(
            f"expected header names in UTF-8, as Kafka's protocol has them, got {error.object!r} {_place(error)}; "
            "nothing was lost, and nothing is delivered until that record is gone: correct its publisher, then move "
            "the writers' group past it with kafka-consumer-groups.sh --reset-offsets"
        )


class Poller:
    """Moves messages from the consumer to their lanes, and pauses what must wait."""

    def __init__(
        self,
        *,
        consumer: AIOKafkaConsumer,
        topics: DestinationTopics,
        lanes: Mapping[int, Lane],
        delivery: Dispatcher,
        buffer: Buffer,
        pauses: Pauses,
        guarding: GuardFollower,
        max_waiting_per_lane: int,
        polled: Callable[[], None],
        at_kill_point: AtKillPoint = go_on,
    ) -> None:
        """``polled`` is called after each poll."""
        self._consumer = consumer
        self._numbers = {topic: number for number, topic in enumerate(topics.inputs)}
        self._records = topics.records
        self._lanes = lanes
        self._delivery = delivery
        self._buffer = buffer
        self._pauses = pauses
        self._guarding = guarding
        self._max_waiting = max_waiting_per_lane
        self._on_polled = polled
        self._at_kill_point = at_kill_point
        self._due_at_s: dict[TopicPartition, float] = {}

    async def run(self) -> None:
        """Poll until cancelled. Raises ``KafkaError`` when the consumer fails for good, and ``UnreadableRecord``."""
        while True:
            try:
                polled = await self._consumer.getmany(
                    *self._pauses.to_poll(self._consumer.assignment()),
                    timeout_ms=POLL_TIMEOUT_MS,
                    max_records=MAX_POLL_RECORDS,
                )
            except UnicodeDecodeError as error:
                raise UnreadableRecord(error) from error
            if polled:
                self._at_kill_point(KillPoint.FETCHED)
            for partition, messages in polled.items():
                lane = self._lanes.get(partition.partition)
                if lane is not None and not self._pauses.holds(partition, PauseReason.OPENING):
                    self._take(lane, partition, messages)
            self._throttle()
            self._on_polled()

    def _take(self, lane: Lane, partition: TopicPartition, messages: Sequence[KafkaRecord]) -> None:
        number = self._numbers[partition.topic]
        if number != RECORDS:
            messages = self._due(partition, messages)
        if messages:
            self._delivery.add(lane.accept(number, messages))

    def _due(self, partition: TopicPartition, messages: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
        """Those of a retry topic's ``messages`` that are due; it is paused until the next one is."""
        now_s = time.time()
        for index, message in enumerate(messages):
            not_before_s = _not_before_s(message)
            if not_before_s > now_s:
                self._consumer.seek(partition, message.offset)
                self._pauses.pause([partition], PauseReason.NOT_DUE)
                self._due_at_s[partition] = not_before_s
                return messages[:index]
        return messages

    def _throttle(self) -> None:
        """Pause what must wait, resume what need not any more."""
        now_s = time.time()
        for partition in [one for one, due_at_s in self._due_at_s.items() if due_at_s <= now_s]:
            del self._due_at_s[partition]
            self._pauses.resume([partition], PauseReason.NOT_DUE)
        if self._guarding.reason is not None:
            self._pauses.pause(self._inputs(), PauseReason.STOPPED)
        elif self._pauses.count(PauseReason.STOPPED):
            self._pauses.resume(self._inputs(), PauseReason.STOPPED)
        records = [TopicPartition(self._records, number) for number in self._lanes]
        if self._buffer.full:
            self._pauses.pause(records, PauseReason.BACKLOG)
        elif self._buffer.roomy:
            self._pauses.resume(records, PauseReason.BACKLOG)
        if self._buffer.full and self._half_is_on_its_way():
            self._pauses.pause(self._inputs()[len(records) :], PauseReason.RETRY_BACKLOG)
        elif self._pauses.count(PauseReason.RETRY_BACKLOG) and (self._buffer.roomy or not self._half_is_on_its_way()):
            self._pauses.resume(self._inputs()[len(records) :], PauseReason.RETRY_BACKLOG)
        for number, lane in self._lanes.items():
            partition = TopicPartition(self._records, number)
            if lane.order.waiting >= self._max_waiting:
                self._pauses.pause([partition], PauseReason.ORDER)
            elif lane.order.waiting <= self._max_waiting // 2:
                self._pauses.resume([partition], PauseReason.ORDER)

    def _half_is_on_its_way(self) -> bool:
        """Whether most of what is in memory waits for the vendor, and not for a key that only a retry can free."""
        return 2 * sum(lane.order.waiting for lane in self._lanes.values()) <= self._buffer.items

    def _inputs(self) -> list[TopicPartition]:
        """The records partitions first."""
        return [TopicPartition(topic, number) for topic in self._numbers for number in self._lanes]


def _place(error: UnicodeDecodeError) -> str:
    """Where the record is that aiokafka could not read. It does not say; its frames know."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        found = frame.f_locals
        if "tp" in found and "next_batch" in found:
            partition, batch = found["tp"], found["next_batch"]
            return f"in {partition.topic} {partition.partition}/{batch.base_offset} to {batch.next_offset - 1}"
    return "in one of the topics"


def _not_before_s(message: KafkaRecord) -> float:
    """When a retry is due; a header that makes no sense, which we did not write, is due now."""
    text = header_text(message.headers, Header.NOT_BEFORE)
    try:
        return datetime.fromisoformat(text or "").timestamp()
    except ValueError:
        return 0.0
