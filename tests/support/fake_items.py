"""A vendor that takes one record a call and answers each by a script."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime

from sluice.destinations.contract import BatchError, Recovered
from sluice.destinations.item_calls import Calls
from sluice.events import RecordEvent
from sluice.flow.batch import Batch, Encoded, InDoubt, Item
from sluice.flow.outcome import Outcome
from sluice.flow.windows import Limits
from tests.support.factories import AMBIGUOUS, DELIVERED, NOON

Script = dict[int, list[BatchError | None]]
"""By offset, what each call for that item meets; ``None``, and what is beyond the script, is answered well."""


class FakeItemDestination:
    """Writes each item by ``steps`` calls, and notes after each but the last how many are done."""

    def __init__(
        self,
        script: Script | None = None,
        *,
        steps: int = 1,
        latency_s: float = 0.0,
        found: Callable[[Item], Outcome | None] = lambda _: AMBIGUOUS,
    ) -> None:
        """``found`` is what the vendor says of an item whose answer is lost."""
        self.limits = Limits(max_items=100, max_bytes=1_000_000, max_concurrent=4, max_age_s=1.0)
        self.settle_s = 130.0
        self.vendor_at: datetime | None = NOON
        self.newest_ids: Mapping[str, str] = {}
        self.learned: list[Mapping[str, str]] = []
        self.calls: list[int] = []
        """Offsets of the items, a call each."""
        self.asked: list[tuple[list[int], InDoubt]] = []
        self.in_flight = self.most_in_flight = 0
        self.under_way: list[object] = []
        """Identities of the items with a call in flight."""
        self._script = script or {}
        self._steps = steps
        self._latency_s = latency_s
        self._found = found

    def learn(self, newest_ids: Mapping[str, str]) -> None:
        self.learned.append(newest_ids)

    async def write_item(self, item: Item, calls: Calls) -> Outcome:
        for step in range(int(item.refs.get("step", "0")), self._steps):
            async with calls.permit() as pre_send_check:
                await self._call(item, pre_send_check)
            if step < self._steps - 1:
                await calls.note({"step": str(step + 1)})
        return DELIVERED

    async def _call(self, item: Item, pre_send_check: Callable[[], None]) -> None:
        pre_send_check()
        self.calls.append(item.offset)
        assert item.encoded.replay_safe or item.encoded.identity not in self.under_way, "twins are in flight"
        self.under_way.append(item.encoded.identity)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self._latency_s)
        finally:
            self.in_flight -= 1
            self.under_way.remove(item.encoded.identity)
        script = self._script.get(item.offset, [])
        error = script.pop(0) if script else None
        if error is not None:
            raise error

    async def recover(self, batch: Batch, in_doubt: InDoubt) -> AsyncIterator[Recovered]:
        self.asked.append(([item.offset for item in batch.items], in_doubt))
        await asyncio.sleep(in_doubt.lost_at_s + self.settle_s - asyncio.get_running_loop().time())
        for item in batch.items:
            yield item, None if item.refs else self._found(item)

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        return Encoded(event.object, identifier, bytes(event.data), event.operation != "insert")

    async def check(self) -> str:
        return "well"

    async def aclose(self) -> None:
        pass


def offsets_of(items: Sequence[Item]) -> list[int]:
    return [item.offset for item in items]
