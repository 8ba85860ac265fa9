"""Recovery of writes whose answer was lost: read the records at BlueConic, and accept only a proof.

An item that is safe to repeat needs none. The others are looked up:

1. Wait ``settle_s + read_lag_s`` from the loss of the answer: BlueConic may still be working on the request, and its
   reads may lag its writes.
2. Read each record, a few at a time. ``proof`` judges what comes, if it is BlueConic's own answer.
3. A read that fails costs itself alone, until several fail in a row: BlueConic is away then.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Sequence

import httpx

from sluice.destinations.blueconic.errors import read_error_from
from sluice.destinations.blueconic.proof import is_untouched, read_path
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import Misconfigured, Recovered, Unavailable, http_status
from sluice.destinations.http import describe_request, send
from sluice.destinations.http_client import VendorClient
from sluice.destinations.vendor_answers import VendorAnswers
from sluice.flow.batch import InDoubt, Item
from sluice.flow.outcome import Fate, Outcome

MAX_READS = 2
"""Reads in flight. §6 limits bulk requests only; the number is [assumed]."""
MAX_FAILURES = 4
"""Reads in a row that fail before the others wait. [assumed]"""
MAX_PATH_CHARS = 8000
"""The length that servers commonly take [assumed]; a key can be longer."""
STRANGERS_S = 600.0
"""How long answers that may be a proxy's are asked for again, while BlueConic itself is heard otherwise. [assumed]"""


class Recovery:
    """Reader of records at one tenant."""

    def __init__(self, client: VendorClient, settings: BlueConicSettings, answers: VendorAnswers) -> None:
        self._client = client
        self._answers = answers
        self._proof_after_s = settings.settle_s + settings.read_lag_s

    async def recover(self, items: Sequence[Item], in_doubt: InDoubt) -> AsyncIterator[Recovered]:
        """Look each item up once proof is possible. Raises ``Unavailable`` at the end when some could not be."""
        unsafe: list[Item] = []
        for item in items:
            if item.encoded.replay_safe:
                yield item, None
            else:
                unsafe.append(item)
        if not unsafe:
            return
        # A record read earlier could look untouched, and be changed by our own write a moment later.
        await asyncio.sleep(in_doubt.lost_at_s + self._proof_after_s - asyncio.get_running_loop().time())
        async for found in self._look_up_all(unsafe, in_doubt):
            yield found

    async def _look_up_all(self, items: Sequence[Item], in_doubt: InDoubt) -> AsyncIterator[Recovered]:
        # In a new order each time, or a few items that always fail would keep the others from being asked about.
        waiting = deque(random.sample(items, len(items)))
        failures: list[Unavailable] = []
        in_a_row = 0
        reads: dict[asyncio.Task[Outcome | None], Item] = {}
        try:
            while reads or (waiting and in_a_row < MAX_FAILURES):
                while waiting and len(reads) < MAX_READS and in_a_row < MAX_FAILURES:
                    item = waiting.popleft()
                    reads[asyncio.create_task(self._look_up(item, in_doubt))] = item
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

    async def _look_up(self, item: Item, in_doubt: InDoubt) -> Outcome | None:
        path = read_path(item)
        if path is None or len(path) > MAX_PATH_CHARS:
            return _ambiguous("there is no one place to look it up")
        request = self._client.build_request("GET", path, headers={"cache-control": "no-cache"})
        response = await send(self._client, request)
        status = response.status_code
        if not self._answers.are_own(response):
            return self._judge_stranger(response, in_doubt)
        if status in (200, 404):
            untouched = is_untouched(item, response, in_doubt.vendor_at, self._proof_after_s)
            return None if untouched else _ambiguous("nothing shows that it was not")
        # 501: the property is not indexed, §7 [spec]. 401, 403: a token was granted just now, so the application lacks
        # the right to read. Neither passes by itself, so do not hold traffic for it.
        if status in (401, 403, 501) or isinstance(error := read_error_from(response), Misconfigured):
            return _ambiguous(f"it could not be looked up ({status}); may the application read groups and profiles?")
        raise error

    def _judge_stranger(self, response: httpx.Response, in_doubt: InDoubt) -> Outcome:
        """Give up on an answer that may be a proxy's. Raises ``Unavailable`` while it may pass."""
        error = read_error_from(response)
        status = response.status_code
        now_s = asyncio.get_running_loop().time()
        passes = isinstance(error, Unavailable) and error.reason != "auth" and status >= 300
        asked_long = now_s - in_doubt.lost_at_s > STRANGERS_S
        if asked_long and not passes and now_s - self._answers.heard_at_s < STRANGERS_S:
            hint = "name a header that BlueConic's own answers have in `own_answer_header`"
            return _ambiguous(f"the answer {status} may be a proxy's; if it is not, {hint}")
        if isinstance(error, Unavailable):
            raise error
        message = f"{describe_request(response.request)} answered {status}, perhaps not by BlueConic itself"
        raise Unavailable(http_status(status), message)


def _ambiguous(why: str) -> Outcome:
    return Outcome(Fate.AMBIGUOUS, "no-answer", f"the answer was lost, and whether it was applied is not known: {why}")
