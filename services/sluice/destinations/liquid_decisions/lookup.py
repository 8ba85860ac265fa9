"""Lookup of single items by their keys, and what it proves of a lost create. §13

An item that is there as it was sent was applied. One that is not there was not, once the vendor can be at work on the
request no more and reads show all that was written. One that is there with other values may be somebody else's.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from sluice.destinations.contract import Recovered
from sluice.destinations.liquid_decisions.queries import Queries
from sluice.destinations.liquid_decisions.sent_data import sent_data
from sluice.destinations.liquid_decisions.settings import LiquidDecisionsSettings
from sluice.destinations.liquid_decisions.values import has_all
from sluice.flow.batch import InDoubt, Item
from sluice.flow.outcome import Fate, Outcome


class Found(NamedTuple):
    """State of the place of an item at the vendor."""

    is_there: bool
    is_as_sent: bool
    """True when all fields that were sent have the values that were sent; of a delete, when nothing is there."""


class Lookup:
    """Reader of single items of one community."""

    def __init__(self, settings: LiquidDecisionsSettings, queries: Queries) -> None:
        self._types = settings.types
        self._queries = queries
        self._proof_after_s = settings.settle_s + settings.read_lag_s

    async def look_up(self, items: Sequence[Item]) -> list[Found]:
        """Return what is there of each of ``items``. Raises ``Unavailable``, ``Misconfigured``, ``Refused``."""
        there: dict[object, Mapping[str, Any]] = {}
        for name in dict.fromkeys(item.event.object for item in items):
            keys = [sent_data(item) for item in items if item.event.object == name]
            async for identity, found in self._queries.by_key(name, keys):
                there[identity] = found.data
        return [self._found(item, there.get(item.encoded.identity)) for item in items]

    async def recover(self, items: Sequence[Item], in_doubt: InDoubt) -> AsyncIterator[Recovered]:
        """Look each item up once proof is possible. Raises as :meth:`look_up` does."""
        unsafe: list[Item] = []
        for item in items:
            if item.encoded.replay_safe:
                yield item, None
            else:
                unsafe.append(item)
        if not unsafe:
            return
        # One that was read earlier could be absent, and be written by our own request a moment later.
        await asyncio.sleep(in_doubt.lost_at_s + self._proof_after_s - asyncio.get_running_loop().time())
        for item, found in zip(unsafe, await self.look_up(unsafe), strict=True):
            if not found.is_there:
                yield item, None
            elif found.is_as_sent:
                yield item, Outcome(Fate.DELIVERED, "found", "its answer was lost; it is there as it was sent")
            else:
                message = "its answer was lost, and an item of its key is there with other values"
                yield item, Outcome(Fate.AMBIGUOUS, "no-answer", message)

    def _found(self, item: Item, there: Mapping[str, Any] | None) -> Found:
        if item.event.operation == "delete":
            return Found(there is not None, there is None)
        if there is None:
            return Found(is_there=False, is_as_sent=False)
        data, key_fields = sent_data(item), self._types[item.event.object].key_fields
        names = [name for name in data if name not in key_fields]
        return Found(is_there=True, is_as_sent=has_all(data, names, there))
