"""One upsert: what its answer says of each item. §4

``count`` is the number of items, with the rejected ones or without; any other number makes those that are not rejected
ambiguous. A reject belongs to the item with its type and key; else to the one with equal data; else it is looked for:

1. As many items are left as rejects: they are the ones. One item needs no match.
2. Items that are at the vendor as they were sent are delivered. As many others as rejects: they are the ones.
3. The request is refused as a whole, so that halves of it tell more; but where it must not be repeated, the items that
   are left are ambiguous.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from sluice.destinations.contract import Ambiguous, BatchError, PreSendCheck, Refused
from sluice.destinations.liquid_decisions.calls import Calls
from sluice.destinations.liquid_decisions.lookup import Lookup
from sluice.destinations.liquid_decisions.queries import Queries
from sluice.destinations.liquid_decisions.sent_data import sent_data
from sluice.flow.batch import Batch, Item
from sluice.flow.outcome import Fate, Outcome

_DELIVERED = Outcome(Fate.DELIVERED, "accepted")
_MISCOUNTED = Outcome(Fate.AMBIGUOUS, "wrong-count", "the answer's count is not that of the items", None, 200)
_UNMATCHED = Outcome(Fate.AMBIGUOUS, "unmatched-reject", "a reject names no key, and may be this item's", None, 200)


class _Headers(msgspec.Struct, rename="camel", frozen=True):
    type: Any = None
    action: Any = None
    receipt_type: Any = None
    receipt_message: Any = None


class Reject(msgspec.Struct):
    """An item that the vendor has refused; the reason is in its headers. §4 [docs]"""

    headers: _Headers = _Headers()
    data: Any = None

    def outcome(self) -> Outcome:
        """Return the fate of its item. The word is opaque: nothing branches on it."""
        word, message = self.headers.receipt_type, self.headers.receipt_message
        return Outcome(Fate.REJECTED, str(word or "rejected"), "" if message is None else str(message), None, 200)


class _Answer(msgspec.Struct, rename="camel"):
    count: int
    rejected_items: list[Reject] | None = None


class Upserts:
    """Writer of batches to one community."""

    def __init__(self, calls: Calls, queries: Queries, lookup: Lookup) -> None:
        self._calls = calls
        self._queries = queries
        self._lookup = lookup

    async def write(self, batch: Batch, check: PreSendCheck) -> Sequence[Outcome]:
        """Send ``batch`` as one upsert and return one outcome per item. Raises ``BatchError``."""
        items = batch.items
        may_be_repeated = all(item.encoded.replay_safe for item in items)
        body = json_array([item.encoded.body for item in items])
        response = await self._calls.write(body, may_be_repeated=may_be_repeated, check=check)
        try:
            answer = _decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Ambiguous(f"the upsert was answered without a count: {error}") from error
        rejects = answer.rejected_items or []
        count = len(items)
        if not rejects and answer.count == count:
            return [_DELIVERED] * count
        others = _DELIVERED if answer.count in (count, count - len(rejects)) else _MISCOUNTED
        outcomes = await self._outcomes(items, rejects, others, may_be_repeated=may_be_repeated)
        return [await self._of_delete(item, one) for item, one in zip(items, outcomes, strict=True)]

    async def _outcomes(
        self, items: Sequence[Item], rejects: Sequence[Reject], others: Outcome, *, may_be_repeated: bool
    ) -> list[Outcome]:
        matched, unmatched = self._match(items, rejects)
        outcomes = [matched.get(row, others) for row in range(len(items))]
        left = [row for row in range(len(items)) if row not in matched]
        if not unmatched or not left:
            return outcomes
        if len(unmatched) < len(left):
            left = await self._not_as_sent([items[row] for row in left], left)
        if len(unmatched) >= len(left):
            for row, reject in zip(left, unmatched, strict=False):
                outcomes[row] = reject.outcome()
            return outcomes
        if may_be_repeated:
            # Never the same request again: it would be answered by the same reject.
            first = unmatched[0].outcome()
            raise Refused("unmatched-reject", f"a reject names no item: {first.code} {first.message}", 200)
        for row in left:
            outcomes[row] = _UNMATCHED
        return outcomes

    def _match(self, items: Sequence[Item], rejects: Sequence[Reject]) -> tuple[dict[int, Outcome], list[Reject]]:
        """Return the outcomes of items that a reject names, by row, and the rejects that name none."""
        rows = {item.encoded.identity: row for row, item in enumerate(items)}
        matched: dict[int, Outcome] = {}
        unmatched: list[Reject] = []
        for reject in rejects:
            row = rows.get(self._identity(reject))
            if row is None or row in matched:
                row = _row_with_data(items, reject, matched)
            if row is None:
                unmatched.append(reject)
            else:
                matched[row] = reject.outcome()
        return matched, unmatched

    def _identity(self, reject: Reject) -> str | None:
        name, data = reject.headers.type, reject.data
        if not isinstance(name, str) or not isinstance(data, dict):
            return None
        return self._queries.identity(name, data)

    async def _not_as_sent(self, items: Sequence[Item], rows: Sequence[int]) -> list[int]:
        """Return those of ``rows``, which are of ``items``, that are not at the vendor as they were sent."""
        try:
            found = await self._lookup.look_up(items)
        except BatchError:
            return list(rows)
        return [row for row, one in zip(rows, found, strict=True) if not one.is_as_sent]

    async def _of_delete(self, item: Item, outcome: Outcome) -> Outcome:
        """Return the fate of a delete that was rejected: one whose item is not there has nothing to do. §13"""
        if outcome.fate is not Fate.REJECTED or item.event.operation != "delete":
            return outcome
        try:
            [found] = await self._lookup.look_up([item])
        except BatchError as error:
            message = f"{outcome.message}; whether the item is there is not known: {error}"
            return Outcome(Fate.RETRYABLE, outcome.code, message, None, outcome.http_status)
        return Outcome(Fate.SKIPPED, outcome.code, outcome.message) if found.is_as_sent else outcome


def json_array(bodies: list[bytes]) -> bytes:
    """Join ``bodies``, whose first and last it changes: so a body of megabytes is copied once only."""
    bodies[0] = b"[" + bodies[0]
    bodies[-1] += b"]"
    return b",".join(bodies)


def _row_with_data(items: Sequence[Item], reject: Reject, taken: dict[int, Outcome]) -> int | None:
    """Return the row of the one item whose data is that of ``reject``."""
    if not isinstance(reject.data, dict) or not reject.data:
        return None
    found = [row for row, item in enumerate(items) if row not in taken and sent_data(item) == reject.data]
    return found[0] if len(found) == 1 else None


_decode = msgspec.json.Decoder(_Answer).decode
