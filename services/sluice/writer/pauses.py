"""Partitions that are not read for now, and why. Polling goes on, so the group keeps this process."""

from collections.abc import Iterable
from enum import StrEnum

from aiokafka import AIOKafkaConsumer, TopicPartition


class PauseReason(StrEnum):
    """Why a partition is paused. It is read again when the last reason is gone."""

    OPENING = "opening"  # its lane is not ready
    BACKLOG = "backlog"  # enough is in memory
    RETRY_BACKLOG = "retry-backlog"  # the same, for retries that are due
    ORDER = "order"  # too many records of its lane wait for their key
    NOT_DUE = "not-due"  # the head of a retry topic has to wait
    STOPPED = "stopped"  # the flood guard: a person must look first


BRIEF = frozenset((PauseReason.BACKLOG, PauseReason.ORDER))
"""Reasons that come and go many times a second. Such a partition is left out of polls and not paused at the client,
which throws away what it has fetched ahead of a paused one: under load a third of all fetches."""


class Pauses:
    """Pauses and resumes partitions of one consumer by reason."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._reasons: dict[TopicPartition, set[PauseReason]] = {}

    def pause(self, partitions: Iterable[TopicPartition], reason: PauseReason) -> None:
        """Stop reading ``partitions``."""
        for partition in partitions:
            reasons = self._reasons.setdefault(partition, set())
            if reason not in BRIEF and reasons <= BRIEF:
                self._consumer.pause(partition)
            reasons.add(reason)

    def resume(self, partitions: Iterable[TopicPartition], reason: PauseReason) -> None:
        """``reason`` is gone for ``partitions``."""
        for partition in partitions:
            reasons = self._reasons.get(partition)
            if reasons is None or reason not in reasons:
                continue
            reasons.discard(reason)
            if reason not in BRIEF and reasons <= BRIEF:
                self._consumer.resume(partition)
            if not reasons:
                del self._reasons[partition]

    def to_poll(self, assigned: Iterable[TopicPartition]) -> list[TopicPartition]:
        """The partitions to read; when none may be, those that the client has paused, because it must be polled."""
        assigned = list(assigned)
        wanted = [partition for partition in assigned if partition not in self._reasons]
        return wanted or [partition for partition in assigned if not self._reasons[partition] <= BRIEF]

    def forget(self) -> None:
        """The assignment has changed: nothing is paused any more."""
        self._reasons.clear()

    def count(self, reason: PauseReason) -> int:
        """How many partitions are paused for ``reason``."""
        return sum(reason in reasons for reasons in self._reasons.values())

    def holds(self, partition: TopicPartition, reason: PauseReason) -> bool:
        """Whether ``partition`` is paused for ``reason``."""
        return reason in self._reasons.get(partition, ())
