"""Sending one batch item by item, to a vendor that takes one record a call.

1. Clear it: see that the vendor is there, put what is unsafe to repeat into the journal, see that the lanes are ours.
   Of unsafe items with one identity the second waits for the fate of the first.
2. Write the items side by side; each call takes a permit. An item's fate is final, and of no other one.
3. A call was turned away (an outage): hold, then go on with the same item. Calls under way are left alone.
4. A call's answer is lost: an item that may be repeated is written again. Of the others the vendor is asked what became
   of them, once no call is out: one question serves all of them.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Refused, Unavailable
from sluice.destinations.item_calls import ItemDestination
from sluice.flow.batch import Batch, InDoubt, Item
from sluice.flow.lost_answers import LostAnswers
from sluice.flow.outcome import Fate, Outcome
from sluice.telemetry.metrics import WriterMetrics
from sluice.wall_clock import utc_now
from sluice.writer import kill_points
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.delivery.clearance import Clearance
from sluice.writer.delivery.holder import Holder
from sluice.writer.delivery.identities import Identities
from sluice.writer.delivery.inquiry import Inquiry
from sluice.writer.delivery.item_calls import Abandoned, CallDesk, ItemCalls
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.delivery.sender import PutBack, Settle
from sluice.writer.kill_points import KillPoint
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.lanes.settlement import BatchTimes, Fates

GATHER_S = 0.1
"""Longest wait of a known fate for others, to share their journal entry."""


class _Lost(NamedTuple):
    """An item whose answer is lost, and the meaning of the answer if there is one that may be the vendor's."""

    item: Item
    in_doubt: InDoubt
    refusal: BatchError | None


