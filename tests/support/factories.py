"""Makes the values that tests of several parts need; what a test does not name is of no importance to it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from sluice.destinations.contract import Destination
from sluice.events import Key, Operation, Place, RecordEvent
from sluice.flow.batch import Batch, Encoded, Item

OCCURRED_AT = datetime(2025, 1, 22, 11, 21, 33, tzinfo=UTC)


def record(
    object_: str = "group/company",
    operation: Operation = "upsert",
    key: Key = "c-1",
    data: object = None,
    *,
    event_id: str = "e-1",
) -> RecordEvent:
    """A record event; ``data`` is anything that JSON can say."""
    raw = msgspec.Raw(msgspec.json.encode({} if data is None else data))
    return RecordEvent(
        event_id=event_id, object=object_, operation=operation, key=key, data=raw, occurred_at=OCCURRED_AT
    )


def item(event: RecordEvent, encoded: Encoded, *, lane: int = 0, offset: int = 0, identifier: str = "") -> Item:
    """``event`` as read from the records topic of ``lane``."""
    return Item(
        event=event,
        encoded=encoded,
        identifier=identifier or f"{lane}-{offset}",
        source=Place(topic="crm.records", partition=lane, offset=offset),
        lane=lane,
        topic=0,
        offset=offset,
        order_key=b"",
        published_at_s=0.0,
        key=None,
        value=b"",
        headers=[],
    )


def batch(destination: Destination, events: Sequence[RecordEvent]) -> Batch:
    """``events`` on their way to ``destination``, with the identifiers ``0-0``, ``0-1``, …"""
    items = [item(event, destination.encode(event, f"0-{row}"), offset=row) for row, event in enumerate(events)]
    return Batch(
        batch_id="b-1",
        batch_key=items[0].encoded.batch_key,
        items=items,
        body_bytes=sum(len(one.encoded.body) + 1 for one in items),
        reason="count",
        since_s=0.0,
        closed_at_s=0.0,
    )


def send_now() -> None:
    """Let every request leave: the lanes of a test are its own."""
