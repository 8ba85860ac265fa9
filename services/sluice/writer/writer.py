"""The writer: one process of one destination, which joins its group again whenever a session there ends."""

import asyncio
import logging
import random
import time
from typing import Any

from aiokafka.errors import KafkaError

from sluice.destinations.contract import Account
from sluice.flow.flood_guard import FloodGuard
from sluice.flow.retry_policy import RetryPolicy
from sluice.flow.windows import narrow
from sluice.kafka.clients import KafkaUnreachable, explain_failure
from sluice.kafka.topic_admin import admin_client
from sluice.settings import Settings
from sluice.telemetry.health import Heartbeat
from sluice.telemetry.metrics import WriterMetrics
from sluice.topics import topics_of, writer_group
from sluice.writer.assignment import LaneAssignment
from sluice.writer.delivery.limiter import Limiter, LimiterSettings
from sluice.writer.guard import GuardFollower
from sluice.writer.kafka_watch import KafkaWatch
from sluice.writer.lanes.buffer import Buffer, buffer_limits
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.partitioner_check import PartitionerCheck
from sluice.writer.session import Session, SessionParts
from sluice.writer.status import WriterStatus
from sluice.writer.topic_watch import TopicWatch

log = logging.getLogger(__name__)

REJOIN_AFTER_S = 1.0
"""Pause of a writer that has lost a lane before it joins its group again."""


class Writer:
    """Delivers the records of one destination until told to stop."""

    def __init__(
        self, settings: Settings, name: str, destination: Account, metrics: WriterMetrics, heartbeat: Heartbeat
    ) -> None:
        self._name = name
        self._metrics = metrics
        entry, topics, limits = settings.destination(name), topics_of(name, settings.topic_prefix), destination.limits
        delivery = entry.delivery
        limiter = Limiter(
            LimiterSettings(
                max_concurrent=min(limits.max_concurrent, delivery.max_concurrent_per_writer or limits.max_concurrent),
                requests_per_s=delivery.requests_per_s_per_writer,
                backoff_base_s=delivery.backoff_base_s,
                backoff_cap_s=delivery.backoff_cap_s,
                misconfigured_after_s=delivery.misconfigured_after_s,
            ),
            monotonic=time.monotonic,
            uniform=random.random,
        )
        window_limits = narrow(limits, entry.window)
        lanes = Lanes(
            Buffer(buffer_limits(window_limits.max_items, delivery.max_buffered_items, delivery.max_buffered_bytes))
        )
        self._parts = SessionParts(
            kafka=settings.kafka,
            entry=entry,
            topics=topics,
            group_id=writer_group(name, settings.topic_prefix),
            destination=destination,
            window_limits=window_limits,
            limiter=limiter,
            retries=RetryPolicy(
                delays_s=tuple(topic.delay_s for topic in topics.retries),
                max_attempts=delivery.max_attempts,
                max_age_s=delivery.max_age_s,
            ),
            lanes=lanes,
            guard=GuardFollower(
                settings.kafka,
                topics.control,
                FloodGuard(max_share=entry.guard.max_share, over_records=entry.guard.over_records),
                metrics,
            ),
            partitioner=PartitionerCheck(metrics),
            topic_watch=TopicWatch(name, topics, settings.kafka),
            watch=KafkaWatch(settings.kafka),
            status=WriterStatus(topics.inputs, lanes, limiter, metrics, ordered=entry.ordering == "key"),
            metrics=metrics,
            heartbeat=heartbeat,
        )
        self._session: Session | None = None
        metrics.lanes_waiting.set_function(lambda: len(one.waiting) if (one := self._assignment) else 0)
        self._away_because = "has not joined its group yet"

    async def run(self, stop_asked: asyncio.Event) -> None:
        """Deliver until ``stop_asked`` is set.

        Raises ``TopicsError`` for topics that cannot be used from the start, and ``KafkaUnreachable`` when Kafka does
        not answer at the start.
        """
        kafka = self._parts.kafka
        async with admin_client(kafka) as admin:
            while not stop_asked.is_set():
                try:
                    states = await self._parts.topic_watch.usable(admin, stop_asked)
                    self._session = Session(self._parts, admin, states)
                    lost = await self._session.run(stop_asked)
                except (KafkaError, KafkaUnreachable) as error:
                    lost = await explain_failure(error, kafka)
                if lost is not None and not stop_asked.is_set():
                    self._away_because = f"joins its group again: {lost}"
                    log.warning("joining the group again", extra={"reason": lost})
                    self._metrics.lane_restarts.inc()
                    await asyncio.sleep(REJOIN_AFTER_S)

    @property
    def obstacle(self) -> str | None:
        """Why this writer is not ready; ``None`` when it is assigned and configured."""
        assignment, parts = self._assignment, self._parts
        if assignment is None:
            return parts.topic_watch.obstacle or self._away_because
        return assignment.obstacle or parts.watch.obstacle or parts.limiter.obstacle

    def status(self) -> dict[str, Any]:
        """Return what a person wants to see first."""
        return {
            "destination": self._name,
            "ready": self.obstacle is None,
            "not_ready_because": self.obstacle,
            "stopped_because": self._parts.guard.reason,
            **self._parts.status.status(),
        }

    @property
    def _assignment(self) -> LaneAssignment | None:
        """The lanes of this process; ``None`` while it is not in its group."""
        return None if self._session is None else self._session.assignment
