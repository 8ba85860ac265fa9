"""Sending one batch until the fate of every item is known.

1. Clear it: take a permit, put what is unsafe to repeat into the journal, see that the lanes are still ours.
2. Send it. The vendor answers item by item: those fates are final, save for ambiguous ones.
3. It was turned away (an outage): hold, then go on with 1.
4. It was refused as a whole: bisect it within a budget, and put the rest back.
5. Its answer is lost: what may be repeated goes on with 1, for the rest the vendor is asked what became of it. After
   several losses in a row it is put back: whether it or the vendor is to blame shows when others had their turn.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

from sluice.destinations.contract import (
    Ambiguous,
    BatchError,
    Destination,
    Misconfigured,
    Refused,
    Unavailable,
)
from sluice.events import NO_REFS
from sluice.flow.batch import Batch, InDoubt, Item, Part
from sluice.flow.bisection import Bisection
from sluice.flow.lost_answers import LostAnswers
from sluice.flow.outcome import Fate, Outcome
from sluice.telemetry.metrics import WriterMetrics
from sluice.wall_clock import utc_now
from sluice.writer import kill_points
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.delivery.clearance import Clearance
from sluice.writer.delivery.holder import Holder
from sluice.writer.delivery.inquiry import Inquiry, part_of
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.delivery.sender import PutBack, Settle
from sluice.writer.kill_points import KillPoint
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.lanes.settlement import BatchTimes, Fates

log = logging.getLogger(__name__)


class BatchSender:
    """One batch on its way. Made with a permit of the limiter for its first request; acquires one for each other."""

    def __init__(
        self, batch: Batch, destination: Destination, limiter: Limiter, lanes: Lanes, metrics: WriterMetrics
    ) -> None:
        self.batch = batch
        self._destination = destination
        self._limiter = limiter
        self._holder = Holder(batch.batch_id, limiter, metrics)
        self._settle: Settle
        self._put_back: PutBack
        self._requested_at = self._answered_at = utc_now()
        self.lanes = BatchLanes(lanes)
        """The batch's lanes, as far as it still has them."""
        self._clearance = Clearance(batch, destination, limiter, self.lanes, metrics)
        self._requests_out = 0
        self._answered = asyncio.Event()
        self._answered.set()
        self.requests = 0
        """Requests sent so far: more than one when something went wrong."""

    @property
    def with_vendor(self) -> bool:
        """True while a request is out whose answer is not here yet."""
        return self._requests_out > 0

    async def answered(self) -> None:
        """Wait until no request is out: whatever was answered was handed over."""
        await self._answered.wait()

    async def run(self, settle: Settle, put_back: PutBack) -> None:
        """Send until ``settle`` was given every fate, save for what is put back. An outage is waited for, however long.

        Items whose lane is lost meanwhile are sent no more: they are its new owner's. What is answered all the same is
        handed over.
        """
        self._settle, self._put_back = settle, put_back
        try:
            if self.batch.in_doubt is not None:
                await self._recover(self.batch.items, self.batch.in_doubt)
            else:
                await self._deliver(self.batch.items)
        finally:
            self._clearance.write_ahead.withdraw()

    def abandon(self) -> None:
        """Send nothing more; an answer that is under way is still waited for."""
        self._clearance.abandon()

    def release_permit(self) -> None:
        """Give the first permit back if it was never used."""
        self._clearance.release_permit()

    async def _deliver(self, items: Sequence[Item]) -> None:
        """Send ``items``, and find what is bad in them when they are refused as a whole."""
        refusal = await self._send(items)
        if refusal is not None:
            await self._bisect(items, refusal)

    async def _send(self, items: Sequence[Item]) -> Refused | None:
        """Send ``items`` until they are answered or put back; return the refusal of the whole request."""
        losses = LostAnswers(self.batch.answered_at_loss)
        while items := await self._clearance.clear(items):
            # Of this request alone: another part of the batch may be sent meanwhile.
            requested_at, vendor_at = utc_now(), self._destination.vendor_at
            try:
                outcomes = await self._request(items, requested_at)
            except BatchError as error:
                if error.may_be_at_work:
                    self._hold_keys(items)
                match error:
                    case Refused():
                        return error
                    case Unavailable() | Misconfigured():
                        losses.in_a_row = 0
                        self._holder.hold(error)
                    case Ambiguous():
                        self._holder.hold(error)
                        unsafe = [item for item in items if not item.encoded.replay_safe]
                        if unsafe:
                            in_doubt = self._lost_now(requested_at, vendor_at)
                            return await self._find_out(items, unsafe, in_doubt, error.refusal)
                        losses.add(self._limiter.answered)
                        if losses.enough:
                            self._give_others_a_turn(items, str(error), losses)
                            return None
            else:
                await self._take_answer(items, outcomes, self._lost_now(requested_at, vendor_at))
                return None
        return None

    def _give_others_a_turn(self, items: Sequence[Item], message: str, losses: LostAnswers) -> None:
        if losses.blames(items):
            self._know([(items[0], Outcome(Fate.RETRYABLE, "no-answer", message))])
        else:
            self._put_back(losses.parts(items))

    def _hold_keys(self, items: Sequence[Item]) -> None:
        """Have newer writes of these keys wait: the vendor may still be at work on the request."""
        until_s = asyncio.get_running_loop().time() + self._destination.settle_s
        for item in items:
            item.may_run_until_s = until_s

    async def _take_answer(self, items: Sequence[Item], outcomes: Sequence[Outcome], in_doubt: InDoubt) -> None:
        """Hand over what the vendor has said of each item, and find out about those of which it has said nothing."""
        fates = list(zip(items, outcomes, strict=True))
        if Fate.AMBIGUOUS not in {outcome.fate for outcome in outcomes}:
            self._know(fates)
            return
        known: list[tuple[Item, Outcome]] = []
        unsafe: list[Item] = []
        for item, outcome in fates:
            if outcome.fate is not Fate.AMBIGUOUS:
                known.append((item, outcome))
            elif item.encoded.replay_safe:
                # What may be applied twice needs no question: it is sent again.
                again = Outcome(Fate.RETRYABLE, outcome.code, outcome.message, None, outcome.http_status)
                known.append((item, again))
            else:
                unsafe.append(item)
        self._know(known)
        if unsafe:
            await self._recover(unsafe, in_doubt)

    def _lost_now(self, requested_at: datetime, vendor_at: datetime | None) -> InDoubt:
        """Describe a request whose answer, or a part of it, is lost now."""
        return InDoubt(
            batch_id=self.batch.batch_id,
            refs=NO_REFS,
            requested_at=requested_at,
            lost_at_s=asyncio.get_running_loop().time(),
            vendor_at=vendor_at,
        )

    async def _find_out(
        self, items: Sequence[Item], unsafe: Sequence[Item], in_doubt: InDoubt, refusal: BatchError | None
    ) -> Refused | None:
        """Ask what became of ``unsafe`` and send the rest of ``items`` again meanwhile.

        Return ``refusal`` when it is of the whole request and proves to be true: all of it would be refused again.
        """
        rest = [item for item in items if item.encoded.replay_safe]
        if not rest:
            return await self._recover(unsafe, in_doubt, refusal if isinstance(refusal, Refused) else None)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._recover(unsafe, in_doubt))
            group.create_task(self._deliver(rest))
        return None

    async def _recover(
        self, items: Sequence[Item], in_doubt: InDoubt, refusal: Refused | None = None
    ) -> Refused | None:
        """Ask the vendor what became of ``items``, and send those that are proven not to be applied.

        Return ``refusal`` instead when that proves to be true of all of them.
        """
        self._clearance.release_permit()
        # Not an attribute: it refers to us, and items would wait in memory for the garbage collector.
        inquiry = Inquiry(self._destination, self._clearance, self.batch, self._know)
        async with asyncio.TaskGroup() as sending:
            async for unapplied in inquiry.unapplied(items, in_doubt):
                if refusal is not None and len(unapplied) == len(items):
                    return refusal
                sending.create_task(self._deliver(unapplied))
        return None

    async def _bisect(self, items: Sequence[Item], refusal: Refused) -> None:
        """Send parts of ``items``, which were refused as a whole, until what is bad is found or a budget is used up."""
        if len(items) == 1:
            self._reject(items[0], refusal)
            return
        bisection = Bisection(len(items))
        while (positions := bisection.next()) is not None:
            part = items[positions.start : positions.stop]
            refused = await self._send(part)
            if refused is not None and len(part) == 1:
                self._reject(part[0], refused)
            bisection.answered(refused=refused is not None)
        rest = [self._clearance.owned(items[one.start : one.stop]) for one in bisection.rest]
        parts = [Part(items=list(one), suspected=round(bisection.bad_share * len(one))) for one in rest if one]
        if parts:
            self._put_back(parts)

    def _reject(self, item: Item, refusal: Refused) -> None:
        self._know([(item, Outcome(Fate.REJECTED, refusal.code, str(refusal), None, refusal.http_status))])

    async def _request(self, items: Sequence[Item], requested_at: datetime) -> Sequence[Outcome]:
        self.requests += 1
        self._requested_at = requested_at
        self._requests_out += 1
        self._answered.clear()
        self._clearance.write_ahead.sending(items)
        kill_points.at(KillPoint.SENDING)
        try:
            outcomes = await self._destination.write(part_of(self.batch, items), self._clearance.pre_send_check(items))
        except (Unavailable, Misconfigured):
            self._clearance.write_ahead.turned_away(items)
            raise  # the holder releases the permit
        except Ambiguous:
            raise  # likewise
        except Refused:
            self._clearance.write_ahead.turned_away(items)
            self._limiter.succeeded()
            raise
        except BaseException:
            self._limiter.release()
            raise
        else:
            self._limiter.succeeded()
            return outcomes
        finally:
            self._requests_out -= 1
            if not self._requests_out:
                self._answered.set()
            self._answered_at = utc_now()

    def _know(self, fates: Fates) -> None:
        """Hand over ``fates`` at once: should the rest be cancelled, these are not asked for again."""
        if fates:
            self._clearance.write_ahead.settled(fates)
            kill_points.at(KillPoint.ANSWERED)
            self._settle(fates, BatchTimes(self._requested_at, self._answered_at))
