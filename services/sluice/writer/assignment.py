"""The lanes that this process owns: opened when the group assigns them, given up when it takes them back."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError

from sluice.flow.batch import Item
from sluice.flow.key_order import KeyOrder
from sluice.flow.offsets import OffsetProgress
from sluice.kafka.aiokafka_workarounds import stop_producer
from sluice.telemetry.metrics import WriterMetrics
from sluice.topics import DestinationTopics
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.guard import GuardFollower
from sluice.writer.kill_points import AtKillPoint
from sluice.writer.lanes.buffer import Buffer
from sluice.writer.lanes.committer import LaneCommitter, LaneLost
from sluice.writer.lanes.decoding import Decoder
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.opening import LaneOpener, OpenedLane
from sluice.writer.lanes.settlement import Settlement, SettlementBuilder
from sluice.writer.pauses import PauseReason, Pauses

log = logging.getLogger(__name__)


class LaneTerms(NamedTuple):
    """What all lanes of one destination have in common."""

    topics: DestinationTopics
    group_id: str
    intake: Decoder
    ordered: bool
    settling: SettlementBuilder
    drain_timeout_s: float
    stale_after_s: float


class OpenLane(NamedTuple):
    """A lane that runs, with what has to be closed after it."""

    lane: Lane
    ledger: LaneCommitter
    producer: AIOKafkaProducer
    cycles: asyncio.Task[None]


class LaneAssignment(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Opens and gives up lanes as the group's assignment changes.

    Range assignment gives a process the same partition numbers of all input topics, so a lane is owned whole. All
    lanes are given up at every rebalance: aiokafka's protocol revokes everything before it assigns anew.
    """

    def __init__(
        self,
        *,
        terms: LaneTerms,
        opener: LaneOpener,
        pauses: Pauses,
        seek: Callable[[TopicPartition, int], None],
        delivery: Dispatcher,
        forget_windows: Callable[[int], None],
        buffer: Buffer,
        lanes: dict[int, Lane],
        metrics: WriterMetrics,
        guarding: GuardFollower,
        opened: Callable[[int], None],
        at_kill_point: AtKillPoint,
    ) -> None:
        """``opened`` is told how many lanes are still being opened, whenever that changes."""
        self._terms = terms
        self._opener = opener
        self._pauses = pauses
        self._seek = seek
        self._delivery = delivery
        self._forget_windows = forget_windows
        self._buffer = buffer
        self._lanes = lanes
        self._metrics = metrics
        self._guarding = guarding
        self._on_opened = opened
        self._at_kill_point = at_kill_point
        self._open: dict[int, OpenLane] = {}
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._closed = False
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done, with the reason, when a lane is lost although the group still counts it as ours."""

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Pause first, open in the background, resume last: records are handed out while this still runs."""
        if self._closed:
            return
        self._pauses.forget()
        self._pauses.pause(assigned, PauseReason.OPENING)
        self._delivery.resume()
        for number in sorted({partition.partition for partition in assigned}):
            self._opening[number] = self._watched(self._open_lane(number))
        self._on_opened(len(self._opening))
        log.info("lanes assigned", extra={"lanes": sorted(self._opening)})

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Give all lanes up, with the receipts of what is with the vendor now."""
        if revoked:
            await self.give_up()

    async def close(self) -> None:
        """Give all lanes up for good: what the group assigns from now on, before it is left, is not opened any more."""
        self._closed = True
        await self.give_up()

    async def give_up(self) -> None:
        """Let requests in flight finish within a bound, run a last ledger cycle, close every lane."""
        started_at_s = time.monotonic()
        for opening in self._opening.values():
            opening.cancel()
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        self._opening.clear()
        owned, self._open = self._open, {}
        await self._delivery.drain(self._terms.drain_timeout_s)
        if not owned:
            return
        await asyncio.gather(*(self._close(each) for each in owned.values()))
        for number in owned:
            self._forget_windows(number)
        self._lanes.clear()
        self._buffer.clear()
        self._metrics.lanes.set(0)
        log.info(
            "lanes given up",
            extra={"lanes": sorted(owned), "seconds": round(time.monotonic() - started_at_s, 3)},
        )

    async def _open_lane(self, number: int) -> None:
        started_at_s = time.monotonic()
        try:
            opened = await self._opener.open(number)
        except KafkaError as error:
            self._lose(number, f"lane {number} cannot be opened: {error!r}", "opening")
            return
        lane = self._start(number, opened)
        inputs = [TopicPartition(topic, number) for topic in self._terms.topics.inputs]
        for partition, offset in zip(inputs, opened.committed, strict=True):
            self._seek(partition, offset)
        self._lanes[number] = lane
        self._pauses.resume(inputs, PauseReason.OPENING)
        del self._opening[number]
        self._on_opened(len(self._opening))
        self._metrics.lanes.set(len(self._lanes))
        log.info(
            "lane open",
            extra={
                "lane": number,
                "committed": opened.committed,
                "settled_beyond": sum(len(offsets) for offsets in opened.journal.settled),
                "open": sum(len(offsets) for offsets in opened.journal.in_doubt),
                "parked": len(opened.parked),
                "seconds": round(time.monotonic() - started_at_s, 3),
            },
        )

    def _start(self, number: int, opened: OpenedLane) -> Lane:
        progress = [OffsetProgress(offset) for offset in opened.committed]
        order = KeyOrder(ordered=self._terms.ordered)
        order.park(opened.parked)

        def committed(settlements: Sequence[Settlement], seconds: float) -> None:
            self._committed(lane, settlements, seconds)

        ledger = LaneCommitter(
            partition=number,
            producer=opened.producer,
            topics=self._terms.topics,
            group_id=self._terms.group_id,
            progress=progress,
            journal=opened.journal,
            committed=committed,
            at_kill_point=self._at_kill_point,
        )
        lane = Lane(
            partition=number,
            intake=self._terms.intake,
            order=order,
            progress=progress,
            settled=opened.journal.settled,
            settling=self._terms.settling,
            buffer=self._buffer,
            in_doubt=opened.journal.in_doubt,
            ledger=ledger,
            stale_after_s=self._terms.stale_after_s,
        )
        cycles = self._watched(self._run_cycles(number, lane, ledger))
        self._open[number] = OpenLane(lane, ledger, opened.producer, cycles)
        return lane

    def _watched(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task whose unforeseen failure ends the session: a lane that silently stands still is worse."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None and not self.lost.done():
                self.lost.set_exception(error)

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        return task

    async def _run_cycles(self, number: int, lane: Lane, ledger: LaneCommitter) -> None:
        try:
            await ledger.run()
        except LaneLost as error:
            lane.alive = False
            ledger.close()
            self._lose(number, str(error), "fenced" if error.fenced else "kafka")

    def _lose(self, number: int, message: str, reason: str) -> None:
        self._metrics.lanes_lost.labels(reason).inc()
        log.warning("lane lost", extra={"lane": number, "reason": message})
        if not self.lost.done():
            self.lost.set_result(message)

    def _committed(self, lane: Lane, settlements: Sequence[Settlement], seconds: float) -> None:
        """A ledger cycle is committed: count it, and let followers of its keys go on."""
        keys: list[bytes] = []
        published_at_s: list[float] = []
        records = 0
        for settlement in settlements:
            keys += settlement.keys
            published_at_s += settlement.published_at_s
            records += len(settlement.succeeded) + len(settlement.dead) + 1
            self._buffer.leave(settlement.items, settlement.item_bytes)
            self._guarding.count(settlement.items, len(settlement.dead))
            self._metrics.items_settled(settlement.outcomes)
            for error_class, count in settlement.dead_by_class.items():
                self._metrics.dead_letters.labels(error_class).inc(count)
        self._metrics.receipts_published(published_at_s, time.time())
        self._metrics.cycle_committed(records, seconds)
        if lane.alive:
            released: list[Item] = lane.order.release(keys)
            self._delivery.add(released)

    async def _close(self, each: OpenLane) -> None:
        try:
            async with asyncio.timeout(self._terms.drain_timeout_s):
                await asyncio.wait(
                    (each.cycles, asyncio.ensure_future(each.ledger.drained())), return_when=asyncio.FIRST_COMPLETED
                )
        except TimeoutError:
            log.warning("last ledger cycle not committed in time", extra={"lane": each.lane.partition})
        each.lane.alive = False
        each.ledger.close()
        each.cycles.cancel()
        await asyncio.gather(each.cycles, return_exceptions=True)
        await stop_producer(each.producer)
