"""The state of a writer, as gauges for Prometheus and as a status for people."""

import math
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.due_retries import DueRetries
from sluice.writer.lanes.decoding import RECORDS
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.lanes.receipt_messages import rfc3339
from sluice.writer.pauses import PauseReason, Pauses
from sluice.writer.vendor_jobs.job_runner import JobRunner

REFRESH_INTERVAL_S = 0.5
"""Scrapers come every few seconds, polls many times a second."""


class WaitingRetries(NamedTuple):
    """The retries in one topic that are not read yet, and in how many seconds the next one is due, if that is known."""

    items: int
    next_in_s: float | None


class WriterStatus:
    """Looks at the parts of a writer; changes none."""

    def __init__(
        self, inputs: Sequence[str], lanes: Lanes, limiter: Limiter, metrics: WriterMetrics, *, ordered: bool
    ) -> None:
        """``inputs`` are the input topics by number; ``ordered``: an item that is to be tried again parks its key."""
        self._inputs = inputs
        self._lanes = lanes
        self._limiter = limiter
        self._metrics = metrics
        self._ordered = ordered
        self._backlog = 0
        self._pauses: Pauses | None = None
        self._retries: DueRetries | None = None
        self._refreshed_at_s = -math.inf
        self.jobs: JobRunner | None = None
        """The vendor jobs of the session, where the vendor runs any."""
        metrics.lanes.set_function(lambda: len(lanes))

    def refresh(self, consumer: AIOKafkaConsumer, pauses: Pauses, retries: DueRetries) -> None:
        """Set the gauges, unless that was a moment ago; called after each poll."""
        now_s = time.monotonic()
        if now_s < self._refreshed_at_s + REFRESH_INTERVAL_S:
            return
        self._refreshed_at_s = now_s
        self._pauses, self._retries = pauses, retries
        metrics, lanes, buffer = self._metrics, self._lanes, self._lanes.buffer
        self._backlog = sum(self._lag(lane, consumer, pauses) for lane in lanes)
        metrics.runnable_backlog.set(self._backlog + buffer.items)
        metrics.buffered_items.set(buffer.items)
        metrics.buffered_bytes.set(buffer.item_bytes)
        metrics.in_flight.set(self._limiter.in_flight)
        metrics.concurrency_limit.set(self._limiter.allowed)
        metrics.oldest_unsettled.set(lanes.oldest_age_s(now_s))
        metrics.lane_gap.set(max((one.gap for lane in lanes for one in lane.progress), default=0))
        metrics.partitions_paused({reason: pauses.count(reason) for reason in PauseReason})
        metrics.left_in_kafka.set(lanes.left_in_kafka)
        metrics.parked_keys.set(self._parked_keys)
        if self.jobs is not None:
            self.jobs.refresh()
        for topic, waiting in self._waiting_retries().items():
            metrics.retries_waiting(topic, waiting.items, waiting.next_in_s or 0.0)

    def status(self) -> dict[str, Any]:
        """Return what a person wants to see first."""
        return {
            "lanes": sorted(self._lanes.numbers),
            "backlog": self._backlog,
            "buffered_items": self._lanes.buffer.items,
            "buffered_bytes": self._lanes.buffer.item_bytes,
            "waiting_for_their_key": self._lanes.waiting,
            "left_in_kafka": self._lanes.left_in_kafka,
            "parked_keys": self._parked_keys,
            "waiting_retries": {
                topic: {"count": waiting.items, "next_due_in_s": waiting.next_in_s}
                for topic, waiting in self._waiting_retries().items()
            },
            "gap_by_lane": {lane.partition: lane.progress[RECORDS].gap for lane in self._lanes},
            "paused_for_gap_since": self._paused_since(PauseReason.GAP),
            "oldest_unsettled_s": round(self._lanes.oldest_age_s(time.monotonic()), 3),
            "requests_in_flight": self._limiter.in_flight,
            "concurrency_limit": self._limiter.allowed,
            "failures_in_a_row": self._limiter.failures,
            "held_because": self._limiter.held_because,
            "held_for_s": round(self._limiter.held_for_s, 3),
            **({} if self.jobs is None else {"vendor_jobs": self.jobs.status()}),
        }

    @property
    def _parked_keys(self) -> int:
        """Keys whose item waits in a retry topic: followers of theirs wait in their lane."""
        return sum(waiting.items for waiting in self._waiting_retries().values()) if self._ordered else 0

    def _waiting_retries(self) -> dict[str, WaitingRetries]:
        """Return what waits in each retry topic."""
        found: dict[str, WaitingRetries] = {}
        for number, topic in enumerate(self._inputs[1:], start=1):
            next_in_s = None if self._retries is None else self._retries.next_in_s(topic)
            count = sum(lane.waiting_retries[number] for lane in self._lanes)
            found[topic] = WaitingRetries(count, None if next_in_s is None else round(next_in_s, 3))
        return found

    def _paused_since(self, reason: PauseReason) -> dict[int, str]:
        """Return the lanes that are paused for ``reason``, and since when."""
        paused = {} if self._pauses is None else self._pauses.since(reason)
        return {partition.partition: rfc3339(at) for partition, at in paused.items()}

    def _lag(self, lane: Lane, consumer: AIOKafkaConsumer, pauses: Pauses) -> int:
        """Return how many records of ``lane`` Kafka has that could be read now."""
        lag = 0
        assigned = consumer.assignment()
        for topic, progress in zip(self._inputs, lane.progress, strict=True):
            partition = TopicPartition(topic, lane.partition)
            if pauses.holds(partition, PauseReason.NOT_DUE):
                continue
            # A rebalance takes partitions away before their lane is given up.
            end = consumer.highwater(partition) if partition in assigned else None
            if end is not None:
                lag += max(0, end - progress.next)
        return lag
