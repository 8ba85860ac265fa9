"""The lanes of a process: opened when the group assigns them, given up when it takes them back.

Range assignment gives a process the same partition numbers of all input topics, so a lane is owned whole. All lanes are
given up at every rebalance: aiokafka's protocol revokes everything before it assigns anew.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError

from sluice.kafka.aiokafka_workarounds import is_own_cancel
from sluice.kafka.clients import KafkaUnreachable
from sluice.telemetry.metric_definitions import LaneLoss
from sluice.writer.commit_counter import CommitCounter
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.lanes.committer import LaneLost
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.lanes.opening import LaneOpener
from sluice.writer.pauses import PauseReason, Pauses

log = logging.getLogger(__name__)


class _RunningLane(NamedTuple):
    lane: Lane
    cycles: asyncio.Task[None]


class LaneAssignment(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Opens and gives up lanes as the group's assignment changes."""

    def __init__(
        self,
        opener: LaneOpener,
        consumer: AIOKafkaConsumer,
        pauses: Pauses,
        dispatcher: Dispatcher,
        lanes: Lanes,
        counter: CommitCounter,
        *,
        drain_timeout_s: float,
    ) -> None:
        self._opener = opener
        self._consumer = consumer
        self._pauses = pauses
        self._dispatcher = dispatcher
        self._lanes = lanes
        self._counter = counter
        self._drain_timeout_s = drain_timeout_s
        self._running: dict[int, _RunningLane] = {}
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._joined = self._closed = False
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done, with the reason, when a lane is lost although the group still counts it as ours."""

    @property
    def obstacle(self) -> str | None:
        """Why not all lanes run that are ours; ``None`` when they do."""
        if not self._joined:
            return "has not joined its group yet"
        return f"opens {len(self._opening)} of its lanes" if self._opening else None

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Open the lanes of ``assigned`` in the background."""
        if self._closed:
            return
        # Pause first, resume last: the consumer hands records out while this still runs.
        self._pauses.forget()
        self._pauses.pause(assigned, PauseReason.OPENING)
        self._dispatcher.resume()
        for number in sorted({partition.partition for partition in assigned}):
            self._opening[number] = self._watched(self._open(number))
        self._joined = True
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
        """Let requests in flight finish within a bound, run a last commit cycle, close every lane."""
        started_at_s = time.monotonic()
        for opening in self._opening.values():
            opening.cancel()
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        self._opening.clear()
        running, self._running = self._running, {}
        # Requests first: their answers become settlements, which the last cycle of each lane commits.
        await self._dispatcher.drain(self._drain_timeout_s)
        if not running:
            return
        await asyncio.gather(*(self._close(each) for each in running.values()))
        for number, (lane, _) in running.items():
            self._dispatcher.discard(number)
            self._lanes.remove(lane)
        log.info(
            "lanes given up",
            extra={"lanes": sorted(running), "seconds": round(time.monotonic() - started_at_s, 3)},
        )

    async def _open(self, number: int) -> None:
        started_at_s = time.monotonic()
        try:
            lane = await self._opener.open(number)
        except (KafkaError, KafkaUnreachable, asyncio.CancelledError) as error:
            if is_own_cancel(error):
                raise
            self._lose(number, f"lane {number} cannot be opened: {error!r}", "opening")
            return
        self._running[number] = _RunningLane(lane, self._watched(self._run(lane)))
        # Seek, then register, then resume: the first record that comes in is the one at the committed offset.
        inputs = self._opener.inputs(number)
        for partition, progress in zip(inputs, lane.progress, strict=True):
            self._consumer.seek(partition, progress.position)
        self._lanes.add(lane)
        self._pauses.resume(inputs, PauseReason.OPENING)
        del self._opening[number]
        log.info(
            "lane open",
            extra={"lane": number, **lane.summary(), "seconds": round(time.monotonic() - started_at_s, 3)},
        )

    async def _run(self, lane: Lane) -> None:
        """Run commit cycles, and let the followers of the keys that each has freed go on."""
        try:
            async for cycle in lane.committer.cycles():
                self._counter.count(cycle)
                self._dispatcher.add(lane.committed(cycle.settlements))
                del cycle  # nor must it hold the messages until the next one
        except BaseException as error:
            # In the very step in which the cycles release whoever waits for them: a batch must not leave because its
            # entry, which was not written, seems to be.
            lane.alive = False
            if not isinstance(error, LaneLost):
                raise
            self._lose(lane.partition, str(error), "fenced" if error.fenced else "kafka")

    def _watched(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task whose unforeseen failure ends the session: a lane that silently stands still is worse."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None and not self.lost.done():
                self.lost.set_exception(error)

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        return task

    def _lose(self, number: int, message: str, reason: LaneLoss) -> None:
        self._counter.lane_lost(reason)
        log.warning("lane lost", extra={"lane": number, "reason": message})
        if not self.lost.done():
            self.lost.set_result(message)

    async def _close(self, each: _RunningLane) -> None:
        lane, cycles = each
        try:
            async with asyncio.timeout(self._drain_timeout_s):
                await lane.committer.drained()
        except TimeoutError:
            log.warning("last commit cycle not committed in time", extra={"lane": lane.partition})
        lane.alive = False
        cycles.cancel()
        await asyncio.gather(cycles, return_exceptions=True)
        await lane.committer.close()
