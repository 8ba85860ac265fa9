"""What of one batch stands in the journal because it must not be sent twice."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from sluice.flow.batch import Batch, Item
from sluice.writer.lanes.lane import Lane


class WriteAhead:
    """Opens items in the journal before they are sent, and takes back what was not sent after all."""

    def __init__(self, batch: Batch, lanes: Mapping[int, Lane]) -> None:
        self._batch = batch
        self._lanes = lanes
        self._opened: dict[int, Item] = {}
        self._in_doubt: set[int] = set()

    def open(self, items: Sequence[Item]) -> "list[asyncio.Future[None]]":
        """Put those of ``items`` into the journal that are unsafe; done when that is committed.

        Anew before each request: what became of them is looked up a while after the last one, not after the first.
        """
        unsafe = {id(item): item for item in items if not item.encoded.replay_safe}
        self._opened |= unsafe
        now = datetime.now(UTC)
        return [lane.intend(self._batch, rows, now) for lane, rows in self._by_lane(unsafe.values())]

    def sending(self, items: Sequence[Item]) -> None:
        """``items`` are leaving: from now on they may have been applied."""
        if self._opened:
            self._in_doubt.update(id(item) for item in items if id(item) in self._opened)

    def turned_away(self, items: Sequence[Item]) -> None:
        """The vendor has said that it took none of ``items``."""
        self._in_doubt.difference_update(map(id, items))

    def withdraw(self, answered: Iterable[Item]) -> None:
        """Tell the journal what was opened and then neither ``answered`` nor in doubt: its next owner need not ask."""
        if not self._opened:
            return
        done = self._in_doubt | {id(item) for item in answered}
        for lane, rows in self._by_lane(item for key, item in self._opened.items() if key not in done):
            if lane.alive:
                lane.withdraw(self._batch, rows)

    def _by_lane(self, items: Iterable[Item]) -> list[tuple[Lane, list[tuple[int, Item]]]]:
        """``items`` with their rows in the batch, lane by lane, as far as the lanes are here."""
        wanted = {id(item) for item in items}
        if not wanted:
            return []
        by_lane: dict[int, list[tuple[int, Item]]] = {}
        for row, item in enumerate(self._batch.items):
            if id(item) in wanted:
                by_lane.setdefault(item.lane, []).append((row, item))
        return [(self._lanes[number], rows) for number, rows in by_lane.items() if number in self._lanes]
