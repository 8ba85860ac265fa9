"""The writer: one process of one destination, from joining the group to leaving it."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from sluice.destinations.contract import Account, Destination
from sluice.flow.flood_guard import FloodGuard
from sluice.flow.key_order import OrderTerms
from sluice.flow.retry_policy import RetryPolicy
from sluice.flow.windows import Windows, narrow
from sluice.kafka.aiokafka_workarounds import fail_if_cancelled, stop
from sluice.kafka.bounded_consumer import BoundedConsumer, fetch_bounds
from sluice.kafka.clients import KafkaUnreachable, client_options, explain_failure, start
from sluice.kafka.fetch_by_id import fetch_by_id
from sluice.kafka.topic_admin import TopicState, admin_client
from sluice.kafka.topic_reader import TopicReader
from sluice.settings import Settings
from sluice.telemetry.health import Heartbeat
from sluice.telemetry.metrics import WriterMetrics
from sluice.topics import topics_of
from sluice.writer.assigned_lane import AssignedLane
from sluice.writer.assignment import LaneAssignment
from sluice.writer.backpressure import Backpressure
from sluice.writer.commit_counter import CommitCounter
from sluice.writer.delivery.deliverer import Deliverer
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.delivery.limiter import Limiter, LimiterSettings
from sluice.writer.due_retries import DueRetries
from sluice.writer.guard import GuardFollower
from sluice.writer.kafka_watch import KafkaWatch
from sluice.writer.lanes.buffer import Buffer, BufferLimits
from sluice.writer.lanes.decoding import Decoder
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.lanes.message_limits import MessageLimits, read_message_limits
from sluice.writer.lanes.opening import LaneOpener, LaneTerms
from sluice.writer.lanes.settlement import SettlementBuilder
from sluice.writer.lanes.state_reading import LaneTopics
from sluice.writer.partitioner_check import PartitionerCheck
from sluice.writer.pauses import Pauses
from sluice.writer.poller import Poller
from sluice.writer.recaller import RECALL_FETCH_BYTES, Recaller
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
        self._kafka = settings.kafka
        self._name = name
        self._entry = entry = settings.destination(name)
        if not isinstance(destination, Destination):
            raise TypeError(f"expected a destination that answers at once, got {type(destination).__name__}")
        self._destination = destination
        self._metrics = metrics
        self._heartbeat = heartbeat
        self._topics = topics_of(name, settings.topic_prefix)
        self._group_id = f"{settings.topic_prefix}{name}.writer"
        limits, window, delivery = destination.limits, entry.window, entry.delivery
        self._window_limits = narrow(limits, window)
        self._limiter = Limiter(
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
        self._retries = RetryPolicy(
            delays_s=tuple(topic.delay_s for topic in self._topics.retries),
            max_attempts=delivery.max_attempts,
            max_age_s=delivery.max_age_s,
        )
        self._lanes = Lanes(
            Buffer(BufferLimits(max_items=delivery.max_buffered_items, max_bytes=delivery.max_buffered_bytes))
        )
        self._guard = GuardFollower(
            settings.kafka,
            self._topics.control,
            FloodGuard(max_share=entry.guard.max_share, over_records=entry.guard.over_records),
            metrics,
        )
        self._partitioner = PartitionerCheck(metrics)
        self._topic_watch = TopicWatch(name, self._topics, settings.kafka)
        self._status = WriterStatus(
            self._topics.inputs, self._lanes, self._limiter, metrics, ordered=entry.ordering == "key"
        )
        self._watch = KafkaWatch(settings.kafka)
        self._assignment: LaneAssignment | None = None
        metrics.lanes_waiting.set_function(lambda: len(self._assignment.waiting) if self._assignment else 0)
        self._away_because = "has not joined its group yet"

    async def run(self, stop_asked: asyncio.Event) -> None:
        """Deliver until ``stop_asked`` is set.

        Raises ``TopicsError`` for topics that cannot be used from the start, and ``KafkaUnreachable`` when Kafka does
        not answer at the start.
        """
        async with admin_client(self._kafka) as admin:
            while not stop_asked.is_set():
                try:
                    states = await self._topic_watch.usable(admin, stop_asked)
                    lost = await self._join(admin, states, stop_asked)
                except (KafkaError, KafkaUnreachable) as error:
                    lost = await explain_failure(error, self._kafka)
                if lost is not None and not stop_asked.is_set():
                    self._away_because = f"joins its group again: {lost}"
                    log.warning("joining the group again", extra={"reason": lost})
                    self._metrics.lane_restarts.inc()
                    await asyncio.sleep(REJOIN_AFTER_S)

    @property
    def obstacle(self) -> str | None:
        """Why this writer is not ready; ``None`` when it is assigned and configured."""
        if self._assignment is None:
            return self._topic_watch.obstacle or self._away_because
        return self._assignment.obstacle or self._watch.obstacle or self._limiter.obstacle

    def status(self) -> dict[str, Any]:
        """Return what a person wants to see first."""
        return {
            "destination": self._name,
            "ready": self.obstacle is None,
            "not_ready_because": self.obstacle,
            "stopped_because": self._guard.reason,
            **self._status.status(),
        }

    async def _join(self, admin: Any, states: Sequence[TopicState], stop_asked: asyncio.Event) -> str | None:
        """Be a member of the group; return ``None`` when told to stop, else why it has to be joined anew."""
        if stop_asked.is_set():
            return None
        self._partitioner.partitions = lanes = states[0].partitions
        topics = LaneTopics(self._topics, {state.name: state.topic_id for state in states})
        self._lanes.answers.now_from(topics.of_lane.inputs)
        limits = await read_message_limits(admin, self._topics)
        consumer = self._new_consumer(lanes)
        fetch_by_id(consumer, topics.ids, keep_place=True)
        try:
            await start(consumer, self._kafka)
            opener = self._opener(admin, topics, limits, lanes)
            records_id = {self._topics.records: topics.ids[self._topics.records]}
            recalling = partial(TopicReader, self._kafka, records_id, fetch_bytes=RECALL_FETCH_BYTES)
            changed = partial(self._topic_watch.changed, admin, states)
            return await self._deliver(consumer, opener, recalling, changed, stop_asked)
        except BaseExceptionGroup as failures:
            raise _cause_of(failures) from failures
        finally:
            self._assignment = None
            await stop(consumer)

    def _opener(self, admin: Any, topics: LaneTopics, limits: MessageLimits, lanes: int) -> LaneOpener:
        delivery = self._entry.delivery
        # Half of the buffer at most, however the lanes are shared out: what waits for a key must not stop the others.
        order = OrderTerms(
            ordered=self._entry.ordering == "key",
            max_items=min(delivery.max_waiting_per_lane, max(1, delivery.max_buffered_items // (2 * lanes))),
            max_bytes=delivery.max_buffered_bytes // (2 * lanes),
        )
        terms = LaneTerms(
            topics=topics,
            group_id=self._group_id,
            decoder=Decoder(self._destination, self._window_limits.max_bytes),
            builder=SettlementBuilder(self._retries, limits, self._topics.inputs),
            buffer=self._lanes.buffer,
            order=order,
        )
        return LaneOpener(self._kafka, admin, terms, self._metrics)

    async def _deliver(
        self,
        consumer: AIOKafkaConsumer,
        opener: LaneOpener,
        make_reader: Callable[[], TopicReader],
        topics_changed: Callable[[], Awaitable[str]],
        stop_asked: asyncio.Event,
    ) -> str | None:
        inputs, lanes, pauses = self._topics.inputs, self._lanes, Pauses(consumer)
        deliverer = Deliverer(self._topics.records, self._destination, self._limiter, lanes, self._metrics)
        dispatcher = Dispatcher(Windows(self._window_limits), self._limiter, deliverer, self._guard, self._metrics)
        counter = CommitCounter(self._metrics, self._guard)
        settings = self._entry.delivery
        self._assignment = assignment = LaneAssignment(
            lambda number: AssignedLane(number, opener, consumer, pauses, dispatcher, lanes, counter),
            pauses,
            dispatcher,
            lanes.answers,
            drain_timeout_s=settings.drain_timeout_s,
        )
        backpressure = Backpressure(
            inputs,
            lanes,
            pauses,
            self._guard,
            dispatcher,
            max_gap_per_lane=settings.max_gap_per_lane,
        )
        retries = DueRetries(consumer, pauses, {topic.name: topic.delay_s for topic in self._topics.retries})
        recaller = Recaller(self._topics.records, make_reader, lanes, dispatcher)
        poller = Poller(consumer, inputs, lanes, dispatcher, pauses, backpressure, retries, self._partitioner)
        async with asyncio.TaskGroup() as sending:
            dispatching = sending.create_task(dispatcher.run())
            closing: asyncio.Task[None] | None = None
            try:
                async with asyncio.TaskGroup() as reading:
                    stopped = reading.create_task(stop_asked.wait())
                    known = reading.create_task(self._guard.known.wait())
                    following = reading.create_task(self._guard.run())
                    watching = reading.create_task(self._watch.run())
                    comparing = reading.create_task(_end_session(assignment, topics_changed))
                    # Read nothing until the guard's state is known: it may have been stopped before this process.
                    await asyncio.wait((stopped, known, assignment.lost), return_when=asyncio.FIRST_COMPLETED)
                    consumer.subscribe(inputs, listener=assignment)
                    recalling = reading.create_task(fail_if_cancelled(recaller.run()))
                    polls = self._poll(poller, consumer, pauses, retries, recaller)
                    polling = reading.create_task(fail_if_cancelled(polls))
                    await asyncio.wait((stopped, assignment.lost), return_when=asyncio.FIRST_COMPLETED)
                    for task in (stopped, known, following, recalling, polling, watching, comparing):
                        task.cancel()
                    closing = asyncio.create_task(assignment.close())
            finally:
                # Poll no more, but wait for requests that are with the vendor, also when one of them fails for good
                # meanwhile, which cancels this task: the answers of the others must be settled.
                closing = closing or asyncio.create_task(assignment.close())
                try:
                    await asyncio.shield(closing)
                finally:
                    await closing
                    dispatching.cancel()
        return assignment.lost.result() if assignment.lost.done() else None

    async def _poll(
        self, poller: Poller, consumer: AIOKafkaConsumer, pauses: Pauses, retries: DueRetries, recaller: Recaller
    ) -> None:
        try:
            async for _ in poller.polls():
                recaller.look()
                self._heartbeat.beat("poll")
                self._status.refresh(consumer, pauses, retries)
        finally:
            self._heartbeat.ended("poll")

    def _new_consumer(self, lanes: int) -> AIOKafkaConsumer:
        session_timeout_ms = int(self._kafka.session_timeout_s * 1000)
        return BoundedConsumer(
            **client_options(self._kafka),
            **fetch_bounds(lanes * len(self._topics.inputs)),
            group_id=self._group_id,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=session_timeout_ms,
            heartbeat_interval_ms=session_timeout_ms // 10,
            # A rebalance waits for every member to drain its requests and run its last commit cycles.
            rebalance_timeout_ms=int((2 * self._entry.delivery.drain_timeout_s + self._kafka.session_timeout_s) * 1000),
        )


async def _end_session(assignment: LaneAssignment, topics_changed: Callable[[], Awaitable[str]]) -> None:
    """End the session when the topics are not any more those that it reads."""
    reason = await topics_changed()
    if not assignment.lost.done():
        assignment.lost.set_result(reason)


def _cause_of(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the failure that matters most: one that nobody foresaw, else one of Kafka's."""
    return min(_leaves(failures), key=lambda failure: isinstance(failure, KafkaError | KafkaUnreachable))


def _leaves(failures: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for failure in failures.exceptions:
        if isinstance(failure, BaseExceptionGroup):
            yield from _leaves(failure)
        else:
            yield failure
