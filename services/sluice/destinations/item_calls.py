"""The contract of a vendor without a bulk endpoint: each item takes a call of its own, or a few.

A batch is then only what shares an entry of the journal and a transaction of receipts. The writer runs the items of a
batch side by side, and each call waits for a permit, so limits count calls::

    async def write_item(self, item: Item, calls: Calls) -> Outcome:
        meeting = item.refs.get("meeting")                   # an earlier try has made it
        if meeting is None:
            async with calls.permit() as pre_send_check:
                meeting = await self._create(item, pre_send_check)
            await calls.note({"meeting": meeting})           # in the journal before the next step
        ...

What ``write_item`` raises is the fate of this item alone: on ``Unavailable`` and ``Misconfigured`` it is called again
for it when the outage is over, on ``Refused`` the item is rejected. After ``Ambiguous`` an item that is safe to repeat
is written again, and for others the vendor is asked first (``recover``). Each call is sent once.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from sluice.destinations.contract import Account, PreSendCheck, Recovered
from sluice.events import NO_REFS
from sluice.flow.batch import Batch, InDoubt, Item
from sluice.flow.outcome import Outcome


class Calls(Protocol):
    """The calls of one item."""

    def permit(self) -> AbstractAsyncContextManager[PreSendCheck]:
        """Wait until the vendor may be given one call more, however long; make it in the body of ``async with``.

        The body makes one call, and raises what its answer means. A call without effect, such as a read, needs one too.
        """
        ...

    async def note(self, refs: Mapping[str, str]) -> None:
        """Add to what is known of the item at the vendor, such as the id of a thing that is made in several calls.

        It is in the journal when this returns, and in ``item.refs`` of whoever writes the item next: after a restart,
        as a retry, or redriven from dead letters. All refs together have at most ``MAX_REFS_BYTES`` as JSON.
        """
        ...


@runtime_checkable
class ItemDestination(Account, Protocol):
    """An account whose vendor takes one record a call."""

    @property
    def newest_ids(self) -> Mapping[str, str]:
        """The greatest id that any answer has shown so far, by kind of object.

        The journal has it before an item that is not safe to repeat is sent: what has no greater id is not that item's.
        """
        ...

    def learn(self, newest_ids: Mapping[str, str]) -> None:
        """Take note of the newest ids of a lane's last owner; any text may come."""
        ...

    async def write_item(self, item: Item, calls: Calls) -> Outcome:
        """Write ``item``, or what is missing of it by ``item.refs``. It may be cancelled at any ``await``.

        Of the items that are not safe to repeat and have one identity, one at a time is written or in doubt in this
        process. Raises :class:`~sluice.destinations.contract.BatchError`.
        """
        ...

    def recover(self, batch: Batch, in_doubt: InDoubt) -> AsyncIterator[Recovered]:
        """Find out about items whose answer is lost, as ``Destination.recover`` does.

        ``in_doubt.refs`` are the ``newest_ids`` of some moment before they were sent. ``None`` lets an item be written
        again: where its refs tell how far it came, that is always right. Put into ``item.refs`` what is found begun:
        it is in the journal before the item is written again.
        """
        ...


def newest_ids_of(account: Account) -> Mapping[str, str]:
    """Return the greatest ids that the vendor has shown so far, where it is asked by them."""
    return account.newest_ids if isinstance(account, ItemDestination) else NO_REFS
