"""What a writer shows of itself: gauges for Prometheus, and a status for people."""

import math
import time
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from sluice.telemetry.metrics import WriterMetrics
from sluice.topics import DestinationTopics
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.lanes.buffer import Buffer
from sluice.writer.lanes.decoding import RECORDS
from sluice.writer.lanes.lane import Lane
from sluice.writer.pauses import PauseReason, Pauses

REFRESH_INTERVAL_S = 0.5
"""Scrapers come every few seconds, polls many times a second."""


class WriterStatus:
    """Looks at the parts of a writer; changes none."""

    def __init__(
        self, *, topics: DestinationTopics, lanes: Mapping[int, Lane], buffer: Buffer, limiter: Limiter
    ) -> None:
        self._topics = topics
        self._lanes = lanes
        self._buffer = buffer
        self._limiter = limiter
        self._backlog = 0
        self._refreshed_at_s = -math.inf

    def refresh(self, metrics: WriterMetrics, consumer: AIOKafkaConsumer, pauses: Pauses) -> None:
        """Set the gauges; called with every poll, and good for a while."""
        now_s = time.monotonic()
        if now_s < self._refreshed_at_s + REFRESH_INTERVAL_S:
            return
        self._refreshed_at_s = now_s
        lanes = self._lanes.values()
        self._backlog = sum(self._lag(number, lane, consumer, pauses) for number, lane in self._lanes.items())
        metrics.runnable_backlog.set(self._backlog + self._buffer.items)
        metrics.buffered_items.set(self._buffer.items)
        metrics.buffered_bytes.set(self._buffer.item_bytes)
        metrics.in_flight.set(self._limiter.in_flight)
        metrics.concurrency_limit.set(self._limiter.allowed)
        metrics.oldest_unsettled.set(max((lane.oldest_age_s(now_s) for lane in lanes), default=0.0))
        metrics.lane_gap.set(max((one.next - one.position for lane in lanes for one in lane.progress), default=0))
        metrics.partitions_paused({reason: pauses.count(reason) for reason in PauseReason})

    def status(self) -> dict[str, Any]:
        """What a person wants to see first."""
        now_s = time.monotonic()
        lanes = self._lanes.values()
        return {
            "lanes": sorted(self._lanes),
            "backlog": self._backlog,
            "buffered_items": self._buffer.items,
            "buffered_bytes": self._buffer.item_bytes,
            "waiting_for_their_key": sum(lane.order.waiting for lane in lanes),
            "oldest_unsettled_s": round(max((lane.oldest_age_s(now_s) for lane in lanes), default=0.0), 3),
            "requests_in_flight": self._limiter.in_flight,
            "concurrency_limit": self._limiter.allowed,
            "failures_in_a_row": self._limiter.failures,
            "held_because": self._limiter.held_because,
            "held_for_s": round(self._limiter.held_for_s, 3),
        }

    def _lag(self, number: int, lane: Lane, consumer: AIOKafkaConsumer, pauses: Pauses) -> int:
        """Records of a lane that Kafka has and that could be read now."""
        lag = 0
        assigned = consumer.assignment()
        for topic, progress in zip(self._topics.inputs, lane.progress, strict=True):
            partition = TopicPartition(topic, number)
            if topic != self._topics.inputs[RECORDS] and pauses.holds(partition, PauseReason.NOT_DUE):
                continue
            # A rebalance takes partitions away before their lane is given up.
            end = consumer.highwater(partition) if partition in assigned else None
            if end is not None:
                lag += max(0, end - progress.next)
        return lag
