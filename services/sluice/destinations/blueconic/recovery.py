"""Recovery of writes whose answer was lost: read the records at BlueConic, and accept only a proof.

An item that is safe to repeat needs none. Of the others, a record that was last modified before the write was sent has
not had it applied; nor has one that is not there, since the write would have made it. Anything else is ambiguous: a
later modification does not say who made it, and an increment leaves no trace of itself.

A proof is taken late: BlueConic may still be working on a request after we gave it up, and reads may lag behind writes,
both for a time that nobody documents.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import msgspec

from sluice.destinations.blueconic.groups import GROUPS
from sluice.destinations.blueconic.rules import text_properties
from sluice.destinations.contract import Unavailable
from sluice.destinations.http import answered_at, describe_request, send, unavailable_from
from sluice.flow.batch import InDoubt, Item
from sluice.flow.outcome import Fate, Outcome

READ_LAG_S = 5.0
"""Longest time by which reads are behind writes. §3 [assumed]"""
CLOCK_MARGIN_S = 5.0
"""Largest error of the vendor's clock, after its ``Date`` was taken into account. [assumed]"""
MAX_READS = 2
"""Reads in flight. §6 limits bulk requests only; the number is [assumed]."""
MAX_PATH_CHARS = 8000
"""The length that servers commonly take [assumed]; a key can be longer."""


class Recovery:
    """Reader of records at one tenant; a write has ended there at most ``timeout_s`` after it was sent."""

    def __init__(self, client: httpx.AsyncClient, timeout_s: float) -> None:
        self._client = client
        self._settle_time = timedelta(seconds=timeout_s + READ_LAG_S)

    async def recover(self, items: Sequence[Item], in_doubt: InDoubt) -> list[Outcome | None]:
        """Look each item up once proof is possible; ``None``: it may be sent again. Raises ``Unavailable``."""
        if all(item.encoded.replay_safe for item in items):
            return [None] * len(items)
        # A record read earlier could look untouched, and be changed by our own write a moment later.
        await _sleep_until(in_doubt.requested_at + self._settle_time)
        reads = asyncio.Semaphore(MAX_READS)

        async def look_up(item: Item) -> Outcome | None:
            if item.encoded.replay_safe:
                return None
            async with reads:
                return await self._look_up(item, in_doubt.requested_at)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(look_up(item)) for item in items]
        except* Unavailable as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _look_up(self, item: Item, requested_at: datetime) -> Outcome | None:
        path = _read_path(item)
        if path is None or len(path) > MAX_PATH_CHARS:
            return _ambiguous("there is no one place to look it up")
        response = await send(self._client, self._client.build_request("GET", path))
        status = response.status_code
        if status in (200, 404):
            return None if _is_untouched(response, requested_at) else _ambiguous("the record is there")
        if status in (408, 429) or (status >= 500 and status != 501):
            message = f"{describe_request(response.request)} answered {status}"
            raise unavailable_from(response) or Unavailable("no-answer", message)
        # 501: the property is not indexed, §7 [spec]. 401, 403: a token was granted just now, so the application lacks
        # the right to read. Neither passes by itself, so do not hold traffic for it.
        return _ambiguous(f"it could not be looked up ({status}); may the application read groups and profiles?")


class _Read(msgspec.Struct, rename="camel"):
    """A group, or the profiles that a search has found. §8 [spec]"""

    last_modified_date: datetime | None = None
    profiles: list[dict[str, str]] | None = None


_decode = msgspec.json.Decoder(_Read).decode


def _read_path(item: Item) -> str | None:
    """Return the path to read the record at, or ``None`` if no single read shows it."""
    event = item.event
    if item.encoded.batch_key == GROUPS:
        return f"groups/{quote(event.object.partition('/')[2], safe='')}/{quote(str(event.key), safe='')}"
    if isinstance(event.key, str):
        return f"profiles/{quote(event.key, safe='')}"
    if not isinstance(event.key, dict) or len(event.key) != 1:
        return None
    ((name, value),) = event.key.items()
    # A write that changes the property it is found by makes it unfindable: absence would prove nothing.
    if name in text_properties(event.data):
        return None
    return f"profiles?property={quote(name, safe='')}&value={quote(value, safe='')}"


def _is_untouched(response: httpx.Response, requested_at: datetime) -> bool:
    """Return whether the record is not there, or was last modified before the write was sent."""
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
    # Shift our instant to the vendor's clock: the two are never compared directly.
    now = datetime.now(UTC)
    ahead = (answered_at(response) or now) - now
    return read.last_modified_date < requested_at + ahead - timedelta(seconds=CLOCK_MARGIN_S)


def _ambiguous(why: str) -> Outcome:
    return Outcome(Fate.AMBIGUOUS, "no-answer", f"the answer was lost, and whether it was applied is not known: {why}")


async def _sleep_until(instant: datetime) -> None:
    await asyncio.sleep(max(0.0, (instant - datetime.now(UTC)).total_seconds()))
