"""Items, and the batches in which they travel to the vendor.

A record event becomes an item once it is encoded. Items with one batch key collect in a window, and a closed window is
a batch. An item keeps its place in Kafka throughout, because its outcome is written to the lane it came from.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from sluice.events import NO_REFS, Place, RecordEvent

FlushReason = Literal["count", "bytes", "age", "duplicate", "pressure", "drain", "bisect", "split"]
"""Reason for closing a window. ``duplicate``: its next item has an identity that the window holds already.

``pressure``: memory is full, and this was the largest window. ``bisect``: the batch is a part of one that was sent.
``split``: it is a part of one that was too large for a write, or of which a part is to be submitted as a job."""


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """One record as the vendor gets it."""

    batch_key: str
    """Items with the same batch key may share a batch."""
    identity: object
    """The record at the vendor; hashable. A batch names each identity at most once."""
    body: bytes
    """The item inside the request body, without the separator between items: windows count that."""
    replay_safe: bool
    """True when applying it twice leaves the vendor as applying it once does."""
    columns: tuple[str, ...] = ()
    """The columns that ``body`` has, where a batch is a table; its header is the union of its items' columns.

    ``body`` is then the item's row in the order of its own columns, without an end of line: ``table_header.py``."""
    sort_key: str | None = None
    """The place of the item in its batch, which is sorted by it; ``None``, for all items of a batch key: unsorted."""
    warning: str | None = None
    """An objection to the record that its receipt repeats, if the vendor takes it."""


class InDoubt(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that was sent and whose answer is lost: it may have been applied."""

    batch_id: str
    refs: Mapping[str, str]
    """The greatest ids that the vendor had shown before the request left, by kind of object; empty where it is not
    asked by them."""
    requested_at: datetime
    """The time at the process that sent it, which may have run on another machine: for people, never for a proof."""
    lost_at_s: float
    """When this process learnt of the loss, by its event loop's clock; as a new owner: when it opened the lane."""
    vendor_at: datetime | None = None
    """The vendor's own clock at some moment before the request left; ``None`` when it was not known."""


class Item(msgspec.Struct, gc=False):
    """A record event on its way through one process.

    It keeps the message's own bytes, because a dead letter holds them untouched.
    """

    event: RecordEvent
    encoded: Encoded
    identifier: str
    """The token in ``encoded.body`` by which the vendor's result is matched, where its API has a field for one."""
    source: Place
    lane: int
    topic: int
    """Number of the input topic it was read from; 0 is the records topic, 1 the first retry topic."""
    offset: int
    order_key: bytes
    published_at_s: float
    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    attempt: int = 1
    traceparent: bytes | None = None
    """The record's trace context if it is sampled."""
    held_bytes: int = 0
    """The memory that it takes, about, with all that it refers to."""
    in_doubt: InDoubt | None = None
    """The earlier batch that the previous owner of its lane sent it in, if its fate there is not known."""
    may_run_until_s: float = 0.0
    """Until then, by the monotonic clock, the vendor may be at work on a request with it whose answer is lost."""
    row: int = -1
    """Its position in its batch, from 0; set when the window closes."""
    refs: Mapping[str, str] = NO_REFS
    """What is known of it at the vendor, such as the id of what an earlier try has made."""


class Part(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Items of a batch that are to be sent again as a batch of their own, when others have had their turn."""

    items: list[Item]
    suspected: int = 0
    """How many of them seem to be bad."""
    answered_at_loss: int | None = None
    """As of the batch."""
    reason: FlushReason = "bisect"


class Batch(msgspec.Struct, gc=False):
    """A closed window, or a part of one, on its way to the vendor. It names each identity at most once."""

    batch_id: str
    batch_key: str
    items: list[Item]
    body_bytes: int
    """The encoded items together, with the separators between them."""
    reason: FlushReason
    since_s: float
    """The time at which its first item came."""
    closed_at_s: float
    suspected: int = 0
    """How many of its items seem to be bad, by a sample of the batch that they were in before."""
    answered_at_loss: int | None = None
    """Requests that the vendor had answered when it last left one of these items' unanswered; ``None``: it has not."""
    in_doubt: InDoubt | None = None
    """The earlier batch that held all its items, if their fate there is not known."""
