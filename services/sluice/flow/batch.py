"""Items, and the batches in which they travel to the vendor."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from sluice.events import Place, RecordEvent

FlushReason = Literal["count", "bytes", "age", "duplicate", "drain", "bisect"]
"""Why a window closed. ``duplicate``: its next item has an identity that the window holds already."""


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """One record as the vendor gets it."""

    batch_key: str
    """What may share a batch: items with one batch key do."""
    identity: object
    """Hashable; a batch names each identity at most once."""
    body: bytes
    """The item inside the request body; a comma between items is counted by the window."""
    replay_safe: bool
    """Whether applying it twice leaves the vendor as applying it once does."""


class InDoubt(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal says of a batch that was being sent when its lane changed hands: it may have been applied."""

    batch_id: str
    refs: dict[str, str]
    """The vendor's names for it, such as a job id."""
    requested_at: datetime


class Item(msgspec.Struct, gc=False):
    """A record event on its way through one process.

    It keeps the message as it came, because a dead letter holds the original bytes.
    """

    event: RecordEvent
    encoded: Encoded
    identifier: str
    """As ``encoded`` carries it, where the vendor's wire has a place for one."""
    source: Place
    lane: int
    topic: int
    """Which of the destination's input topics it was read from; 0 is records."""
    offset: int
    order_key: bytes
    published_at_s: float
    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    attempt: int = 1
    traceparent: bytes | None = None
    """The record's trace context where it is sampled; what is not sampled costs nothing here."""
    in_doubt: InDoubt | None = None
    """The batch that it was in before its lane came here, when its fate there is not known."""
    row: int = -1
    """Its position in its batch, from 0; set when the window closes."""


class Batch(msgspec.Struct, gc=False):
    """A closed window on its way to the vendor. It names each key at most once."""

    batch_id: str
    batch_key: str
    items: list[Item]
    body_bytes: int
    """The encoded items together, with the separators between them."""
    reason: FlushReason
    since_s: float
    closed_at_s: float
    in_doubt: InDoubt | None = None
    """Set when all its items were in one earlier batch whose fate is not known."""
