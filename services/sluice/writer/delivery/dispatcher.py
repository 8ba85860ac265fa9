"""From windows to settlements: takes batches as the limiter permits and hands each item's outcome to its lane."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from uuid import uuid4

from sluice.destinations.contract import Destination
from sluice.flow.batch import Batch, Item
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.windows import Windows
from sluice.telemetry.metrics import WriterMetrics
from sluice.telemetry.spans import Receipt, batch_span, record_receipt_spans
from sluice.writer.delivery.batch_sender import BatchSender, rows_in
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.kill_points import AtKillPoint, KillPoint, go_on
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.settlement import Settled

log = logging.getLogger(__name__)


class Dispatcher:
    """The only place that sends to the destination."""

    def __init__(
        self,
        *,
        topic: str,
        destination: Destination,
        windows: Windows,
        limiter: Limiter,
        lanes: Mapping[int, Lane],
        metrics: WriterMetrics,
        at_kill_point: AtKillPoint = go_on,
    ) -> None:
        """``topic`` is the records topic, for spans."""
        self._topic = topic
        self._destination = destination
        self._windows = windows
        self._limiter = limiter
        self._lanes = lanes
        self._metrics = metrics
        self._at_kill_point = at_kill_point
        self._changed = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._permitted = asyncio.Event()
        self._permitted.set()
        self._under_way: dict[asyncio.Task[None], BatchSender] = {}
        self._failed: asyncio.Future[None]

    def add(self, items: Sequence[Item]) -> None:
        """Have ``items`` delivered."""
        if items:
            self._windows.add(items, time.monotonic())
            self._changed.set()

    async def run(self) -> None:
        """Deliver until cancelled. Raises ``Misconfigured`` in a group, while requests may still be with the vendor."""
        self._failed = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._dispatch())
                await self._failed
        except asyncio.CancelledError:
            for task in self._under_way:
                task.cancel()
            raise

    async def drain(self, timeout_s: float) -> None:
        """Take no more batches and wait up to ``timeout_s`` for the answers of those that are with the vendor.

        What has not been sent is dropped: the next owner of its lane reads it again.
        """
        self._open.clear()
        for task, sending in self._under_way.items():
            sending.abandon()
            if not sending.with_vendor:
                task.cancel()
        for timeout in (timeout_s, None):
            if not self._under_way:
                return
            _, late = await asyncio.wait(self._under_way, timeout=timeout)
            for task in late:
                task.cancel()

    def resume(self) -> None:
        """Take batches again."""
        self._open.set()

    def permit(self, *, delivery: bool) -> None:
        """Whether batches may be taken at all; the flood guard's word, whoever owns which lane."""
        if delivery:
            self._permitted.set()
        else:
            self._permitted.clear()

    async def _dispatch(self) -> None:
        while True:
            # Not before a request may leave is a window closed: while the vendor is busy it goes on filling.
            await self._limiter.ready()
            await self._due()
            if self._limiter.try_acquire():
                self._start()

    def _start(self) -> None:
        """Send the batch that is due, with the permit just acquired. Nothing is between two hands: no ``await``."""
        batch = self._windows.take(time.monotonic(), uuid4().hex)
        if batch is None:
            self._limiter.release()
            return
        self._at_kill_point(KillPoint.WINDOWED)
        sending = BatchSender(
            batch,
            destination=self._destination,
            limiter=self._limiter,
            lanes=self._lanes,
            metrics=self._metrics,
            at_kill_point=self._at_kill_point,
        )
        task = asyncio.create_task(self._deliver(batch, sending))
        self._under_way[task] = sending
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        # A task that is cancelled before its first step has run nothing that could release its permit.
        self._under_way.pop(task).release_permit()
        if not task.cancelled() and (error := task.exception()) is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _due(self) -> None:
        """Wait until a batch may be taken."""
        while True:
            await self._open.wait()
            await self._permitted.wait()
            self._changed.clear()
            now_s = time.monotonic()
            due_at_s = self._windows.due_at_s()
            if due_at_s is not None and due_at_s <= now_s:
                return
            try:
                async with asyncio.timeout(None if due_at_s is None else due_at_s - now_s):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _deliver(self, batch: Batch, sending: BatchSender) -> None:
        sampled = [item.traceparent for item in batch.items if item.traceparent is not None]
        with batch_span(self._topic, batch.batch_id, batch.batch_key, sampled, message_count=len(batch.items)) as span:
            try:
                await sending.run()
            finally:
                # Also when it is given up half-way: what the vendor has answered is known, and must not be asked again.
                if sending.fates:
                    self._at_kill_point(KillPoint.ANSWERED)
                    self._settle(batch, sending)
                sending.withdraw()
        if sampled:
            record_receipt_spans(span, self._topic, _receipts(sending.fates))

    def _settle(self, batch: Batch, sending: BatchSender) -> None:
        now = datetime.now(UTC)
        times, fates = sending.times, sending.fates
        row_of = None if sending.in_order else rows_in(batch)
        counts: Counter[tuple[Fate, str]] = Counter()
        by_lane: dict[int, list[Settled]] = {}
        for row, (item, outcome) in enumerate(fates):
            rows = by_lane.get(item.lane)
            if rows is None:
                rows = by_lane[item.lane] = []
            rows.append((row if row_of is None else row_of[id(item)], item, outcome))
        for partition, rows in by_lane.items():
            if row_of is not None:
                rows.sort(key=lambda settled: settled[0])
            lane = self._lanes.get(partition)
            if lane is not None and lane.alive:
                counts.update(lane.settle(batch, rows, times, now).outcomes)
        self._metrics.window_closed(batch.reason, len(batch.items), batch.body_bytes)
        log.info(
            "batch settled",
            extra={
                "batch_id": batch.batch_id,
                "batch_key": batch.batch_key,
                "items": len(batch.items),
                "bytes": batch.body_bytes,
                "flushed_by": batch.reason,
                "requests": sending.requests,
                "request_s": round((times.answered_at - times.requested_at).total_seconds(), 3),
                "lanes": len(by_lane),
                "outcomes": {f"{fate.value} {code}": count for (fate, code), count in counts.items()},
            },
        )


def _receipts(fates: Sequence[tuple[Item, Outcome]]) -> Iterator[Receipt]:
    for item, outcome in fates:
        if item.traceparent is not None:
            yield Receipt(item.traceparent, outcome.fate.value, outcome.code)
