"""What became of a write whose answer was lost: BlueConic is asked, and only a proof counts.

What may be applied twice needs none. Of the rest, a record that is still as it was before the write was sent has not
had it applied; nor has one that is not there, since the write would have made it. Anything else is ambiguous: that a
record has changed since does not say who changed it, and an increment leaves no trace of itself.

A proof is taken late: BlueConic may still be at work on a request after we gave it up, and reads may lag behind writes,
both for a time that nobody documents.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import msgspec

from sluice.destinations.blueconic.entries import GROUPS
from sluice.destinations.blueconic.rules import text_properties
from sluice.destinations.contract import Unavailable
from sluice.destinations.http import answered_at, place, send, turned_away
from sluice.flow.batch import InDoubt, Item
from sluice.flow.outcome import Fate, Outcome

READ_LAG_S = 5.0
"""How far reads may be behind writes. blueconic.md §3 [assumed]"""
CLOCK_MARGIN_S = 5.0
"""How far the vendor's clock may be off, after its ``Date`` was taken into account. [assumed]"""
MAX_READS = 2
"""Reads in flight. §6 limits bulk requests only; the number is [assumed]."""
MAX_PATH_CHARS = 8000
"""What servers commonly take; a key can be longer."""


class Recovery:
    """Asks one tenant through ``client``; a write is over ``timeout_s`` after it was sent."""

    def __init__(self, client: httpx.AsyncClient, timeout_s: float) -> None:
        self._client = client
        self._patience = timedelta(seconds=timeout_s + READ_LAG_S)

    async def ask(self, items: Sequence[Item], in_doubt: InDoubt) -> list[Outcome | None]:
        """``None`` for what may be sent again. Waits until a proof is possible. Raises ``Unavailable``."""
        if all(item.encoded.replay_safe for item in items):
            return [None] * len(items)
        await _until(in_doubt.requested_at + self._patience)
        slots = asyncio.Semaphore(MAX_READS)

        async def one(item: Item) -> Outcome | None:
            if item.encoded.replay_safe:
                return None
            async with slots:
                return await self._fate(item, in_doubt.requested_at)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(item)) for item in items]
        except* Unavailable as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _fate(self, item: Item, requested_at: datetime) -> Outcome | None:
        path = _path(item)
        if path is None or len(path) > MAX_PATH_CHARS:
            return _ambiguous("there is no one place to look it up")
        response = await send(self._client, self._client.build_request("GET", path))
        status = response.status_code
        if status in (200, 404):
            return None if _is_untouched(response, requested_at) else _ambiguous("the record is there")
        if status in (408, 429) or (status >= 500 and status != 501):
            raise turned_away(response) or Unavailable("no-answer", f"{place(response.request)} answered {status}")
        # 501: the property is not indexed, §7 [spec]. 401, 403: a token was granted just now, so what is missing is the
        # right to read. Neither passes, and traffic does not wait for it.
        return _ambiguous(f"it could not be looked up ({status}); may the application read groups and profiles?")


class _Read(msgspec.Struct, rename="camel"):
    """A group, or the profiles that a search has found. §8 [spec]"""

    last_modified_date: datetime | None = None
    profiles: list[dict[str, str]] | None = None


_decode = msgspec.json.Decoder(_Read).decode


def _path(item: Item) -> str | None:
    """Where the record is read, if there is one place to look."""
    event = item.event
    if item.encoded.batch_key == GROUPS:
        return f"groups/{quote(event.object.partition('/')[2], safe='')}/{quote(str(event.key), safe='')}"
    if isinstance(event.key, str):
        return f"profiles/{quote(event.key, safe='')}"
    if not isinstance(event.key, dict) or len(event.key) != 1:
        return None
    ((name, value),) = event.key.items()
    # A record that changes what it is found by is not found by it any more.
    if name in text_properties(event.data):
        return None
    return f"profiles?property={quote(name, safe='')}&value={quote(value, safe='')}"


def _is_untouched(response: httpx.Response, requested_at: datetime) -> bool:
    """Whether the record is not there, or was last modified before the write was sent."""
    if response.status_code == 404:
        return True
    try:
        read = _decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    if read.profiles is not None:
        return not read.profiles
    if read.last_modified_date is None or read.last_modified_date.tzinfo is None:
        return False
    now = datetime.now(UTC)
    ahead = (answered_at(response) or now) - now
    return read.last_modified_date < requested_at + ahead - timedelta(seconds=CLOCK_MARGIN_S)


def _ambiguous(why: str) -> Outcome:
    return Outcome(Fate.AMBIGUOUS, "no-answer", f"the answer was lost, and whether it was applied is not known: {why}")


async def _until(instant: datetime) -> None:
    await asyncio.sleep(max(0.0, (instant - datetime.now(UTC)).total_seconds()))
