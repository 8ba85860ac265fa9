"""Comparison of an import with what is there: its items are looked up in the feed of changes since before it. D3, R-L1

Most changes are ours: 50,000 items are 50 pages. Where others change far more than we do, keys are asked for instead.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from typing import Any

from sluice.destinations.contract import Refused
from sluice.destinations.liquid_decisions.assumed import KEYS_PER_QUERY, MAX_FOREIGN
from sluice.destinations.liquid_decisions.feed import Cursor, Feed
from sluice.destinations.liquid_decisions.queries import FoundItem, Queries
from sluice.destinations.liquid_decisions.sent_data import decode_data, sent_data
from sluice.destinations.liquid_decisions.sent_rows import EQUAL, UNSEEN, SentRows
from sluice.destinations.vendor_jobs import Sent
from sluice.flow.batch import Item


class Comparison:
    """The items of one import, and what was seen of them so far."""

    def __init__(self, name: str, since_ms: int, rows: SentRows) -> None:
        """``rows`` are of the type ``name``."""
        self.name = name
        self.rows = rows
        self._since_ms = since_ms
        self._looked_to_ms = since_ms
        self.looks = 0
        """Times that the feed was read to its end."""

    async def look(
        self, feed: Feed, queries: Queries, sent: Sent, *, overlap_s: float, others: Sequence["Comparison"] = ()
    ) -> None:
        """Look at what has changed, from ``overlap_s`` before the end of the last look on: items may be shown late.

        Once each item was seen as it was sent there is nothing to look for. What is of ``others``, of the same type,
        is shown to them, so that they need not read it again.
        Raises ``Unavailable``, ``Misconfigured``.
        """
        if self.is_seen:
            return
        since_ms = max(self._since_ms, self._looked_to_ms - round(overlap_s * 1000))
        foreign = 0
        async for page in feed.pages(self.name, Cursor.since(since_ms)):
            for item in page.items:
                identity = queries.identity(self.name, item.data)
                if identity is not None and not self.show(identity, item):
                    foreign += not any(other.show(identity, item) for other in others)
            self._looked_to_ms = page.next.processed_after_ms
            if foreign > MAX_FOREIGN * len(self.rows):
                await self._ask(queries, sent)
                break
        self.looks += 1

    @property
    def is_seen(self) -> bool:
        """True once each item was seen as it was sent."""
        return self.rows.count(EQUAL) == len(self.rows)

    def show(self, identity: str, item: FoundItem) -> bool:
        """Take note of an item of the feed; return whether it is of this import."""
        # Of the very instant the feed shows what was there before, too.
        is_old = item.is_older_than(self._since_ms + 1)
        return not item.is_older_than(self._since_ms) and self.rows.compare(identity, item.data, is_old=is_old)

    async def _ask(self, queries: Queries, sent: Sent) -> None:
        """Ask for the items that were not seen, by their keys."""
        unseen = {row for row, state in self.rows.states() if state == UNSEEN}
        keys: list[dict[str, Any]] = []
        async with aclosing(sent()) as items:
            async for item in items:
                if item.row not in unseen:
                    continue
                keys.append(sent_data(item))
                if len(keys) == KEYS_PER_QUERY:
                    await self._compare_by_key(queries, keys)
                    keys = []
        if keys:
            await self._compare_by_key(queries, keys)

    async def _compare_by_key(self, queries: Queries, keys: Sequence[dict[str, Any]]) -> None:
        # One that was not changed since was not written by the import.
        with suppress(Refused):
            async for identity, found in queries.by_key(self.name, keys):
                if not found.is_older_than(self._since_ms):
                    self.rows.compare(identity, found.data)


def add_row(rows: SentRows, item: Item, key_fields: tuple[str, ...]) -> None:
    """Add ``item``, which is about to be sent, or was, to ``rows``."""
    data = decode_data(item.event.data)
    names = tuple([name for name in data if name not in key_fields])
    rows.add(item.row, str(item.encoded.identity), names, data)


async def rows_of(sent: AsyncIterator[Item], key_fields: tuple[str, ...]) -> SentRows:
    """Return what was sent, read again."""
    rows = SentRows()
    async for item in sent:
        add_row(rows, item, key_fields)
    return rows
