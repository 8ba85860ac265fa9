"""Pauses: partitions that are not read for now. Polling goes on, so that the group keeps this process."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

from aiokafka import AIOKafkaConsumer, TopicPartition

from sluice.wall_clock import unix_s


class PauseReason(StrEnum):
    """A reason to pause a partition. It is read again when its last reason is gone."""

    OPENING = "opening"  # its lane is not ready
    BACKLOG = "backlog"  # enough is in memory
    RETRY_BACKLOG = "retry-backlog"  # the same, for retries that are due
    ORDER = "order"  # too many records of its lane wait for their key
    GAP = "gap"  # its lane has read too far beyond a record that stays open
    NOT_DUE = "not-due"  # the head of a retry topic has to wait
    STOPPED = "stopped"  # the flood guard: a person must look first


BRIEF = frozenset((PauseReason.BACKLOG, PauseReason.ORDER, PauseReason.GAP))
"""Reasons that come and go many times a second. Such a partition is left out of polls and not paused at the client,
which throws away what it has fetched ahead of a paused one: under load a third of all fetches."""


class Pauses:
    """Pauses and resumes partitions of one consumer by reason."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._reasons: dict[TopicPartition, dict[PauseReason, float]] = {}
        """When each pause began, by its reason."""

    def pause(self, partitions: Iterable[TopicPartition], reason: PauseReason) -> None:
        """Stop reading ``partitions``."""
        for partition in partitions:
            reasons = self._reasons.setdefault(partition, {})
            if reason not in BRIEF and reasons.keys() <= BRIEF:
                self._consumer.pause(partition)
            if reason not in reasons:
                reasons[reason] = unix_s()

    def resume(self, partitions: Iterable[TopicPartition], reason: PauseReason) -> None:
        """Read ``partitions`` again, as far as there is no other reason than ``reason``."""
        for partition in partitions:
            reasons = self._reasons.get(partition)
            if reasons is None or reason not in reasons:
                continue
            del reasons[reason]
            if reason not in BRIEF and reasons.keys() <= BRIEF:
                self._consumer.resume(partition)
            if not reasons:
                del self._reasons[partition]

    def to_poll(self, assigned: Iterable[TopicPartition]) -> list[TopicPartition]:
        """Return the partitions to read; if there is none, those that the client has paused: it must be polled."""
        assigned = list(assigned)
        wanted = [partition for partition in assigned if partition not in self._reasons]
        return wanted or [partition for partition in assigned if not self._reasons[partition].keys() <= BRIEF]

    def forget(self) -> None:
        """Forget all pauses: the assignment has changed, and the client has forgotten them, too."""
        self._reasons.clear()

    def count(self, reason: PauseReason) -> int:
        """Return how many partitions are paused for ``reason``."""
        return sum(reason in reasons for reasons in self._reasons.values())

    def holds(self, partition: TopicPartition, reason: PauseReason) -> bool:
        """Return whether ``partition`` is paused for ``reason``."""
        return reason in self._reasons.get(partition, ())

    def since(self, reason: PauseReason) -> dict[TopicPartition, datetime]:
        """Return the partitions that are paused for ``reason``, and since when."""
        return {
            partition: datetime.fromtimestamp(reasons[reason], UTC)
            for partition, reasons in self._reasons.items()
            if reason in reasons
        }
