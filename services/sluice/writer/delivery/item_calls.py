"""The calls of one item: each waits for a permit, and is made only while the item's lane is ours."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, PreSendCheck, Refused, Unavailable
from sluice.events import MAX_REFS_BYTES, encode_event
from sluice.flow.batch import Batch, Item
from sluice.writer import kill_points
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.delivery.clearance import Clearance
from sluice.writer.delivery.holder import Holder
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.kill_points import KillPoint


class Abandoned(Exception):
    """The item is not ours to write any more."""


class CallDesk:
    """The desk at which the calls of one batch begin and end."""

    def __init__(
        self,
        batch: Batch,
        clearance: Clearance,
        lanes: BatchLanes,
        limiter: Limiter,
        holder: Holder,
        settle_s: float,
    ) -> None:
        self.batch = batch
        self.clearance = clearance
        self.lanes = lanes
        self.limiter = limiter
        self.holder = holder
        self.requests = 0
        """Calls made so far."""
        self.out = 0
        """Calls that are out, and notes that are not in the journal yet."""
        self.on_none_out: Callable[[], None] = _nothing
        self._settle_s = settle_s

    def hold_key(self, item: Item) -> None:
        """Have newer writes of the key of ``item`` wait: the vendor may still be at work on a call."""
        item.may_run_until_s = asyncio.get_running_loop().time() + self._settle_s

    def back(self) -> None:
        """Take note that a call is answered, or a note in the journal."""
        self.out -= 1
        if not self.out:
            self.on_none_out()


class ItemCalls:
    """The calls of one item, as :class:`~sluice.destinations.item_calls.Calls` says."""

    def __init__(self, desk: CallDesk, item: Item) -> None:
        self._desk = desk
        self.item = item
        self.held: BatchError | None = None
        """The last failure of a call for which delivery was held."""

    def permit(self) -> AbstractAsyncContextManager[PreSendCheck]:
        """Wait for a permit. Raises :class:`Abandoned`."""
        return _Permit(self, self._desk)

    async def note(self, refs: Mapping[str, str]) -> None:
        """Put ``refs`` into the journal. Raises :class:`Abandoned`; ``ValueError`` when there are too many."""
        desk, item = self._desk, self.item
        noted = {**item.refs, **refs}
        if len(encode_event(noted)) > MAX_REFS_BYTES:
            noted = dict(refs)  # the others came in a header of a stranger's: a kind's own are small
        if len(encode_event(noted)) > MAX_REFS_BYTES:
            raise ValueError(f"expected refs of at most {MAX_REFS_BYTES} bytes as JSON, got {noted}")
        item.refs = noted
        lane = desk.lanes.get(item.lane)
        if lane is None:
            raise Abandoned
        desk.out += 1
        try:
            await lane.journal.note(desk.batch, item, refs)
        finally:
            desk.back()
        kill_points.at(KillPoint.NAMED)

    async def note_found(self, before: Mapping[str, str]) -> bool:
        """Put the refs that are new since ``before`` into the journal; return whether the item is still ours."""
        try:
            await self.note({name: value for name, value in self.item.refs.items() if before.get(name) != value})
        except Abandoned:
            return False
        return True


class _Permit:
    """A permit for one call."""

    __slots__ = ("_calls", "_desk")

    def __init__(self, calls: ItemCalls, desk: CallDesk) -> None:
        self._calls = calls
        self._desk = desk

    async def __aenter__(self) -> PreSendCheck:
        desk, item = self._desk, self._calls.item
        if not await desk.clearance.clear_call(item):
            raise Abandoned
        desk.requests += 1
        desk.out += 1
        desk.clearance.write_ahead.sending([item])
        kill_points.at(KillPoint.SENDING)
        return desk.clearance.pre_send_check([item])

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        desk = self._desk
        if isinstance(error, BatchError) and error.may_be_at_work:
            # Here, since the kind may go on with another call, and the item may end well.
            desk.hold_key(self._calls.item)
        match error:
            case None | Refused():
                desk.limiter.succeeded()
            case Unavailable() | Misconfigured() | Ambiguous():
                desk.holder.hold(error)
                self._calls.held = error
            case _:
                desk.limiter.release()
        desk.back()


def _nothing() -> None:
    pass
