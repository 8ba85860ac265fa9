"""Write-ahead entries of one batch: the journal knows what must not be sent twice before it is sent."""

import asyncio
from collections.abc import Sequence

from sluice.destinations.contract import Account
from sluice.destinations.item_calls import newest_ids_of
from sluice.flow.batch import Batch, Item
from sluice.wall_clock import utc_now
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.settlement import Fates


class WriteAhead:
    """Opens items in the journal before they are sent, and withdraws those that were not sent after all."""

    def __init__(self, batch: Batch, destination: Account, lanes: BatchLanes) -> None:
        self._batch = batch
        self._destination = destination
        self._lanes = lanes
        # By row in the batch.
        self._opened: dict[int, Item] = {}
        self._sent: set[int] = set()

    def open(self, items: Sequence[Item]) -> "list[asyncio.Future[None]]":
        """Put those of ``items`` that are unsafe to repeat into the journal; done when that is committed.

        Again before each request: their fate is looked up some time after the last request, not after the first.
        """
        unsafe = [item for item in items if not item.encoded.replay_safe]
        self._opened.update((item.row, item) for item in unsafe)
        now = utc_now()
        vendor_at, newest_ids = self._destination.vendor_at, newest_ids_of(self._destination)
        return [lane.journal.open(self._batch, own, now, vendor_at, newest_ids) for lane, own in self._by_lane(unsafe)]

    def sending(self, items: Sequence[Item]) -> None:
        """Take note that ``items`` leave: from now on they may have been applied."""
        if self._opened:
            self._sent.update(item.row for item in items if item.row in self._opened)

    def turned_away(self, items: Sequence[Item]) -> None:
        """Take note that the vendor took none of ``items``."""
        self._sent.difference_update(item.row for item in items)

    def settled(self, fates: Fates) -> None:
        """Take note of items that have their fate, and with it an entry of their own."""
        if self._opened:
            for item, _ in fates:
                self._opened.pop(item.row, None)

    def withdraw(self) -> None:
        """Withdraw what was opened and was neither sent nor settled: its next owner need not ask about it.

        Never an item with refs, which would be forgotten: what was made of it would be made again.
        """
        unsent = [item for row, item in self._opened.items() if row not in self._sent and not item.refs]
        for lane, own in self._by_lane(unsent):
            lane.journal.withdraw(self._batch, own)

    def _by_lane(self, items: Sequence[Item]) -> list[tuple[Lane, list[Item]]]:
        """Return ``items`` in the batch's order, lane by lane, as far as the lanes are here."""
        in_order = sorted(items, key=lambda item: item.row)
        return [(lane, [item for item in in_order if item.lane == lane.partition]) for lane in self._lanes.of(in_order)]
