"""Clearance: items may be sent once there is a permit, the journal knows what is unsafe, and their lanes are ours."""

import asyncio
import time
from collections.abc import Sequence

from sluice.destinations.contract import Account, BatchError, PreSendCheck, Unavailable
from sluice.flow.batch import Batch, Item
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer import kill_points
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.delivery.write_ahead import WriteAhead
from sluice.writer.kill_points import KillPoint


class Clearance:
    """Clears items of one batch, request by request. Made with a permit for the first request."""

    def __init__(
        self, batch: Batch, destination: Account, limiter: Limiter, lanes: BatchLanes, metrics: WriterMetrics
    ) -> None:
        self._destination = destination
        self._limiter = limiter
        self._lanes = lanes
        self._metrics = metrics
        self._has_first_permit = True
        self._abandoned = False
        self.write_ahead = WriteAhead(batch, destination, lanes)

    async def clear(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return those of ``items`` that may be sent now, with a permit taken for their request if there are any.

        The order is the proof. The permit comes first, because it may take hours. Then what must not be sent twice is
        committed to the journal, and a commit confirms every lane of which Kafka has not taken anything of late. Each
        wait may have lost us a lane, so what is ours is looked up last, with no wait between that and the request.
        """
        if not (items := self.owned(items)):
            return items
        await self.acquire_permit()
        if (busy := await self._learn_vendor_clock(items)) is not None:
            # Once: a vendor that is too busy to tell the time may take records all the same.
            self._limiter.failed(busy.retry_after_s, overloaded=busy.overloaded)
            await self.acquire_permit()
        try:
            items = self.owned(items)
            waits = self.write_ahead.open(items)
            # Again after each wait: the process may have been frozen meanwhile.
            while waits := [*waits, *self.confirmations(items)]:
                await asyncio.gather(*waits)
                kill_points.at(KillPoint.INTENDED)
                items, waits = self.owned(items), []
        except BaseException:
            self._limiter.release()
            raise
        if not items:
            self._limiter.release()
        return items

    async def clear_call(self, item: Item) -> bool:
        """Wait for the permit of a call for ``item``, which was cleared; return whether it is still ours to write."""
        await self.acquire_permit()
        try:
            while self.owned([item]):
                if not (waits := self.confirmations([item])):
                    return True
                await asyncio.gather(*waits)
        except BaseException:
            self._limiter.release()
            raise
        self._limiter.release()
        return False

    def owned(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return those of ``items`` that may still be sent."""
        return [] if self._abandoned else self._lanes.owned(items)

    def pre_send_check(self, items: Sequence[Item]) -> PreSendCheck:
        """Return a check for the request with ``items``: it raises ``Unavailable`` where a lane may have moved on."""
        lanes = self._lanes.of(items)

        def check() -> None:
            now_s = time.monotonic()
            if any(lane.is_stale(now_s) for lane in lanes):
                message = "this process was frozen before its request left; another writer may own its lanes now"
                raise Unavailable("frozen", message, 0.0)

        return check

    def abandon(self) -> None:
        """Clear nothing more."""
        self._abandoned = True

    def release_permit(self) -> None:
        """Give the first permit back if it was never used."""
        if self._has_first_permit:
            self._has_first_permit = False
            self._limiter.release()

    async def _learn_vendor_clock(self, items: Sequence[Item]) -> Unavailable | None:
        """Have the vendor tell the time once before something is sent of which it may be asked what became of it.

        Without it nobody could tell from the record's last modification. Nothing depends on it otherwise. Return the
        answer of a vendor that wants a pause first.
        """
        if self._destination.vendor_at is not None or all(item.encoded.replay_safe for item in items):
            return None
        try:
            await self._destination.check()
        except Unavailable as error:
            return error if error.retry_after_s else None
        except BatchError:
            return None
        except BaseException:
            self._limiter.release()
            raise
        return None

    async def acquire_permit(self) -> None:
        """Take a permit: the first one, which came with the batch, or one more."""
        if self._has_first_permit:
            self._has_first_permit = False
            return
        asked_at_s = time.monotonic()
        await self._limiter.acquire()
        self._metrics.permit_waited(time.monotonic() - asked_at_s)

    def confirmations(self, items: Sequence[Item]) -> list[asyncio.Future[None]]:
        """Ask Kafka whether the lanes of ``items`` are still ours, where it has not said so of late."""
        now_s = time.monotonic()
        return [lane.committer.confirm() for lane in self._lanes.of(items) if lane.is_stale(now_s)]
