"""The writer: one process of one destination, from joining the group to leaving it."""

import asyncio
import logging
import random
import time
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from sluice.destinations.contract import Destination, Misconfigured
from sluice.flow.flood_guard import FloodGuard
from sluice.flow.retry_policy import RetryPolicy
from sluice.flow.windows import WindowLimits, Windows
from sluice.kafka.aiokafka_workarounds import stop_consumer
from sluice.kafka.clients import client_options
from sluice.kafka.topic_admin import (
    DEFAULT_MAX_MESSAGE_BYTES,
    admin_client,
    max_message_bytes,
    partition_count,
    topic_states,
)
from sluice.settings import Settings
from sluice.telemetry.health import Heartbeat
from sluice.telemetry.metrics import WriterMetrics
from sluice.topics import topics_of
from sluice.writer.assignment import LaneAssignment, LaneTerms
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.delivery.limiter import Limiter, LimiterSettings
from sluice.writer.guard import GuardFollower
from sluice.writer.kill_points import AtKillPoint, go_on
from sluice.writer.lanes.buffer import Buffer, BufferLimits
from sluice.writer.lanes.decoding import Decoder
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.opening import LaneOpener
from sluice.writer.lanes.settlement import SettlementBuilder
from sluice.writer.pauses import Pauses
from sluice.writer.poller import Poller
from sluice.writer.status import WriterStatus

log = logging.getLogger(__name__)

REJOIN_AFTER_S = 1.0
"""How long a writer that has lost a lane stays away from the group."""


