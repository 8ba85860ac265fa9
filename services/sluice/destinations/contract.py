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
from typing import Annotated, Any, Literal, NamedTuple, NewType, Protocol

import msgspec
from msgspec import Meta

from sluice.events import RecordEvent
from sluice.flow.batch import Batch, Encoded, InDoubt
from sluice.flow.outcome import Outcome
from sluice.flow.windows import Limits


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


HttpStatus = NewType("HttpStatus", str)
"""An HTTP status as a label of a metric, such as ``500``; made by :func:`http_status`."""


def http_status(response_status: int) -> HttpStatus:
    """Return ``response_status`` as the label of a metric."""
    return HttpStatus(str(response_status))


HoldReason = Literal["auth", "connect", "frozen", "no-answer", "429", "503"] | HttpStatus
"""Why the vendor is unavailable: it does not accept our credentials; no connection; this process stood still; the
answer is lost; the vendor is busy (429, 503) or fails with another status."""


class Unavailable(BatchError):
    """Nothing was applied, and the cause passes: refused connection, 429, 503, a token that is not accepted.

    ``retry_after_s`` is what the vendor asked for, if it did.
    """

    def __init__(
        self, reason: HoldReason, message: str, retry_after_s: float | None = None, *, overloaded: bool = False
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


PreSendCheck = Callable[[], None]
"""Raises ``Unavailable`` when a request must not leave any more.

A process can be frozen between its last look at Kafka and its request, and wake when its lanes have new owners. So a
kind calls this in the last moment before the head of a request leaves, and again before its body does;
:func:`sluice.destinations.http.send` does both for a request that carries it.
"""


NoAnswer = Literal[
    "cancelled",
    "CloseError",
    "ConnectError",
    "ConnectTimeout",
    "DecodingError",
    "LocalProtocolError",
    "PoolTimeout",
    "ProxyError",
    "ReadError",
    "ReadTimeout",
    "RemoteProtocolError",
    "TooManyRedirects",
    "UnsupportedProtocol",
    "WriteError",
    "WriteTimeout",
]
"""Why an HTTP attempt has no answer: the name of httpx's error, or ``cancelled``."""

RequestStatus = NoAnswer | HttpStatus
"""How an HTTP attempt ended."""


class OnRequest(Protocol):
    """A listener that is told how each HTTP attempt ended, and its seconds."""

    def __call__(self, status: RequestStatus, seconds: float) -> None: ...


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

    async def write(self, batch: Batch, pre_send_check: PreSendCheck) -> Sequence[Outcome]:
        """Write ``batch``; return one outcome per item, in item order, and only when every fate is known.

        Raises :class:`BatchError`.
        """
        ...

    async def recover(self, batch: Batch, in_doubt: InDoubt) -> Sequence[Outcome | None]:
        """What became of ``batch``, which was sent and whose answer is lost; ``in_doubt`` tells when, and as what.

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


class Connect(Protocol):
    """Makes a destination from the settings of its kind. ``on_request`` is told about each HTTP attempt."""

    def __call__(self, settings: Any, *, on_request: OnRequest | None = None) -> Destination: ...


class Kind(NamedTuple):
    """What the table of kinds holds of one kind."""

    settings: type[DestinationSettings]
    connect: Connect
