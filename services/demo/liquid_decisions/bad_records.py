"""Records of a careless upstream system: two that Liquid Decisions rejects, others that never get so far."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from demo.upstream import BadRecord


def bad_records() -> list[BadRecord]:
    """Return one record of each kind of fault."""
    mug = {"name": "MUG", "price": 2.55}
    return [
        # Liquid Decisions rejects the item, and names it.
        _record("a field whose name is none", key="bad-1", data={**mug, "h_price": 2.55}),
        _record("a product that is there already", key="71053", operation="insert", data=mug),
        # The kind sees it by itself.
        _record("a product without its id", data=mug),
        _record("a product with two ids", key="bad-2", data={**mug, "productId": "bad-3"}),
        _record("an item type that nobody has set up", object="Catalogue", key="bad-4", data=mug),
        BadRecord("JSON that breaks off", b"bad-5", _event(key="bad-5", data=mug)[:-20]),
        BadRecord("a null value", b"bad-6", None),
    ]


def _record(note: str, **fields: Any) -> BadRecord:
    return BadRecord(note, str(fields.get("key", note)).encode(), _event(**fields))


def _event(**fields: Any) -> bytes:
    event = {"event_id": "legacy-1", "object": "Product", "operation": "upsert", "occurred_at": datetime.now(UTC)}
    return msgspec.json.encode(event | fields)
