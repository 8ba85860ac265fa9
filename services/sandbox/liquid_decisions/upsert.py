"""``POST /ls/api/items/upsert``: writes items at once and names those it rejected. liquid_decisions.md §4."""

from typing import Any

import msgspec

from sandbox.faults.board import FaultBoard
from sandbox.http.messages import UNREADABLE, Answer, BulkResponse, Request, Response, as_json
from sandbox.ledger.ledger import Ledger
from sandbox.liquid_decisions.community import Community
from sandbox.liquid_decisions.faults import WrongCount
from sandbox.liquid_decisions.item import Entry, Item, Outcome
from sandbox.liquid_decisions.refusal import Refusal
from sandbox.liquid_decisions.settings import Settings
from sandbox.liquid_decisions.writer import Source, late_s

_ENDPOINT = "POST /ls/api/items/upsert"
"""Name of the call in the ledger"""


class Upsert:
    """Synchronous write."""

    def __init__(self, ledger: Ledger, faults: FaultBoard) -> None:
        self._ledger = ledger
        self._faults = faults

    def upsert(self, request: Request, community: Community) -> Answer:
        """Apply nothing of a malformed request, a 400 [docs]; else every item has its own result."""
        items = _read(request.body, community.settings)
        self._ledger.count_entries(len(items))
        entries = [Entry(item.headers, item.data, item.headers.get("action")) for item in items]
        late = late_s(community.settings, self._faults, request)
        outcomes = community.writer.write(entries, Source(request.number, _ENDPOINT, late_s=late))
        pairs = zip(items, outcomes, strict=True)
        rejects = [_with_receipt(item, outcome) for item, outcome in pairs if outcome.message]
        # ``n``, or ``n`` less the rejected; the document is unclear. §4 [assumed]
        count = len(items) - (len(rejects) if community.settings.count_leaves_out_rejected else 0)
        acting = self._faults.acting((WrongCount,), request.method, request.path, request.body)
        count += sum(fault.by for fault in acting)
        return BulkResponse(
            items=rejects,
            render=lambda shown: _answer(count, shown),
            without_identifier=lambda reject: {**reject, "data": {}},
        )


def _read(body: bytes, settings: Settings) -> list[Item]:
    if settings.max_upsert_bytes is not None and len(body) > settings.max_upsert_bytes:
        raise Refusal(f"expected at most {settings.max_upsert_bytes} bytes", error="too_large", status=413)
    try:
        items = _decode(body)
    except UNREADABLE as error:
        raise Refusal(f"expected an array of items with headers and data: {error}") from None
    if settings.max_upsert_items is not None and len(items) > settings.max_upsert_items:
        raise Refusal(f"expected at most {settings.max_upsert_items} items", error="too_large", status=413)
    return items


def _with_receipt(item: Item, outcome: Outcome) -> dict[str, Any]:
    """Return the item as sent, with the receipt inside its headers. §4 [docs] [client:node]"""
    receipt = {"receiptType": outcome.effect, "receiptMessage": outcome.message}
    return {"headers": {**item.headers, **receipt}, "data": item.data}


def _answer(count: int, rejects: list[Any]) -> Response:
    """Answer; ``rejectedItems`` is missing when nothing was rejected. §4 [docs]"""
    return as_json({"count": count, "rejectedItems": rejects} if rejects else {"count": count})


_decode = msgspec.json.Decoder(list[Item]).decode
