"""Back-pressure: pauses partitions while memory is full, keys wait, a gap is wide, or the flood guard has stopped."""

from collections.abc import Sequence

from aiokafka import TopicPartition

from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.guard import GuardFollower
from sluice.writer.lanes.decoding import RECORDS
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.pauses import PauseReason, Pauses


class Backpressure:
    """Pauses what must wait, and resumes it when it need not wait any more."""

    def __init__(
        self,
        inputs: Sequence[str],
        lanes: Lanes,
        pauses: Pauses,
        guard: GuardFollower,
        dispatcher: Dispatcher,
        *,
        max_gap_per_lane: int,
    ) -> None:
        """``inputs`` are the input topics by number."""
        self._inputs = inputs
        self._lanes = lanes
        self._pauses = pauses
        self._guard = guard
        self._dispatcher = dispatcher
        self._pressed = False
        """True from when the buffer is full until the backlog that has filled it is read."""
        self._max_gap = max_gap_per_lane

    def apply(self, *, found_nothing: bool = False) -> None:
        """Look at everything once; called after each poll, also after one that has ``found_nothing``."""
        records, retries = self._partitions(self._inputs[:1]), self._partitions(self._inputs[1:])
        if self._guard.reason is not None:
            self._pauses.pause([*records, *retries], PauseReason.STOPPED)
        elif self._pauses.count(PauseReason.STOPPED):
            self._pauses.resume([*records, *retries], PauseReason.STOPPED)
        buffer = self._lanes.buffer
        was_paused = self._pauses.count(PauseReason.BACKLOG) > 0
        if buffer.full:
            self._pauses.pause(records, PauseReason.BACKLOG)
        elif buffer.roomy:
            self._pauses.resume(records, PauseReason.BACKLOG)
        self._relieve(backlog_is_read=found_nothing and not was_paused)
        # Retries stop later: what is in memory may wait for keys that only a retry can free.
        if buffer.full and self._half_is_on_its_way():
            self._pauses.pause(retries, PauseReason.RETRY_BACKLOG)
        elif self._pauses.count(PauseReason.RETRY_BACKLOG) and (buffer.roomy or not self._half_is_on_its_way()):
            self._pauses.resume(retries, PauseReason.RETRY_BACKLOG)
        for lane in self._lanes:
            partition = TopicPartition(self._inputs[RECORDS], lane.partition)
            if lane.order.crowded:
                self._pauses.pause([partition], PauseReason.ORDER)
            else:
                self._pauses.resume([partition], PauseReason.ORDER)
            # A restart reads the gap again, and the journal that goes with it.
            if lane.progress[RECORDS].gap >= self._max_gap:
                self._pauses.pause([partition], PauseReason.GAP)
            else:
                self._pauses.resume([partition], PauseReason.GAP)

    def _relieve(self, *, backlog_is_read: bool) -> None:
        """Close windows, unless what is on its way to the vendor already will make the buffer roomy.

        Only items in open windows and items that wait for their key stay then. Where the latter alone are too many, no
        window closes: smaller batches would not help. The last records of a backlog have waited long enough.
        """
        resume_at = self._lanes.buffer.resume_at
        if self._pauses.count(PauseReason.BACKLOG):
            self._pressed = True
            if (max_items := resume_at.max_items - self._lanes.waiting) >= 0:
                self._dispatcher.relieve(max_items, resume_at.max_bytes)
        elif self._pressed and backlog_is_read:
            self._pressed = False
            self._dispatcher.relieve(0, 0)

    def _half_is_on_its_way(self) -> bool:
        """Return whether most of what is in memory waits for the vendor, and not for a key."""
        return 2 * self._lanes.waiting <= self._lanes.buffer.items

    def _partitions(self, topics: Sequence[str]) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for topic in topics for number in self._lanes.numbers]
