"""Retries that are due, and pauses of their partitions until the next one is."""

import math
import time
from collections.abc import Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from sluice.events import Header, KafkaRecord
from sluice.flow.due_times import DueTimes
from sluice.headers import header_instant
from sluice.wall_clock import unix_s
from sluice.writer.pauses import PauseReason, Pauses


class DueRetries:
    """Lets due messages of retry topics through; a partition whose head is not due is paused until it is."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        pauses: Pauses,
        delays_s: Mapping[str, float],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = unix_s,
    ) -> None:
        """``delays_s`` holds the delay of each retry topic."""
        self._consumer = consumer
        self._pauses = pauses
        self._delays_s = delays_s
        self._monotonic = monotonic
        self._wall = wall
        self._times: dict[TopicPartition, DueTimes] = {}
        self._due_at_s: dict[TopicPartition, float] = {}

    def take(self, partition: TopicPartition, messages: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
        """Return those of ``messages`` that are due; pause ``partition``, and read it again, when the next one is."""
        now_s, wall_s = self._monotonic(), self._wall()
        times = self._times.get(partition)
        if times is None:
            times = self._times[partition] = DueTimes(self._delays_s[partition.topic])
        times.note(max(messages[-1].offset + 1, self._end(partition)), now_s)
        for index, message in enumerate(messages):
            wait_s = times.wait_s(message.offset, _not_before_s(message) - wall_s, now_s)
            if wait_s > 0:
                self._consumer.seek(partition, message.offset)
                self._pauses.pause([partition], PauseReason.NOT_DUE)
                self._due_at_s[partition] = now_s + wait_s
                return messages[:index]
        return messages

    def resume(self) -> None:
        """Have partitions read again whose head is due now."""
        now_s = self._monotonic()
        for partition in [one for one, due_at_s in self._due_at_s.items() if due_at_s <= now_s]:
            del self._due_at_s[partition]
            self._pauses.resume([partition], PauseReason.NOT_DUE)

    def next_in_s(self, topic: str) -> float | None:
        """Return in how many seconds the next retry of ``topic`` is due; ``None`` when none is known to wait."""
        waiting = [
            due_at_s
            for partition, due_at_s in self._due_at_s.items()
            if partition.topic == topic and self._pauses.holds(partition, PauseReason.NOT_DUE)
        ]
        return max(0.0, min(waiting) - self._monotonic()) if waiting else None

    def _end(self, partition: TopicPartition) -> int:
        """Return the end of ``partition`` as of its last fetch: what stands before it, known or not, is in Kafka."""
        end = self._consumer.highwater(partition) if partition in self._consumer.assignment() else None
        return 0 if end is None else int(end)


def _not_before_s(message: KafkaRecord) -> float:
    """Return when a retry is due by its header; one without a sensible header, which we did not write, is due now."""
    due_at = header_instant(message.headers, Header.NOT_BEFORE)
    return -math.inf if due_at is None else due_at.timestamp()
