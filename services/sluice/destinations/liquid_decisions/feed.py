"""The feed of changes of one item type, from an instant on. §5

It goes on until an empty page: a server may answer fewer items than asked for. Without ``lastId`` all of the very
millisecond would be left out, so it is asked for what is after the one before. §15, X11, X12
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from sluice.destinations.contract import Misconfigured, Refused, Unavailable
from sluice.destinations.liquid_decisions.assumed import CLOCK_SLACK_S
from sluice.destinations.liquid_decisions.calls import Calls
from sluice.destinations.liquid_decisions.queries import FoundItem


class Cursor(NamedTuple):
    """A place in the feed, by the vendor's own words."""

    processed_after_ms: int
    last_id: str | None = None

    @staticmethod
    def since(instant_ms: int) -> "Cursor":
        """Return the place before all that was processed at ``instant_ms`` or later."""
        return Cursor(max(0, instant_ms - 1))


class Page(NamedTuple):
    """Items of the feed, and where to go on."""

    items: list[FoundItem]
    next: Cursor


class _Answer(msgspec.Struct, rename="camel"):
    items: list[FoundItem]
    max_processed_at: int | None = None
    last_id: str | None = None


class Feed:
    """Reader of changes in one community."""

    def __init__(self, calls: Calls, page_items: int) -> None:
        self._calls = calls
        self._page_items = page_items

    async def pages(self, name: str, cursor: Cursor) -> AsyncIterator[Page]:
        """Yield the pages of the type ``name`` from ``cursor`` on, up to what is there at the first answer.

        Raises ``Unavailable``, ``Misconfigured``.
        """
        until_ms: float | None = None
        while True:
            page = await self._page(name, cursor)
            if not page.items:
                return
            yield page
            if page.next == cursor:
                raise Unavailable("no-answer", f"the feed of {name} does not go on after {cursor}")
            cursor = page.next
            if until_ms is None:
                until_ms = _end_ms(self._calls.vendor_at)
            if cursor.processed_after_ms > until_ms:
                return  # a busy type would never end

    async def _page(self, name: str, cursor: Cursor) -> Page:
        form = {
            "itemType": name,
            "processedAfter": str(cursor.processed_after_ms),
            "max": str(self._page_items),
            **({} if cursor.last_id is None else {"lastId": cursor.last_id}),
        }
        try:
            response = await self._calls.read("items/updates", form)
        except Refused as error:
            raise Misconfigured(f"{error}; check `types` and `updates_page`", error.http_status) from error
        try:
            answer = _decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unavailable("no-answer", f"updates answered no items: {error}") from error
        after_ms = cursor.processed_after_ms if answer.max_processed_at is None else answer.max_processed_at
        return Page(answer.items, Cursor(after_ms, answer.last_id))


def _end_ms(vendor_at: datetime | None) -> float:
    return float("inf") if vendor_at is None else (vendor_at.timestamp() + CLOCK_SLACK_S) * 1000


_decode: Any = msgspec.json.Decoder(_Answer, strict=False).decode
