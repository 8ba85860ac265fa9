"""Sending one batch until the fate of every item is known.

1. Clear it: take a permit, put what is unsafe to repeat into the journal, see that the lanes are still ours.
2. Send it. The vendor answers item by item: those fates are final, save for ambiguous ones.
3. It was turned away (an outage): hold, then go on with 1.
4. It was refused as a whole: halve it until the bad item stands alone.
5. Its answer is lost: what may be repeated goes on with 1, for the rest the vendor is asked what became of it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from sluice.destinations.contract import Ambiguous, BatchError, Destination, HoldReason, Refused, Unavailable
from sluice.flow.batch import Batch, InDoubt, Item
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.retry_policy import backoff_s
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer import kill_points
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.delivery.clearance import Clearance
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.kill_points import KillPoint
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.lanes.settlement import BatchTimes, Fates

log = logging.getLogger(__name__)

MAX_LOST_ANSWERS = 5
"""Answers lost in a row for one batch, after which the vendor is asked whether it is well."""
RECOVERY_BASE_S, RECOVERY_CAP_S = 1.0, 30.0
"""Pauses between two questions about a batch whose fate is not known."""
GATHER_S = 0.2
"""Longest wait for a fate that the vendor was asked about, to share its journal entry with others."""

Settle = Callable[[Fates, BatchTimes], None]
"""Takes fates as soon as they are known."""


class BatchSender:
    """One batch on its way. Made with a permit of the limiter for its first request; acquires one for each other."""

    def __init__(
        self, batch: Batch, destination: Destination, limiter: Limiter, lanes: Lanes, metrics: WriterMetrics
    ) -> None:
        self._batch = batch
        self._destination = destination
        self._limiter = limiter
        self._metrics = metrics
        self._settle: Settle
        self._requested_at = self._answered_at = datetime.now(UTC)
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

    async def run(self, settle: Settle) -> None:
        """Send until ``settle`` was given every fate. An outage is waited for, however long. Raises ``Misconfigured``.

        Items whose lane is lost meanwhile are sent no more: they are its new owner's. What is answered all the same is
        handed over.
        """
        self._settle = settle
        try:
            if self._batch.in_doubt is not None:
                await self._recover(self._batch.items, self._batch.in_doubt)
            else:
                await self._send(self._batch.items)
        finally:
            self._clearance.write_ahead.withdraw()

    def abandon(self) -> None:
        """Send nothing more; an answer that is under way is still waited for."""
        self._clearance.abandon()

    def release_permit(self) -> None:
        """Give the first permit back if it was never used."""
        self._clearance.release_permit()

    async def _send(self, items: Sequence[Item]) -> None:
        lost_answers = 0
        while items := await self._clearance.clear(items):
            # Of this request alone: another part of the batch may be sent meanwhile.
            requested_at, vendor_at = datetime.now(UTC), self._destination.vendor_at
            try:
                outcomes = await self._request(items, requested_at)
                return await self._take_answer(items, outcomes, self._lost_now(requested_at, vendor_at))
            except Unavailable as error:
                lost_answers = 0
                self._hold(error.reason, str(error), error.retry_after_s, overloaded=error.overloaded)
            except Refused as error:
                return await self._halve(items, error)
            except Ambiguous as error:
                lost_answers += 1
                if isinstance(error.refusal, Refused):
                    self._limiter.succeeded()  # an answer to these items, not an outage
                else:
                    self._hold(error.reason, str(error), error.retry_after_s, overloaded=error.overloaded)
                unsafe = [item for item in items if not item.encoded.replay_safe]
                if unsafe:
                    rest = [item for item in items if item.encoded.replay_safe]
                    in_doubt = self._lost_now(requested_at, vendor_at)
                    return await self._recover_and_send(unsafe, rest, in_doubt, error.refusal)
                if lost_answers >= MAX_LOST_ANSWERS and await self._vendor_is_well():
                    return await self._bisect(items, Outcome(Fate.RETRYABLE, "no-answer", str(error)))
        return None

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
            batch_id=self._batch.batch_id,
            refs={},
            requested_at=requested_at,
            lost_at_s=asyncio.get_running_loop().time(),
            vendor_at=vendor_at,
        )

    async def _recover_and_send(
        self, unsafe: Sequence[Item], rest: Sequence[Item], in_doubt: InDoubt, refusal: BatchError | None
    ) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._recover(unsafe, in_doubt, None if rest else refusal))
            group.create_task(self._send(rest))

    async def _halve(self, items: Sequence[Item], refused: Refused) -> None:
        """Send ``items`` in halves: they were refused together, and would be again."""
        await self._bisect(items, Outcome(Fate.REJECTED, refused.code, str(refused), None, refused.http_status))

    async def _recover(self, items: Sequence[Item], in_doubt: InDoubt, refusal: BatchError | None = None) -> None:
        """Ask the vendor what became of ``items``, and send those that are proven not to be applied.

        Takes no permit: asking may wait until a proof is possible, and what is limited are writes. Only items about
        which a question has failed wait for the next one.
        """
        self._clearance.release_permit()
        failures, refused_items = 0, len(items)
        async with asyncio.TaskGroup() as sending:
            while items := self._clearance.owned(items):
                asked = len(items)
                unapplied, items, error = await self._ask(items, in_doubt)
                self._clearance.write_ahead.turned_away(unapplied)
                counts = {"items": asked, "sent_again": len(unapplied), "asked_again": len(items)}
                log.info("batch recovered", extra={"batch_id": in_doubt.batch_id, **counts})
                if isinstance(refusal, Refused) and len(unapplied) == refused_items:
                    sending.create_task(self._halve(unapplied, refusal))
                else:
                    sending.create_task(self._send(unapplied))
                if error is None:
                    return
                failures = failures + 1 if len(items) == asked else 1
                await self._pause_before_asking_again(failures, error, in_doubt)

    async def _ask(
        self, items: Sequence[Item], in_doubt: InDoubt
    ) -> tuple[Sequence[Item], Sequence[Item], Unavailable | Ambiguous | None]:
        """Hand over what the vendor says of ``items``; return those not applied, those not known, and why not."""
        unknown = {item.row: item for item in items}
        unapplied: list[Item] = []
        known: list[tuple[Item, Outcome]] = []
        failed: Unavailable | Ambiguous | None = None

        def hand_over() -> None:
            self._know(sorted(known, key=lambda fate: fate[0].row))
            known.clear()

        try:
            async for item, outcome in self._destination.recover(self._part(items), in_doubt):
                del unknown[item.row]
                if outcome is None:
                    unapplied.append(item)
                    continue
                if not known:
                    # An entry of the journal for each would be too many, and to wait for the last one too long.
                    asyncio.get_running_loop().call_later(GATHER_S, hand_over)
                known.append((item, outcome))
        except Refused as error:
            fate = Outcome(Fate.AMBIGUOUS, error.code, str(error), None, error.http_status)
            known += [(item, fate) for item in unknown.values()]
            unknown.clear()
        except (Unavailable, Ambiguous) as error:
            failed = error
        finally:
            hand_over()
        return unapplied, list(unknown.values()), failed

    async def _pause_before_asking_again(self, failures: int, error: BatchError, in_doubt: InDoubt) -> None:
        delay_s = backoff_s(failures, base_s=RECOVERY_BASE_S, cap_s=RECOVERY_CAP_S, uniform=1.0)
        if isinstance(error, Unavailable):
            delay_s = max(delay_s, error.retry_after_s or 0.0)
        fields = {"batch_id": in_doubt.batch_id, "error": str(error), "delay_s": delay_s}
        log.warning("batch not recovered yet", extra=fields)
        await asyncio.sleep(delay_s)

    async def _bisect(self, items: Sequence[Item], fate: Outcome) -> None:
        """Halve ``items`` until the bad one stands alone: at most 2·⌈log2 n⌉ more requests for one among n."""
        if len(items) == 1:
            self._know([(items[0], fate)])
            return
        middle = len(items) // 2
        await self._send(items[:middle])
        await self._send(items[middle:])

    async def _request(self, items: Sequence[Item], requested_at: datetime) -> Sequence[Outcome]:
        self.requests += 1
        self._requested_at = requested_at
        self._requests_out += 1
        self._answered.clear()
        self._clearance.write_ahead.sending(items)
        kill_points.at(KillPoint.SENDING)
        try:
            outcomes = await self._destination.write(self._part(items), self._clearance.pre_send_check(items))
        except Unavailable:
            self._clearance.write_ahead.turned_away(items)
            raise  # _hold releases the permit, together with what it teaches
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
            self._answered_at = datetime.now(UTC)

    async def _vendor_is_well(self) -> bool:
        try:
            await self._destination.check()
        except BatchError:
            return False
        return True

    def _hold(self, reason: HoldReason, message: str, retry_after_s: float | None, *, overloaded: bool) -> None:
        delay_s = self._limiter.failed(retry_after_s, overloaded=overloaded)
        self._limiter.held_because = reason
        self._metrics.delivery_held(reason, delay_s)
        # The first failure is news; what follows is the same outage.
        log.log(
            logging.WARNING if self._limiter.failures == 1 else logging.DEBUG,
            "destination unavailable, holding",
            extra={"reason": reason, "error": message, "delay_s": round(delay_s, 3), "batch_id": self._batch.batch_id},
        )

    def _know(self, fates: Fates) -> None:
        """Hand over ``fates`` at once: should the rest be cancelled, these are not asked for again."""
        if fates:
            self._clearance.write_ahead.settled(fates)
            kill_points.at(KillPoint.ANSWERED)
            self._settle(fates, BatchTimes(self._requested_at, self._answered_at))

    def _part(self, items: Sequence[Item]) -> Batch:
        if items is self._batch.items:
            return self._batch
        body_bytes = sum(len(item.encoded.body) for item in items) + len(items) - 1
        return msgspec.structs.replace(self._batch, items=list(items), body_bytes=body_bytes, reason="bisect")
