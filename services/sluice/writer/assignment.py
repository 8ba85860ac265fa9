"""The lanes of a process: opened when the group assigns them, given up when it takes them back.

Range assignment gives a process the same partition numbers of all input topics, so a lane is owned whole. All lanes are
given up at every rebalance: aiokafka's protocol revokes everything before it assigns anew.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener

from sluice.writer.assigned_lane import AssignedLane
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.lanes.committer import LaneLost
from sluice.writer.lanes.kept_answers import KeptAnswers
from sluice.writer.pauses import PauseReason, Pauses

log = logging.getLogger(__name__)


class LaneAssignment(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Opens and gives up lanes as the group's assignment changes."""

    def __init__(
        self,
        make_lane: Callable[[int], AssignedLane],
        pauses: Pauses,
        dispatcher: Dispatcher,
        answers: KeptAnswers,
        *,
        drain_timeout_s: float,
    ) -> None:
        self._make_lane = make_lane
        self._pauses = pauses
        self._dispatcher = dispatcher
        self._answers = answers
        self._drain_timeout_s = drain_timeout_s
        self._assigned: list[AssignedLane] = []
        self._joined = self._closed = False
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done, with the reason, when a lane is lost although the group still counts it as ours."""

    @property
    def obstacle(self) -> str | None:
        """Why not all lanes run that are ours; ``None`` when they do."""
        if not self._joined:
            return "has not joined its group yet"
        waiting = self.waiting
        if not waiting:
            return None
        return f"{len(waiting)} of its lanes do not run: lane {waiting[0].number} {waiting[0].obstacle}"

    @property
    def waiting(self) -> list[AssignedLane]:
        """The lanes that are ours and do not run."""
        return [lane for lane in self._assigned if lane.obstacle is not None]

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Open the lanes of ``assigned`` in the background."""
        if self._closed:
            return
        # Pause first, resume last: the consumer hands records out while this still runs.
        self._pauses.forget()
        self._pauses.pause(assigned, PauseReason.OPENING)
        self._dispatcher.resume()
        numbers = sorted({partition.partition for partition in assigned})
        self._answers.keep_only(numbers)
        self._assigned = [self._make_lane(number) for number in numbers]
        for lane in self._assigned:
            lane.start(self._ended)
        self._joined = True
        log.info("lanes assigned", extra={"lanes": numbers})

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
        lanes, self._assigned = self._assigned, []
        await asyncio.gather(*(lane.stop_opening() for lane in lanes))
        # Requests first: their answers become settlements, which the last cycle of each lane commits.
        await self._dispatcher.drain(self._drain_timeout_s)
        await asyncio.gather(*(lane.close(self._drain_timeout_s) for lane in lanes))
        if lanes:
            numbers, seconds = [lane.number for lane in lanes], round(time.monotonic() - started_at_s, 3)
            log.info("lanes given up", extra={"lanes": numbers, "seconds": seconds})

    def _ended(self, task: asyncio.Task[None]) -> None:
        """End the session when a lane's task ends, however it does, and it was not given up: it would stand still."""
        error = None if task.cancelled() else task.exception()
        if self.lost.done():
            return
        if isinstance(error, LaneLost):
            self.lost.set_result(str(error))
        elif error is not None:
            self.lost.set_exception(error)
        elif self._assigned:
            self.lost.set_result("the task of a lane was cancelled by something else")
