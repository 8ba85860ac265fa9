"""The contract that a destination kind fulfils.

A kind is one module in ``destinations/``: what the vendor limits, how an item is encoded, how a response is read.
Windows, retries, limits, journal, receipts, tracing and metrics are around it, written once.

Fates of one item are returned, as an :class:`Outcome`. A kind raises only when all items of a batch share one fate
that is not theirs::

    BatchError
    ├── Unavailable     the vendor is out of reach or busy: hold, then send the same batch again
    ├── Refused         the vendor took none of it because of something in it: bisect
    ├── Ambiguous       sent, and the answer is lost: any item may have been applied
    └── Misconfigured   no batch can succeed until a person changes something: stop, commit nothing

Classify by status and code, never by message text. A missing item result is ``ambiguous``, never success. A state
that is not known is ``rejected``, reported verbatim.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Protocol

import msgspec
from msgspec import Meta

from sluice.events import RecordEvent

if TYPE_CHECKING:
    from sluice.windows import Batch, Opened


class Fate(StrEnum):
    """What became of one item."""

    DELIVERED = "delivered"
    SKIPPED = "skipped"  # the vendor had nothing to do
    RETRYABLE = "retryable"
    REJECTED = "rejected"
    AMBIGUOUS = "ambiguous"

    __hash__ = str.__hash__  # Enum's own is Python code, and fates are counted by the million


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The fate of one item, with the vendor's own word for it."""

    fate: Fate
    code: str
    """The vendor's state or error code, verbatim; ours in lower-case-with-dashes where the vendor says nothing."""
    message: str = ""
    record_id: str | None = None
    http_status: int | None = None
    warning: str | None = None
    """What the vendor objected to although it took the item."""


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """One record as the vendor gets it."""

    group: str
    """What may share a batch: items of one group do."""
    identity: object
    """Hashable; a batch names each identity at most once."""
    body: bytes
    """The item inside the request body; a comma between items is counted by the window."""
    replay_safe: bool
    """Whether applying it twice leaves the vendor as applying it once does."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor allows; settings may narrow it, never widen it."""

    max_items: int
    max_bytes: int
    """Encoded bytes of one request body."""
    max_concurrent: int
    """Requests in flight at once."""
    max_age_s: float
    """The default age at which a window closes; ours to choose."""


class DestinationSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every kind is configured with. A kind adds its own fields and its tag."""

    url: Annotated[str, Meta(pattern=r"^https?://[^/]+", description="Base address of the vendor's API")]
    timeout_s: Annotated[float, Meta(gt=0, description="Longest wait for one answer")] = 60.0


class Rejection(Exception):
    """An item that cannot be sent: raised by ``encode``, becomes a dead letter of class ``rejected``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class BatchError(Exception):
    """A fate that all items of a batch share and that is not theirs."""


class Unavailable(BatchError):
    """Nothing was applied, and the cause passes: refused connection, 429, 503, a token that is not accepted.

    ``reason`` is a short fixed word for metrics; ``retry_after_s`` is what the vendor asked for, if it did.
    """

    def __init__(
        self, reason: str, message: str, retry_after_s: float | None = None, *, overloaded: bool = False
    ) -> None:
        """``overloaded``: the vendor said that it was too much (429, 503), so fewer requests should be in flight."""
        super().__init__(message)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.overloaded = overloaded


class Refused(BatchError):
    """The request was refused as a whole, nothing was applied, and one of the items is the cause."""

    def __init__(self, code: str, message: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.http_status = http_status


class Ambiguous(BatchError):
    """The request was sent and its answer is lost or cannot be read."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class Misconfigured(BatchError):
    """No batch can succeed until a person changes something."""


Departure = Callable[[], None]
departure: ContextVar[Departure | None] = ContextVar("departure", default=None)
"""Called in the last moment before the head of a request leaves, and before its body does. Raises ``Unavailable``.

A process can be frozen between its last look at Kafka and its request, and wake when its lanes have new owners. What
has not left by then must not leave. ``http.send`` calls it; a kind that reaches its vendor otherwise has to.
"""


class Destination(Protocol):
    """One vendor account, reached with one client."""

    @property
    def limits(self) -> Limits:
        """The vendor's limits, narrowed by the settings."""
        ...

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """``event`` as the vendor gets it; ``identifier`` is unique among all items of a lane's life.

        Raises :class:`Rejection` when the vendor could not take it whatever its state.
        """
        ...

    async def write(self, batch: "Batch") -> Sequence[Outcome]:
        """Write ``batch``; one outcome per item, in item order, returned only when every fate is known.

        Raises :class:`BatchError`.
        """
        ...

    async def recover(self, batch: "Batch", opened: "Opened") -> Sequence[Outcome | None]:
        """What became of ``batch``, which was sent and whose answer is lost; ``opened`` tells when, and as what.

        One entry per item, in item order: an outcome where the fate is known, ``ambiguous`` where nobody can tell,
        ``None`` where it is proven that nothing was applied, so that the item may be sent again.
        Raises :class:`BatchError`.
        """
        ...

    async def check(self) -> str:
        """Ask the vendor to let us in, and say in one line what answered. Raises :class:`BatchError`."""
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...
