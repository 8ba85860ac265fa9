"""The endpoint ``/_sandbox/items``: what was applied to each item, in which order, and the item as it is now.

It answers from the ledger and the tables: was a record applied exactly once, and was a newer value lost?
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

import msgspec

from sandbox.http.messages import Request, Response, as_json
from sandbox.http.routing import Route
from sandbox.ledger.ledger import Ledger, LedgerEntry, LedgerFilter
from sandbox.liquid_decisions.community import Community

_APPLIED = frozenset({"Created", "Merged", "Replaced", "Deleted", "Unchanged", "Absent"})
"""Effects of actions that were not rejected"""
_ITEMS_PER_PIECE = 500


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """One action on an item as received: by which call and request, when, and with what effect.

    ``identifier`` tells which record it was: by the setting ``identifier_field``, else by the header ``clientId``.
    """

    seq: int
    at: float
    request: int
    endpoint: str
    action: str
    identifier: str | None
    effect: str
    changed: bool


class AuditedItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Item and all that was done to it. ``item_type``, ``key``: as the ledger has them.

    ``applied``: how often each action was applied, also where it changed nothing; a reject does not count. ``changed``:
    how often it changed the data. ``writes``: all of them, in the order in which they were applied, with the rejects.
    ``item``: the item as it is, with its headers; null if there is none.
    """

    item_type: str
    key: str
    applied: dict[str, int]
    changed: dict[str, int]
    writes: list[Write]
    item: object


def items_route(ledger: Ledger, communities: Callable[[], Mapping[str, Community]]) -> Route:
    """Return the route; the query names any of ``community`` (by default the first), ``itemType`` and ``key``.

    The ledger does not tell communities apart: a key that two of them write has the writes of both.
    """

    def list_items(request: Request) -> Response:
        asked = {name: values[0] for name, values in request.query.items()}
        known = communities()
        name = asked.pop("community", next(iter(known)))
        if name not in known or not asked.keys() <= {"itemType", "key"}:
            expected = f"a query of community (one of {', '.join(known)}), itemType, key"
            return as_json({"error": f"expected {expected}; came {request.query_string.decode('latin-1')}"}, status=400)
        wanted = LedgerFilter(object=f"item/{asked['itemType']}" if "itemType" in asked else None, key=asked.get("key"))
        found = _audited(ledger.entries(wanted), known[name])
        return Response(status=200, body=_lines(found), content_type="application/x-ndjson")

    return Route("GET", "/_sandbox/items", list_items)


def _audited(entries: Iterator[LedgerEntry], community: Community) -> Iterator[AuditedItem]:
    """Yield each item that was written, in the order of its first write."""
    items: dict[tuple[str, str], list[LedgerEntry]] = {}
    for entry in entries:
        items.setdefault((entry.object.partition("/")[2], entry.key), []).append(entry)
    for (item_type, key), writes in items.items():
        yield AuditedItem(
            item_type=item_type,
            key=key,
            applied=Counter(one.operation for one in writes if one.effect in _APPLIED),
            changed=Counter(one.operation for one in writes if one.changed),
            writes=[_write(one) for one in writes],
            item=_current(community, item_type, key),
        )


def _current(community: Community, item_type: str, key: str) -> object:
    table = community.database.tables.get(item_type)
    row = None if table is None else table.find(key)
    return None if table is None or row is None else table.as_item(row)


def _write(entry: LedgerEntry) -> Write:
    return Write(
        seq=entry.seq,
        at=entry.at,
        request=entry.request,
        endpoint=entry.endpoint,
        action=entry.operation,
        identifier=entry.identifier,
        effect=entry.effect,
        changed=entry.changed,
    )


def _lines(found: Iterator[AuditedItem]) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode_lines
    while piece := list(islice(found, _ITEMS_PER_PIECE)):
        yield encode(piece)