class Writer:
    """Delivers the records of one destination until told to stop."""

    def __init__(
        self,
        settings: Settings,
        name: str,
        destination: Destination,
        metrics: WriterMetrics,
        heartbeat: Heartbeat,
        at_kill_point: AtKillPoint = go_on,
    ) -> None:
        self._settings = settings
        self._name = name
        self._entry = entry = settings.destination(name)
        self._destination = destination
        self._metrics = metrics
        self._heartbeat = heartbeat
        self._at_kill_point = at_kill_point
        self._topics = topics_of(name, settings.topic_prefix)
        self._group_id = f"{settings.topic_prefix}{name}.writer"
        self._lanes: dict[int, Lane] = {}
        limits, window, delivery = destination.limits, entry.window, entry.delivery
        self._window_limits = WindowLimits(
            max_items=min(limits.max_items, window.max_items or limits.max_items),
            max_bytes=min(limits.max_bytes, window.max_bytes or limits.max_bytes),
            max_age_s=limits.max_age_s if window.max_age_s is None else window.max_age_s,
        )
        self._limiter = Limiter(
            LimiterSettings(
                max_concurrent=min(limits.max_concurrent, delivery.max_concurrent or limits.max_concurrent),
                requests_per_s=delivery.requests_per_s,
                backoff_base_s=delivery.backoff_base_s,
                backoff_cap_s=delivery.backoff_cap_s,
            ),
            monotonic=time.monotonic,
            uniform=random.random,
        )
        self._buffer = Buffer(
            BufferLimits(max_items=delivery.max_buffered_items, max_bytes=delivery.max_buffered_bytes)
        )
        self._overview = WriterStatus(
            topics=self._topics, lanes=self._lanes, buffer=self._buffer, limiter=self._limiter
        )
        self._guarding = GuardFollower(
            settings.kafka,
            self._topics.control,
            FloodGuard(max_share=entry.guard.max_share, over_records=entry.guard.over_records),
            metrics,
        )
        self._retries = RetryPolicy(
            delays_s=tuple(tier.delay_s for tier in self._topics.retries),
            max_attempts=delivery.max_attempts,
            max_age_s=delivery.max_age_s,
        )
        self._max_message_bytes = DEFAULT_MAX_MESSAGE_BYTES
        self._ready: str | None = "has not joined its group yet"

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop`` is set.

        Raises ``TopicsError`` for topics that cannot be used, ``Misconfigured`` when the vendor refuses for good, and
        ``KafkaUnreachable`` when Kafka does not answer at the start.
        """
        async with admin_client(self._settings.kafka) as admin:
            while not stop.is_set():
                try:
                    await self._look_at_topics(admin)
                    lost = await self._session(admin, stop)
                except KafkaError as error:
                    lost = repr(error)
                if lost is not None and not stop.is_set():
                    self._ready = f"joins its group again: {lost}"
                    log.warning("joining the group again", extra={"reason": lost})
                    self._metrics.lane_restarts.inc()
                    await asyncio.sleep(REJOIN_AFTER_S)

    async def _look_at_topics(self, admin: Any) -> None:
        partition_count(await topic_states(admin, self._topics.all), self._name)
        returning = (self._topics.dead_letters, *self._topics.inputs[1:])
        self._max_message_bytes = min([await max_message_bytes(admin, topic) for topic in returning])

    @property
    def obstacle(self) -> str | None:
        """Why this writer is not ready; ``None`` when it is assigned and configured."""
        return self._ready

    def status(self) -> dict[str, Any]:
        """What a person wants to see first."""
        return {
            "destination": self._name,
            "ready": self._ready is None,
            "stopped_because": self._guarding.reason,
            **self._overview.status(),
        }

    async def _session(self, admin: Any, stop: asyncio.Event) -> str | None:
        """Be a member of the group; ``None`` when told to stop, else why it has to be joined anew."""
        consumer = self._consumer()
        try:
            await consumer.start()
            return await self._run(consumer, admin, stop)
        finally:
            await stop_consumer(consumer)

    async def _run(self, consumer: AIOKafkaConsumer, admin: Any, stop: asyncio.Event) -> str | None:
        windows = Windows(self._window_limits)
        pauses = Pauses(consumer)
        delivery = Dispatcher(
            topic=self._topics.records,
            destination=self._destination,
            windows=windows,
            limiter=self._limiter,
            lanes=self._lanes,
            metrics=self._metrics,
            at_kill_point=self._at_kill_point,
        )
        self._guarding.on_change = lambda: delivery.permit(delivery=self._guarding.reason is None)
        self._guarding.on_change()
        settings = self._entry.delivery

        def polled() -> None:
            self._heartbeat.beat("poll")
            self._overview.refresh(self._metrics, consumer, pauses)

        ownership = LaneAssignment(
            terms=LaneTerms(
                topics=self._topics,
                group_id=self._group_id,
                intake=Decoder(self._destination, self._window_limits.max_bytes),
                ordered=self._entry.ordering == "key",
                settling=SettlementBuilder(self._retries, self._max_message_bytes, self._topics.inputs),
                drain_timeout_s=settings.drain_timeout_s,
                stale_after_s=self._settings.kafka.session_timeout_s / 3,
            ),
            opener=LaneOpener(client_options(self._settings.kafka), admin, self._topics, self._group_id),
            pauses=pauses,
            seek=consumer.seek,
            delivery=delivery,
            forget_windows=windows.discard,
            buffer=self._buffer,
            lanes=self._lanes,
            metrics=self._metrics,
            guarding=self._guarding,
            opened=self._opened,
            at_kill_point=self._at_kill_point,
        )
        fetching = Poller(
            consumer=consumer,
            topics=self._topics,
            lanes=self._lanes,
            delivery=delivery,
            buffer=self._buffer,
            pauses=pauses,
            max_waiting_per_lane=settings.max_waiting_per_lane,
            guarding=self._guarding,
            polled=polled,
            at_kill_point=self._at_kill_point,
        )
        loops = [asyncio.create_task(self._guarding.run())]
        stopped, known = asyncio.create_task(stop.wait()), asyncio.create_task(self._guarding.known.wait())
        try:
            # Not before it is known whether the guard has stopped this destination is anything read.
            await asyncio.wait((*loops, stopped, known), return_when=asyncio.FIRST_COMPLETED)
            consumer.subscribe(self._topics.inputs, listener=ownership)
            loops += [asyncio.create_task(fetching.run()), asyncio.create_task(delivery.run())]
            ends: list[asyncio.Future[Any]] = [*loops, stopped, ownership.lost]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*loops[:2], stopped, known):
                task.cancel()  # fetch no more; what is with the vendor is waited for
            await ownership.close()
            for task in loops:
                task.cancel()
            results = await asyncio.gather(*loops, stopped, return_exceptions=True)
            self._heartbeat.ended("poll")
        for result in results:
            _raise_failure(result)
        return ownership.lost.result() if ownership.lost.done() else None

    def _consumer(self) -> AIOKafkaConsumer:
        kafka = self._settings.kafka
        session_timeout_ms = int(kafka.session_timeout_s * 1000)
        return AIOKafkaConsumer(
            **client_options(kafka),
            group_id=self._group_id,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=session_timeout_ms,
            heartbeat_interval_ms=session_timeout_ms // 10,
            # A rebalance waits for every member to drain its requests and run its last ledger cycles.
            rebalance_timeout_ms=int((2 * self._entry.delivery.drain_timeout_s + kafka.session_timeout_s) * 1000),
        )

    def _opened(self, opening: int) -> None:
        """A lane was opened or given up; ``opening`` of them are still on their way."""
        self._ready = None if opening == 0 else f"opens {opening} lanes"


def _raise_failure(result: BaseException | bool | None) -> None:
    """Raise what ended a loop, if it was more than our own cancelling."""
    match result:
        case BaseExceptionGroup() as group:
            cause: BaseException = group.subgroup(Misconfigured) or group
            while isinstance(cause, BaseExceptionGroup) and len(cause.exceptions) == 1:
                cause = cause.exceptions[0]
            raise cause
        case Exception() as error:
            raise error
