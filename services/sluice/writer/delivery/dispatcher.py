"""Dispatching batches: closes a window when it is due and the limiter lets a request leave."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from uuid import uuid4

from sluice.flow.batch import Batch, Item, Part
from sluice.flow.windows import Windows
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer import kill_points
from sluice.writer.delivery.deliverer import Deliverer
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.delivery.sender import Sender
from sluice.writer.guard import GuardFollower
from sluice.writer.kill_points import KillPoint


def always(_under_way: int) -> bool:
    """Return that there is room, whatever is under way."""
    return True


def is_any(_sender: Sender) -> bool:
    """Return that every batch under way takes room."""
    return True


class Dispatcher:
    """Takes batches from the windows, one for each permit; the only place that sends to the destination."""

    def __init__(
        self,
        windows: Windows,
        limiter: Limiter,
        deliverer: Deliverer,
        guard: GuardFollower,
        metrics: WriterMetrics,
        has_room: Callable[[int], bool] = always,
        takes_room: Callable[[Sender], bool] = is_any,
    ) -> None:
        """``has_room`` returns whether the vendor may be given one job more than so many that are under way.

        :meth:`look` again when that changes by itself. ``takes_room`` returns whether a batch under way is one.
        """
        self._windows = windows
        self._limiter = limiter
        self._deliverer = deliverer
        self._guard = guard
        self._metrics = metrics
        self._has_room = has_room
        self._takes_room = takes_room
        self._changed = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._under_way: dict[asyncio.Task[None], Sender] = {}
        self._failed: asyncio.Future[None]

    def add(self, items: Sequence[Item]) -> None:
        """Have ``items`` delivered."""
        if items:
            self._windows.add(items, time.monotonic())
            self._changed.set()

    def look(self) -> None:
        """Look again whether a batch can be taken."""
        self._changed.set()

    def put_back(self, parts: Sequence[Part]) -> None:
        """Have each of ``parts`` delivered as a batch of its own, after what is due by now."""
        self._windows.put_back(parts, time.monotonic())
        self._tell_guard()
        self._changed.set()

    def relieve(self, max_items: int, max_bytes: int) -> None:
        """Have the largest windows delivered now, so that the open ones hold no more than this."""
        if self._windows.relieve(max_items, max_bytes):
            self._changed.set()

    def lose(self, lane: int) -> None:
        """Send nothing more of ``lane``, which is lost or given up: its next owner reads its items again."""
        self._windows.discard(lane)
        self._tell_guard()
        self._changed.set()
        for sender in self._under_way.values():
            sender.lanes.lose(lane)
        self._changed.set()  # its vendor jobs are another's, so there may be room

    async def answered(self) -> None:
        """Wait for the answers of all requests that are with the vendor now."""
        await asyncio.gather(*(sender.answered() for sender in self._under_way.values()))

    async def run(self) -> None:
        """Deliver until cancelled. Raises in a group what nobody foresaw; requests may be with the vendor then."""
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
        for task, sender in self._under_way.items():
            sender.abandon()
            if not sender.with_vendor:
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

    async def _dispatch(self) -> None:
        while True:
            await self._batch_due()
            # Close the window after the wait for a permit, not before: while the vendor is busy, windows go on filling.
            due_at_s = time.monotonic()
            await self._limiter.ready()
            waited_s = time.monotonic() - due_at_s
            # Again: a drain or the guard may have come meanwhile.
            await self._batch_due()
            if self._limiter.try_acquire():
                self._metrics.permit_waited(waited_s)
                self._start()

    def _start(self) -> None:
        """Send the batch that is due, with the permit just acquired.

        Must not await: the batch would be in neither the windows nor a task.
        """
        batch = self._windows.take(time.monotonic(), uuid4().hex, has_room=self._has_room_now())
        if batch is None:
            self._limiter.release()
            return
        kill_points.at(KillPoint.WINDOWED)
        sender = self._deliverer.sender_of(batch)
        task = asyncio.create_task(self._deliverer.deliver(batch, sender, partial(self._put_back, batch)))
        self._under_way[task] = sender
        task.add_done_callback(self._ended)

    def _put_back(self, batch: Batch, parts: Sequence[Part]) -> None:
        """Have ``parts`` of ``batch`` delivered after what is due by now."""
        batch.suspected = 0
        self.put_back(parts)

    def _tell_guard(self) -> None:
        """Tell the guard how much of what was put back seems to be bad, until all of it has a fate."""
        under_way = [(len(sender.batch.items), sender.batch.suspected) for sender in self._under_way.values()]
        suspected = [one for one in (*under_way, *self._windows.suspected) if one[1]]
        self._guard.suspect(sum(records for records, _ in suspected), sum(dead for _, dead in suspected))

    def _ended(self, task: asyncio.Task[None]) -> None:
        # A task that is cancelled before its first step has run nothing that could release its permit.
        self._under_way.pop(task).release_permit()
        self._tell_guard()
        self._changed.set()  # there may be room again
        if not task.cancelled() and (error := task.exception()) is not None and not self._failed.done():
            self._failed.set_exception(error)

    def _has_room_now(self) -> bool:
        return self._has_room(sum(map(self._takes_room, self._under_way.values())))

    async def _batch_due(self) -> None:
        """Wait until a batch may be taken."""
        while True:
            await self._open.wait()
            if not self._guard.permits.is_set():
                await self._guard.permits.wait()
                self._windows.trust()
            self._changed.clear()
            now_s = time.monotonic()
            due_at_s = self._windows.due_at_s(has_room=self._has_room_now())
            if due_at_s is not None and due_at_s <= now_s:
                return
            try:
                async with asyncio.timeout(None if due_at_s is None else due_at_s - now_s):
                    await self._changed.wait()
            except TimeoutError:
                continue
