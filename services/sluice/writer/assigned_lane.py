"""A lane for as long as the group counts it as ours.

1. Open it, however often that takes. Its partitions are paused.
2. Write the receipts of what the vendor answered before the lane was lost: Kafka must take them before anything more of
   the lane is sent.
3. Seek, register, resume: records come in.
4. Run commit cycles.
5. Kafka refuses one: nothing more is sent, requests that are out are waited for, and after a delay that grows it goes
   on with 1. The other lanes go on meanwhile. When a new owner has fenced it instead, the session ends.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from sluice.flow.retry_policy import backoff_s
from sluice.kafka.aiokafka_workarounds import is_own_cancel
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.fetch_by_id import PositionLost
from sluice.kafka.refusals import describe_refusal
from sluice.telemetry.metric_definitions import LaneLoss
from sluice.wall_clock import utc_now
from sluice.writer.commit_counter import CommitCounter
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.lanes.commit_cycle import CommitCycle
from sluice.writer.lanes.committer import LaneLost
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.lanes.opening import LaneOpener
from sluice.writer.pauses import PauseReason, Pauses

log = logging.getLogger(__name__)

REOPEN_BASE_S, REOPEN_CAP_S = 1.0, 60.0
"""Pauses before a lane that Kafka has refused is opened again."""


class AssignedLane:
    """One lane that the group has assigned to this process."""

    def __init__(
        self,
        number: int,
        opener: LaneOpener,
        consumer: AIOKafkaConsumer,
        pauses: Pauses,
        dispatcher: Dispatcher,
        lanes: Lanes,
        counter: CommitCounter,
    ) -> None:
        self.number = number
        self.obstacle: str | None = "is being opened"
        """Why it does not run; ``None`` while it does."""
        self._opener = opener
        self._consumer = consumer
        self._pauses = pauses
        self._dispatcher = dispatcher
        self._lanes = lanes
        self._counter = counter
        self._lane: Lane | None = None
        self._refusals = 0
        self._task: asyncio.Task[None]

    def start(self, on_end: Callable[[asyncio.Task[None]], None]) -> None:
        """Run in the background; ``on_end`` hears of the end, whatever it is."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(on_end)

    async def stop_opening(self) -> None:
        """Stop if it is not open now."""
        if self._lane is None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def close(self, timeout_s: float) -> None:
        """Run a last commit cycle within ``timeout_s``, then give the lane up."""
        if self._lane is not None:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._lane.committer.drained()
            except TimeoutError:
                log.warning("last commit cycle not committed in time", extra={"lane": self.number})
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        """Run until cancelled.

        Raises :class:`LaneLost` when there is a new owner, and ``PositionLost`` when the session reads topics that are
        gone.
        """
        while True:
            try:
                await self._open_and_run()
            except PositionLost:
                raise
            except (LaneLost, KafkaError, KafkaUnreachable, asyncio.CancelledError) as error:
                if is_own_cancel(error):
                    raise
                await self._wait_after(error)

    async def _open_and_run(self) -> None:
        started_at_s = time.monotonic()
        lane = await self._opener.open(self.number)
        self._lane = lane
        try:
            async with aclosing(lane.committer.cycles()) as cycles:
                try:
                    if lane.settle_kept(self._lanes.answers.take(self.number), utc_now()):
                        self._committed(lane, await anext(cycles))
                    self._admit(lane)
                    log.info(
                        "lane open",
                        extra={
                            "lane": self.number,
                            **lane.summary(),
                            "seconds": round(time.monotonic() - started_at_s, 3),
                        },
                    )
                    async for cycle in cycles:
                        self._committed(lane, cycle)
                        del cycle  # nor must it hold the messages until the next one
                finally:
                    # In the very step in which the cycles release whoever waits for them: a batch must not leave
                    # because its entry, which was not written, seems to be.
                    lane.alive = False
        finally:
            self._lane = None
            self._release(lane)
            await lane.committer.close()

    def _admit(self, lane: Lane) -> None:
        # Seek, then register, then resume: the first record that comes in is the first without a fate.
        inputs = self._opener.inputs(self.number)
        for number, (partition, progress) in enumerate(zip(inputs, lane.progress, strict=True)):
            lane.jobs.skip(number)
            self._consumer.seek(partition, progress.next)
        self._lanes.add(lane)
        self._pauses.resume(inputs, PauseReason.OPENING)
        self.obstacle = None

    def _committed(self, lane: Lane, cycle: CommitCycle) -> None:
        """Take note of ``cycle``, and let the followers of the keys that it has freed go on."""
        self._counter.count(cycle)
        self._dispatcher.add(lane.committed(cycle.settlements))
        if cycle.settlements:
            self._refusals = 0

    def _release(self, lane: Lane) -> None:
        """Forget what is in memory of ``lane``, except for answers that Kafka has not taken."""
        self._dispatcher.lose(self.number)
        self._lanes.remove(lane)
        answered = [settlement for settlement in lane.committer.unwritten if settlement.on_settled is not None]
        self._lanes.answers.keep(self.number, answered)

    async def _wait_after(self, error: BaseException) -> None:
        """Wait before the lane is opened again. Raises ``error`` when that would take it from its new owner."""
        reason: LaneLoss = "opening"
        message = f"lane {self.number} cannot be opened: {describe_refusal(error)}"
        if isinstance(error, LaneLost):
            reason, message = ("fenced" if error.fenced else "kafka"), str(error)
        self._counter.lane_lost(reason)
        self._refusals += 1
        delay_s = backoff_s(self._refusals, base_s=REOPEN_BASE_S, cap_s=REOPEN_CAP_S, uniform=1.0)
        fields = {"lane": self.number, "reason": message, "answers_kept": len(self._lanes.answers)}
        if reason == "fenced":
            log.warning("lane lost", extra=fields)
            raise error
        log.warning("lane lost", extra={**fields, "opened_again_in_s": delay_s})
        self.obstacle = f"{message}; it is opened again every {delay_s:g} s"
        assigned = self._consumer.assignment()  # a rebalance may have begun
        self._pauses.pause([one for one in self._opener.inputs(self.number) if one in assigned], PauseReason.OPENING)
        await self._dispatcher.answered()
        await asyncio.sleep(delay_s)
