"""Recovery of writes whose answer was lost: read the records at BlueConic, and accept only a proof.

An item that is safe to repeat needs none. Of the others, a record that was last modified before the write was sent has
not had it applied; nor has one that is not there, since the write would have made it. Anything else is ambiguous: a
later modification does not say who made it, and an increment leaves no trace of itself.

1. Wait ``settle_s + read_lag_s`` from the loss of the answer: BlueConic may still be working on the request, and its
   reads may lag its writes.
2. Read each record. Compare its last modification with what BlueConic's own clock said before the write was sent: both
   are BlueConic's. Where that is not known, a modification proves nothing.
3. A read that fails costs itself alone, until several fail in a row.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from urllib.parse import quote

import httpx
import msgspec

from sluice.destinations.blueconic.groups import GROUPS
from sluice.destinations.blueconic.rules import text_properties
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import Recovered, Unavailable
from sluice.destinations.http import describe_request, send, unavailable_from
from sluice.flow.batch import InDoubt, Item
from sluice.flow.outcome import Fate, Outcome

MAX_READS = 2
"""Reads in flight. §6 limits bulk requests only; the number is [assumed]."""
MAX_FAILURES = 4
"""Reads in a row that fail before the others wait: the vendor is away then. [assumed]"""
MAX_PATH_CHARS = 8000
"""The length that servers commonly take [assumed]; a key can be longer."""


class Recovery:
    """Reader of records at one tenant."""

    def __init__(self, client: httpx.AsyncClient, settings: BlueConicSettings) -> None:
        self._client = client
        self._proof_after_s = settings.settle_s + settings.read_lag_s

    async def recover(self, items: Sequence[Item], in_doubt: InDoubt) -> AsyncIterator[Recovered]:
        """Look each item up once proof is possible. Raises ``Unavailable`` at the end when some could not be."""
        unsafe: deque[Item] = deque()
        for item in items:
            if item.encoded.replay_safe:
                yield item, None
            else:
                unsafe.append(item)
        if not unsafe:
            return
        # A record read earlier could look untouched, and be changed by our own write a moment later.
        await asyncio.sleep(in_doubt.lost_at_s + self._proof_after_s - asyncio.get_running_loop().time())
        failures: list[Unavailable] = []
        in_a_row = 0
        reads: dict[asyncio.Task[Outcome | None], Item] = {}
        try:
            while reads or (unsafe and in_a_row < MAX_FAILURES):
                while unsafe and len(reads) < MAX_READS and in_a_row < MAX_FAILURES:
                    item = unsafe.popleft()
                    reads[asyncio.create_task(self._look_up(item, in_doubt.vendor_at))] = item
                done, _ = await asyncio.wait(reads, return_when=asyncio.FIRST_COMPLETED)
                for read in done:
                    item = reads.pop(read)
                    try:
                        found = item, read.result()
                    except Unavailable as error:
                        failures.append(error)
                        in_a_row += 1
                        continue
                    in_a_row = 0
                    yield found
        finally:
            for read in reads:
                read.cancel()
            if reads:
                await asyncio.wait(reads)
        if failures:
            raise max(failures, key=lambda error: error.retry_after_s or 0.0)

    async def _look_up(self, item: Item, vendor_at: datetime | None) -> Outcome | None:
        path = _read_path(item)
        if path is None or len(path) > MAX_PATH_CHARS:
            return _ambiguous("there is no one place to look it up")
        response = await send(self._client, self._client.build_request("GET", path))
        status = response.status_code
        if status in (200, 404):
            return None if _is_untouched(response, vendor_at) else _ambiguous("the record is there")
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


def _is_untouched(response: httpx.Response, vendor_at: datetime | None) -> bool:
    """Return whether the record is not there, or was last modified before ``vendor_at``, and so before the write."""
    if response.status_code == 404:
        return True
    try:
        read = _decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    if read.profiles is not None:
        return not read.profiles
    if read.last_modified_date is None or read.last_modified_date.tzinfo is None or vendor_at is None:
        return False
    # Both are the vendor's. A `Date` is cut to the second, so it is never later than the request it came before.
    return read.last_modified_date < vendor_at


def _ambiguous(why: str) -> Outcome:
    return Outcome(Fate.AMBIGUOUS, "no-answer", f"the answer was lost, and whether it was applied is not known: {why}")
