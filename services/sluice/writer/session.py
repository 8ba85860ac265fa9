"""A session: one membership of a writer in its group, from joining to leaving it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from sluice.destinations.contract import Account
from sluice.destinations.vendor_jobs import JobDestination
from sluice.flow.key_order import OrderTerms
from sluice.flow.retry_policy import RetryPolicy
from sluice.flow.windows import WindowLimits
from sluice.kafka.aiokafka_workarounds import fail_if_cancelled, stop
from sluice.kafka.bounded_consumer import BoundedConsumer, fetch_bounds
from sluice.kafka.clients import KafkaUnreachable, client_options, start
from sluice.kafka.fetch_by_id import fetch_by_id
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import TopicState
from sluice.kafka.topic_reader import TopicReader
from sluice.settings import DestinationEntry
from sluice.telemetry.health import Heartbeat
from sluice.telemetry.metrics import WriterMetrics
from sluice.topics import DestinationTopics
from sluice.writer.assigned_lane import AssignedLane
from sluice.writer.assignment import LaneAssignment
from sluice.writer.backpressure import Backpressure
from sluice.writer.commit_counter import CommitCounter
from sluice.writer.delivery.deliverer import Deliverer
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.due_retries import DueRetries
from sluice.writer.guard import GuardFollower
from sluice.writer.kafka_watch import KafkaWatch
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
from sluice.writer.vendor_jobs.job_runner import JobRunner
from sluice.writer.vendor_jobs.order_book import OrderBook
from sluice.writer.ways import ways_of


class SessionParts(NamedTuple):
    """The parts of a writer that live longer than a session."""

    kafka: KafkaSettings
    entry: DestinationEntry
    topics: DestinationTopics
    group_id: str
    destination: Account
    window_limits: WindowLimits
    limiter: Limiter
    retries: RetryPolicy
    lanes: Lanes
    guard: GuardFollower
    partitioner: PartitionerCheck
    topic_watch: TopicWatch
    watch: KafkaWatch
    status: WriterStatus
    metrics: WriterMetrics
    heartbeat: Heartbeat


class Session:
    """One membership in the group."""

    def __init__(self, parts: SessionParts, admin: Any, states: Sequence[TopicState]) -> None:
        """Read the topics as ``states`` found them."""
        self._parts = parts
        self._admin = admin
        self._states = states
        self._topics = LaneTopics(parts.topics, {state.name: state.topic_id for state in states})
        self._lanes = states[0].partitions
        self.assignment: LaneAssignment | None = None
        """The lanes of this session; ``None`` before it has joined."""

    async def run(self, stop_asked: asyncio.Event) -> str | None:
        """Be a member of the group; return ``None`` when told to stop, else why it has to be joined anew."""
        if stop_asked.is_set():
            return None
        parts = self._parts
        parts.partitioner.partitions = self._lanes
        parts.lanes.answers.now_from(self._topics.of_lane.inputs)
        limits = await read_message_limits(self._admin, parts.topics)
        consumer = self._new_consumer()
        fetch_by_id(consumer, self._topics.ids, keep_place=True)
        try:
            await start(consumer, parts.kafka)
            return await self._deliver(consumer, self._opener(limits), stop_asked)
        except BaseExceptionGroup as failures:
            raise _cause_of(failures) from failures
        finally:
            self.assignment = None
            await stop(consumer)

    def _opener(self, limits: MessageLimits) -> LaneOpener:
        parts, delivery, buffer = self._parts, self._parts.entry.delivery, self._parts.lanes.buffer.limits
        # Half of the buffer at most, however the lanes are shared out: what waits for a key must not stop the others.
        order = OrderTerms(
            ordered=parts.entry.ordering == "key",
            max_items=min(delivery.max_waiting_per_lane, max(1, buffer.max_items // (2 * self._lanes))),
            max_bytes=buffer.max_bytes // (2 * self._lanes),
        )
        warns_of = parts.destination.warns_of if isinstance(parts.destination, JobDestination) else None
        decoder = Decoder(parts.destination, parts.window_limits.max_bytes, warns_of=warns_of)
        terms = LaneTerms(
            destination=parts.destination,
            topics=self._topics,
            group_id=parts.group_id,
            decoder=decoder,
            builder=SettlementBuilder(parts.retries, limits, parts.topics.inputs, decoder.fold_key),
            buffer=parts.lanes.buffer,
            order=order,
        )
        return LaneOpener(parts.kafka, self._admin, terms, parts.metrics)

    def _reader(self, *topics: str) -> TopicReader:
        """Return a reader of what stands in ``topics``, of which it holds little at a time."""
        ids = {topic: self._topics.ids[topic] for topic in topics}
        return TopicReader(self._parts.kafka, ids, fetch_bytes=RECALL_FETCH_BYTES)

    def _job_runner(self) -> JobRunner | None:
        parts = self._parts
        if not isinstance(parts.destination, JobDestination):
            return None
        make_reader = partial(self._reader, *parts.topics.inputs)
        return JobRunner(
            parts.destination,
            parts.topics,
            parts.lanes,
            parts.limiter,
            make_reader,
            parts.metrics,
            parts.entry.delivery,
            OrderBook(parts.kafka, parts.topics.control, range(self._lanes), parts.metrics.foreign_message),
        )

    async def _deliver(self, consumer: AIOKafkaConsumer, opener: LaneOpener, stop_asked: asyncio.Event) -> str | None:
        parts, settings, pauses = self._parts, self._parts.entry.delivery, Pauses(consumer)
        inputs, lanes, guard, metrics = parts.topics.inputs, parts.lanes, parts.guard, parts.metrics
        jobs = self._job_runner()
        ways = ways_of(parts.destination, jobs, parts.window_limits, parts.limiter, lanes, metrics)
        deliverer = Deliverer(parts.topics.records, ways.sender_of, lanes, metrics)
        dispatcher = Dispatcher(ways.windows, parts.limiter, deliverer, guard, metrics, ways.has_room, ways.takes_room)
        counter = CommitCounter(metrics, guard)
        self.assignment = assignment = LaneAssignment(
            lambda number: AssignedLane(number, opener, consumer, pauses, dispatcher, lanes, counter),
            pauses,
            dispatcher,
            lanes.answers,
            drain_timeout_s=settings.drain_timeout_s,
        )
        backpressure = Backpressure(
            inputs, lanes, pauses, guard, dispatcher, max_gap_per_lane=settings.max_gap_per_lane
        )
        retries = DueRetries(consumer, pauses, {topic.name: topic.delay_s for topic in parts.topics.retries})
        recaller = Recaller(parts.topics.records, partial(self._reader, parts.topics.records), lanes, dispatcher)
        poller = Poller(consumer, inputs, lanes, dispatcher, pauses, backpressure, retries, parts.partitioner)
        topics_changed = partial(parts.topic_watch.changed, self._admin, self._states)
        parts.status.jobs = jobs
        async with asyncio.TaskGroup() as sending:
            dispatching = sending.create_task(dispatcher.run())
            closing: asyncio.Task[None] | None = None
            try:
                async with asyncio.TaskGroup() as reading:
                    stopped = reading.create_task(stop_asked.wait())
                    known = reading.create_task(_known(guard, jobs))
                    following = [reading.create_task(guard.run())]
                    if jobs is not None:
                        following.append(reading.create_task(fail_if_cancelled(jobs.orders.run())))
                    watching = reading.create_task(parts.watch.run())
                    comparing = reading.create_task(_end_session(assignment, topics_changed))
                    # Read nothing until the guard's state is known, which may have stopped before this process, and
                    # all orders: a job that was aborted must not be collected as if nobody of ours had done that.
                    await asyncio.wait((stopped, known, assignment.lost), return_when=asyncio.FIRST_COMPLETED)
                    consumer.subscribe(inputs, listener=assignment)
                    recalling = reading.create_task(fail_if_cancelled(recaller.run()))
                    polls = self._poll(poller, consumer, pauses, retries, recaller)
                    polling = reading.create_task(fail_if_cancelled(polls))
                    running = [] if jobs is None else [reading.create_task(jobs.run(dispatcher))]
                    await asyncio.wait((stopped, assignment.lost), return_when=asyncio.FIRST_COMPLETED)
                    for task in (stopped, known, *following, recalling, polling, watching, comparing, *running):
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
                self._parts.heartbeat.beat("poll")
                self._parts.status.refresh(consumer, pauses, retries)
        finally:
            self._parts.heartbeat.ended("poll")

    def _new_consumer(self) -> AIOKafkaConsumer:
        parts = self._parts
        session_timeout_s, drain_timeout_s = parts.kafka.session_timeout_s, parts.entry.delivery.drain_timeout_s
        session_timeout_ms = int(session_timeout_s * 1000)
        return BoundedConsumer(
            **client_options(parts.kafka),
            **fetch_bounds(self._lanes * len(parts.topics.inputs)),
            group_id=parts.group_id,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=session_timeout_ms,
            heartbeat_interval_ms=session_timeout_ms // 10,
            # A rebalance waits for every member to drain its requests and run its last commit cycles.
            rebalance_timeout_ms=int((2 * drain_timeout_s + session_timeout_s) * 1000),
        )


async def _known(guard: GuardFollower, jobs: JobRunner | None) -> None:
    """Wait until it is known what earlier processes and people have left in the control topic."""
    await guard.known.wait()
    if jobs is not None:
        await jobs.orders.known.wait()


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
