"""Submitting one batch to a vendor that runs it later.

1. Take a permit, and have the kind make the body: what the vendor's own description refuses is rejected here.
2. Put all items into the journal, safe to repeat or not: the vendor may still apply them when newer ones are due.
3. Submit. The vendor's name for it is in the journal before the step from which on it may run.
4. The vendor has it: its items leave memory. The answer is lost: likewise, and the finder looks for it.
5. It was turned away (an outage): withdraw, hold, and go on with 1. It was refused: withdraw, and put halves back.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import msgspec

from sluice.destinations.contract import Ambiguous, Misconfigured, Refused, Unavailable
from sluice.destinations.vendor_jobs import JobDestination, Refs, RefusedItems
from sluice.events import OpenedJob
from sluice.flow.batch import Batch, Item, Part
from sluice.flow.key_hashes import hash_of
from sluice.flow.lane_job import LaneJob
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.table_header import table_bytes
from sluice.telemetry.metrics import WriterMetrics
from sluice.telemetry.traceparent import current_traceparent
from sluice.wall_clock import utc_now
from sluice.writer import kill_points
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.delivery.clearance import Clearance
from sluice.writer.delivery.holder import Holder
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.delivery.sender import PutBack, Settle
from sluice.writer.kill_points import KillPoint
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.lanes.settlement import BatchTimes
from sluice.writer.vendor_jobs.job_table import JobTable

log = logging.getLogger(__name__)


class LanesMoved(Exception):
    """Some lanes of the batch were lost before it was submitted."""


class Submitter:
    """One batch on its way to becoming a vendor job. Made with a permit of the limiter for its first request."""

    def __init__(
        self,
        batch: Batch,
        destination: JobDestination,
        limiter: Limiter,
        lanes: Lanes,
        table: JobTable,
        metrics: WriterMetrics,
    ) -> None:
        self.batch = batch
        self.lanes = BatchLanes(lanes)
        self.requests = 0
        self._destination = destination
        self._limiter = limiter
        self._table = table
        self._metrics = metrics
        self._holder = Holder(batch.batch_id, limiter, metrics)
        self._clearance = Clearance(batch, destination, limiter, self.lanes, metrics)
        self._hashes: dict[int, list[int]] = {}
        """By lane, the hashes of its items' ordering keys, in the order of the journal."""
        self._answered = asyncio.Event()
        self._answered.set()

    @property
    def with_vendor(self) -> bool:
        """True while a submit is out that has no answer yet."""
        return not self._answered.is_set()

    async def answered(self) -> None:
        """Wait until no submit is out."""
        await self._answered.wait()

    def abandon(self) -> None:
        """Submit nothing more; a submit that is under way is still waited for."""
        self._clearance.abandon()

    def release_permit(self) -> None:
        """Give the first permit back if it was never used."""
        self._clearance.release_permit()

    async def run(self, settle: Settle, put_back: PutBack) -> None:
        """Submit until the vendor has the batch, or it is put back. An outage is waited for, however long."""
        while self._keep(self._clearance.owned(self.batch.items)):
            await self._clearance.acquire_permit()
            try:
                with self._table.submitting(self.batch.batch_id):
                    await self._submit()
            except RefusedItems as error:
                self._limiter.succeeded()
                self._reject(error, settle)
            except Refused as error:
                self._limiter.succeeded()
                self._divide(error, settle, put_back)
                return
            except (Unavailable, Misconfigured) as error:
                self._holder.hold(error)
            except LanesMoved:
                self._limiter.release()
            except BaseException:
                self._limiter.release()
                raise
            else:
                return

    def _keep(self, items: Sequence[Item]) -> bool:
        """Let the batch have ``items`` alone; return whether there is one.

        As other rows it is another batch: the next owner of a lost lane must not take the one for the other.
        """
        if len(items) < len(self.batch.items):
            for row, item in enumerate(items):
                item.row = row
            body_bytes = table_bytes(item.encoded for item in items)
            self.batch = msgspec.structs.replace(
                self.batch, batch_id=uuid4().hex, items=list(items), body_bytes=body_bytes
            )
        return bool(items)

    async def _submit(self) -> None:
        """Submit once. Raises :class:`LanesMoved`, ``RefusedItems``, and ``BatchError`` for what the vendor has not."""
        batch, now = self.batch, utc_now()
        upload = await self._destination.prepare(batch)
        vendor_at = self._destination.vendor_at
        traceparent = (current_traceparent() or b"").decode()
        opened = OpenedJob(items=len(batch.items), fingerprint=upload.fingerprint, traceparent=traceparent)
        by_lane = self._by_lane()
        self._hashes = {lane.partition: [hash_of(item.order_key) for item in own] for lane, own in by_lane}
        waits = [
            lane.journal.open_job(batch, own, self._hashes[lane.partition], opened, now, vendor_at)
            for lane, own in by_lane
        ]
        is_sent = False
        try:
            # Again after each wait: the process may have been frozen meanwhile.
            while waits := [*waits, *self._clearance.confirmations(batch.items)]:
                await asyncio.gather(*waits)
                waits = []
            kill_points.at(KillPoint.INTENDED)
            self._see_that_lanes_are_ours()
            refs: dict[str, str] = {}

            async def named(names: Refs) -> None:
                refs.update(names)
                await asyncio.gather(*(lane.journal.name_job(batch.batch_id, names) for lane, _ in by_lane))
                kill_points.at(KillPoint.NAMED)
                self._see_that_lanes_are_ours()

            is_sent = True
            self.requests += 1
            self._answered.clear()
            try:
                kill_points.at(KillPoint.SENDING)
                check = self._clearance.pre_send_check(batch.items)
                refs.update(await self._destination.submit(batch, upload, named, check))
            finally:
                self._answered.set()
        except Ambiguous as error:
            self._holder.hold(error)
            self._hand_over(opened, now, refs, is_submitted=False)
        except (LanesMoved, Refused, Unavailable, Misconfigured):
            self._withdraw()
            raise
        except asyncio.CancelledError:
            if not is_sent:
                self._withdraw()
            raise
        else:
            self._limiter.succeeded()
            kill_points.at(KillPoint.ANSWERED)
            self._hand_over(opened, now, refs, is_submitted=True)

    def _withdraw(self) -> None:
        for lane, own in self._by_lane():
            lane.journal.withdraw(self.batch, own)

    def _see_that_lanes_are_ours(self) -> None:
        if len(self._clearance.owned(self.batch.items)) < len(self.batch.items):
            raise LanesMoved

    def _hand_over(
        self, opened: OpenedJob, requested_at: datetime, refs: dict[str, str], *, is_submitted: bool
    ) -> None:
        """Let the items leave memory: from now on the journal has them."""
        batch = self.batch
        for lane, own in self._by_lane():
            if is_submitted:
                lane.journal.submitted(batch.batch_id, refs)
            job = LaneJob(
                batch_id=batch.batch_id,
                batch_key=batch.batch_key,
                items=opened.items,
                fingerprint=opened.fingerprint,
                requested_at=requested_at,
                vendor_at=self._destination.vendor_at,
                lost_at_s=asyncio.get_running_loop().time(),
                traceparent=opened.traceparent,
                refs=dict(refs),
                is_submitted=is_submitted,
            )
            lane.hand_over(job, own, self._hashes[lane.partition])
        self._metrics.window_closed(batch.reason, len(batch.items), batch.body_bytes)
        fields = {"batch_id": batch.batch_id, "batch_key": batch.batch_key, "vendor_job": refs}
        counts = {"items": len(batch.items), "bytes": batch.body_bytes, "flushed_by": batch.reason}
        log.info(
            "batch submitted" if is_submitted else "batch submitted, its answer is lost", extra={**fields, **counts}
        )
        self._table.submitted.set()

    def _reject(self, error: RefusedItems, settle: Settle) -> None:
        """Settle the items that the vendor would refuse, and keep the others."""
        now = utc_now()
        refused = [(self.batch.items[row], rejection) for row, rejection in sorted(error.rejections.items())]
        settle([(item, Outcome(Fate.REJECTED, one.code, one.message)) for item, one in refused], BatchTimes(now, now))
        self._keep([item for row, item in enumerate(self.batch.items) if row not in error.rejections])

    def _divide(self, error: Refused, settle: Settle, put_back: PutBack) -> None:
        """Put halves back; reject a single item."""
        items, now = self.batch.items, utc_now()
        if len(items) == 1:
            outcome = Outcome(Fate.REJECTED, error.code, str(error), None, error.http_status)
            settle([(items[0], outcome)], BatchTimes(now, now))
            return
        middle = len(items) // 2
        put_back([Part(items=half, suspected=1) for half in (items[:middle], items[middle:])])

    def _by_lane(self) -> list[tuple[Lane, list[Item]]]:
        """Return the items by lane, each lane's by rising topic and offset, as far as the lanes are ours."""
        in_order = sorted(self.batch.items, key=lambda item: (item.topic, item.offset))
        return [(lane, [item for item in in_order if item.lane == lane.partition]) for lane in self.lanes.of(in_order)]