class ItemSender:
    """One batch on its way. Made with a permit of the limiter for its first request; acquires one for each other."""

    def __init__(
        self,
        batch: Batch,
        destination: ItemDestination,
        limiter: Limiter,
        lanes: Lanes,
        metrics: WriterMetrics,
        identities: Identities,
    ) -> None:
        self.batch = batch
        self.lanes = BatchLanes(lanes)
        self._destination = destination
        self._limiter = limiter
        self._clearance = Clearance(batch, destination, limiter, self.lanes, metrics)
        holder = Holder(batch.batch_id, limiter, metrics)
        self._desk = CallDesk(batch, self._clearance, self.lanes, limiter, holder, destination.settle_s)
        self._identities = identities
        self._held: dict[int, object] = {}
        """By row, the identities that items of this batch hold."""
        self._known: list[tuple[Item, Outcome]] = []
        self._lost: list[_Lost] = []
        self._losses: dict[int, LostAnswers] = {}
        """By row, of items that were lost and proved not to be applied."""
        self._is_abandoned = False
        self._none_out = asyncio.Event()
        self._settle: Settle
        self._started_at = utc_now()

    @property
    def requests(self) -> int:
        """Calls made so far."""
        return self._desk.requests

    @property
    def with_vendor(self) -> bool:
        """True while a call is out whose answer is not here yet."""
        return self._desk.out > 0

    async def answered(self) -> None:
        """Wait until no call is out: whatever was answered was handed over."""
        await self._quiet()
        self._hand_over()

    async def run(self, settle: Settle, put_back: PutBack) -> None:  # noqa: ARG002  # an item is never put back
        """Write until ``settle`` was given every fate. An outage is waited for, however long.

        Items whose lane is lost meanwhile are written no more: they are its new owner's. What is answered all the same
        is handed over.
        """
        self._settle = settle
        task = asyncio.current_task()
        self._desk.on_none_out = lambda: self._on_none_out(task)
        try:
            async with asyncio.TaskGroup() as group:
                await self._deliver(self.batch.items, self.batch.in_doubt, group)
        finally:
            self._desk.on_none_out = self._none_out.set
            self._hand_over()
            self._clearance.write_ahead.withdraw()
            for row in list(self._held):
                self._release(row)

    def abandon(self) -> None:
        """Call nothing more; an answer that is under way is still waited for."""
        self._is_abandoned = True
        self._clearance.abandon()

    def release_permit(self) -> None:
        """Give the first permit back if it was never used."""
        self._clearance.release_permit()

    async def _deliver(self, items: Sequence[Item], in_doubt: InDoubt | None, group: asyncio.TaskGroup) -> None:
        """Begin with ``items``, each once it holds its identity where it needs to."""
        free: list[Item] = []
        for item in items:
            if item.encoded.replay_safe or self._identities.try_hold(item.encoded.identity):
                self._note_held(item)
                free.append(item)
            else:
                group.create_task(self._wait_for_twin(item, in_doubt, group))
        await self._begin(free, in_doubt, group)

    async def _wait_for_twin(self, item: Item, in_doubt: InDoubt | None, group: asyncio.TaskGroup) -> None:
        await self._identities.hold(item.encoded.identity)
        self._note_held(item)
        await self._begin([item], in_doubt, group)

    async def _begin(self, items: Sequence[Item], in_doubt: InDoubt | None, group: asyncio.TaskGroup) -> None:
        if in_doubt is None:
            await self._write_all(items, group)
        else:
            self._clearance.release_permit()
            await self._find_out([_Lost(item, in_doubt, None) for item in items], group)

    async def _write_all(self, items: Sequence[Item], group: asyncio.TaskGroup) -> None:
        """Clear ``items``, which hold their identities, and write each in a task of its own."""
        cleared = await self._clearance.clear(items)
        if cleared:
            self._limiter.release()  # each call takes its own
        else:
            # Twins may wait on for one that needs it.
            self._clearance.release_permit()
        if len(cleared) < len(items):
            rows = {item.row for item in cleared}
            for item in items:
                if item.row not in rows:
                    self._release(item.row)
        # None of their calls has left yet: what the vendor has shown by now was there before them.
        opened = InDoubt(
            batch_id=self.batch.batch_id,
            refs=dict(self._destination.newest_ids),
            requested_at=utc_now(),
            lost_at_s=0.0,
            vendor_at=self._destination.vendor_at,
        )
        for item in cleared:
            group.create_task(self._write(item, opened, group))

    async def _write(self, item: Item, opened: InDoubt, group: asyncio.TaskGroup) -> None:
        """Write ``item`` until its fate is known, or its answer is lost and must be asked for."""
        calls, losses = ItemCalls(self._desk, item), LostAnswers(None)
        while True:
            try:
                outcome = await self._destination.write_item(item, calls)
            except Abandoned:
                self._release(item.row)
                return
            except Refused as error:
                if error.may_be_at_work:
                    self._desk.hold_key(item)
                outcome = Outcome(Fate.REJECTED, error.code, str(error), None, error.http_status)
            except (Unavailable, Misconfigured) as error:
                await self._take_failure(item, calls, error)
                self._clearance.write_ahead.turned_away([item])
                losses.in_a_row = 0
                continue
            except Ambiguous as error:
                await self._take_failure(item, calls, error)
                if not item.encoded.replay_safe:
                    self._lose(item, opened, error.refusal, group)
                    return
                losses.add(self._limiter.answered)
                if not (losses.enough and losses.blames([item])):
                    continue
                outcome = Outcome(Fate.RETRYABLE, "no-answer", str(error))
            self._know([(item, outcome)])
            return

    async def _take_failure(self, item: Item, calls: ItemCalls, error: Unavailable | Misconfigured | Ambiguous) -> None:
        if error.may_be_at_work:
            self._desk.hold_key(item)
        if calls.held is not error:
            # It did not come from a call, so nobody has learnt of it.
            await self._clearance.acquire_permit()
            self._desk.holder.hold(error)

    def _lose(self, item: Item, opened: InDoubt, refusal: BatchError | None, group: asyncio.TaskGroup) -> None:
        if not self._lost:
            group.create_task(self._ask_about_lost(group))
        self._lost.append(_Lost(item, opened, refusal))

    async def _ask_about_lost(self, group: asyncio.TaskGroup) -> None:
        """Ask once no call is out, so that one question serves all that are lost by then."""
        await self._quiet()
        lost, self._lost = self._lost, []
        await self._find_out(lost, group)

    async def _find_out(self, lost: Sequence[_Lost], group: asyncio.TaskGroup) -> None:
        """Ask the vendor what became of ``lost``, and write those that are proven not to be applied."""
        inquiry = Inquiry(self._destination, self._clearance, self.batch, self._know)
        refusals = {one.item.row: one.refusal for one in lost}
        refs = {one.item.row: one.item.refs for one in lost}
        now_s = asyncio.get_running_loop().time()
        # Those that were cleared together share what the vendor had shown before.
        for in_doubt in {id(one.in_doubt): one.in_doubt for one in lost}.values():
            items = [one.item for one in lost if one.in_doubt is in_doubt]
            async for unapplied in inquiry.unapplied(items, self._lost_at(in_doubt, now_s)):
                again: list[Item] = []
                for item in unapplied:
                    if item.refs is not refs[item.row]:
                        # It is begun, and opened with newer ids it would seem not to be.
                        if await ItemCalls(self._desk, item).note_found(refs[item.row]):
                            again.append(item)
                        else:
                            self._release(item.row)
                        continue
                    refusal = refusals[item.row]
                    losses = self._losses.setdefault(item.row, LostAnswers(None))
                    losses.add(self._limiter.answered)
                    if isinstance(refusal, Refused):
                        outcome = Outcome(Fate.REJECTED, refusal.code, str(refusal), None, refusal.http_status)
                        self._know([(item, outcome)])
                    elif losses.enough and losses.blames([item]):
                        message = "no call for it is answered, and others are; nothing of it was applied"
                        self._know([(item, Outcome(Fate.RETRYABLE, "no-answer", message))])
                    else:
                        again.append(item)
                await self._write_all(again, group)

    def _lost_at(self, in_doubt: InDoubt, now_s: float) -> InDoubt:
        """Return ``in_doubt`` as lost at ``now_s``, unless an earlier owner has lost it."""
        return in_doubt if in_doubt is self.batch.in_doubt else msgspec.structs.replace(in_doubt, lost_at_s=now_s)

    def _know(self, fates: Fates) -> None:
        """Take ``fates``, and hand them over with others that come soon."""
        if not fates:
            return
        self._clearance.write_ahead.settled(fates)
        for item, _ in fates:
            self._release(item.row)
        if not self._known:
            asyncio.get_running_loop().call_later(GATHER_S, self._hand_over)
        self._known += fates
        if len(self._known) == len(self.batch.items):
            self._hand_over()

    def _hand_over(self) -> None:
        known, self._known = sorted(self._known, key=lambda fate: fate[0].row), []
        if known:
            kill_points.at(KillPoint.ANSWERED)
            self._settle(known, BatchTimes(self._started_at, utc_now()))

    async def _quiet(self) -> None:
        """Wait until no call is out."""
        while self._desk.out:
            self._none_out.clear()
            await self._none_out.wait()

    def _on_none_out(self, task: "asyncio.Task[None] | None") -> None:
        self._none_out.set()
        if self._is_abandoned and task is not None:
            # Whatever still waits, waits for a permit, a twin or a proof. But an answer may lead to a note first.
            asyncio.get_running_loop().call_soon(lambda: None if self._desk.out else task.cancel())

    def _note_held(self, item: Item) -> None:
        if not item.encoded.replay_safe:
            self._held[item.row] = item.encoded.identity

    def _release(self, row: int) -> None:
        identity = self._held.pop(row, None)
        if identity is not None:
            self._identities.release(identity)
