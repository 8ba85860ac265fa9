"""The contract that a destination kind fulfils.

A kind is one module or folder in ``destinations/``: the vendor's limits, the encoding of an item, the reading of an
answer. Windows, retries, rate limits, journal, receipts, tracing and metrics are around it, written once.

1. ``encode`` turns a record event into the bytes that the vendor gets. It runs for every record: no I/O.
2. ``write`` sends one batch and returns the outcome of each item. It sends nothing twice, except after a 401: from what
   it raises, the caller decides on repeats.
3. ``recover`` finds out about items that were sent and whose answer is lost.

A vendor that runs a batch later has other verbs in the place of 2 and 3: ``vendor_jobs.py`` beside this file.

Return the fate of one item, as an :class:`Outcome`. Raise only when all items of a batch share one fate that is
not theirs::

    BatchError
    ├── Unavailable     nothing was applied, and the cause passes: hold, then send the same batch again
    ├── Refused         nothing was applied, because of something in the batch: bisect
    ├── Ambiguous       sent, and the answer is lost: any item may have been applied
    └── Misconfigured   nothing was applied, and no batch can succeed until a person changes something: hold, and say so

Raise ``Ambiguous`` when in doubt between it and another: the others promise that nothing was applied. A refusal that
may be a proxy's promises nothing: raise it through :func:`unproven`. Classify by status and code, never by message
text. An item without a result is ``ambiguous``, never delivered. An unknown state is ``rejected``, with the vendor's
word as its code.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, NewType, Protocol, runtime_checkable

from sluice.destinations.settings import DestinationSettings
from sluice.events import RecordEvent
from sluice.flow.batch import Batch, Encoded, InDoubt, Item
from sluice.flow.outcome import Outcome
from sluice.flow.windows import Limits


class Rejection(Exception):
    """A record event that cannot be sent; it becomes a dead letter of class ``rejected``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class BatchError(Exception):
    """A fate that all items of a batch share and that is not theirs."""

    may_be_at_work = False
    """True when the vendor may have applied the request, or may still be at work on it."""


HttpStatus = NewType("HttpStatus", str)
"""An HTTP status as a label of a metric, such as ``500``; made by :func:`http_status`."""


def http_status(response_status: int) -> HttpStatus:
    """Return ``response_status`` as the label of a metric."""
    return HttpStatus(str(response_status))


HoldReason = Literal["auth", "connect", "frozen", "misconfigured", "no-answer", "quota", "429", "503"] | HttpStatus
"""The reason of an outage: the vendor does not accept our credentials; no connection; this process was frozen; the
address or method is wrong, or a proxy says so for a vendor that is away; the answer is lost; a budget of the account is
used up; the vendor is busy (429, 503) or fails with another status."""


class Unavailable(BatchError):
    """Outage: nothing was applied, and the cause passes. Refused connection, 429, 503, a token that is not accepted.

    ``retry_after_s`` is the wait that the vendor asked for, if it did.
    """

    def __init__(
        self, reason: HoldReason, message: str, retry_after_s: float | None = None, *, overloaded: bool = False
    ) -> None:
        """Set ``overloaded`` when fewer requests should be in flight: the vendor is too busy (429, 503) or too slow."""
        super().__init__(message)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.overloaded = overloaded


class Refused(BatchError):
    """The request was refused as a whole and nothing was applied; at least one of its items is the cause."""

    def __init__(self, code: str, message: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.http_status = http_status


class Ambiguous(BatchError):
    """The request may have arrived, and its answer is lost, cannot be read, or may be somebody else's.

    ``reason``, ``retry_after_s`` and ``overloaded`` say how to hold, as those of ``Unavailable`` do. ``refusal`` is the
    meaning of the answer if it is the vendor's own: items that then prove not to be applied must not be sent again as
    they were.
    """

    may_be_at_work = True

    def __init__(
        self,
        message: str,
        *,
        reason: HoldReason = "no-answer",
        retry_after_s: float | None = None,
        overloaded: bool = False,
        refusal: "Refused | Misconfigured | None" = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.overloaded = overloaded
        self.refusal = refusal


class Misconfigured(BatchError):
    """No batch can succeed until a person changes something."""

    def __init__(self, message: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status


def unproven(error: BatchError, *, may_be_repeated: bool) -> BatchError:
    """Return what ``error``, made of an answer that may not be the vendor's own, is worth.

    Items that may be repeated are sent again, as after ``error`` itself. Of others it must be found out first.
    """
    if isinstance(error, Ambiguous):
        return error
    if may_be_repeated:
        error.may_be_at_work = True
        return error
    message = f"{error} (perhaps not by the vendor itself, so it may have been applied)"
    match error:
        case Unavailable():
            return Ambiguous(
                message, reason=error.reason, retry_after_s=error.retry_after_s, overloaded=error.overloaded
            )
        case Refused() | Misconfigured():
            reason: HoldReason = "no-answer" if error.http_status is None else http_status(error.http_status)
            return Ambiguous(message, reason=reason, refusal=error)
        case _:
            return Ambiguous(message)


PreSendCheck = Callable[[], None]
"""Raises ``Unavailable`` when a request must not leave any more.

A process can be frozen between its last word from Kafka and its request, and wake when its lanes have new owners. So a
kind calls this in the last moment before a request leaves; head and body leave in one write.
:func:`sluice.destinations.http.send` does so for a request with the extension ``PRE_SEND_CHECK``.
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
"""The reason why an HTTP attempt has no answer: the name of httpx's error, or ``cancelled``."""

RequestStatus = NoAnswer | HttpStatus
"""The end of an HTTP attempt."""


class OnRequest(Protocol):
    """Callback after each HTTP attempt, with its end and its seconds."""

    def __call__(self, status: RequestStatus, seconds: float) -> None: ...


Recovered = tuple[Item, Outcome | None]
"""An item that was in doubt and its fate; ``None``: it is proven that nothing was applied and nothing will be."""


class Account(Protocol):
    """One vendor account, reached with one client. All calls come from one event loop, writes several at a time."""

    @property
    def settle_s(self) -> float:
        """The longest time for which the vendor may still be at work on a request after its answer is lost."""
        ...

    @property
    def vendor_at(self) -> datetime | None:
        """The vendor's own clock in its newest answer; ``None`` as long as it is not known.

        A proof compares it with the vendor's own instants, and with nothing else.
        """
        ...

    @property
    def limits(self) -> Limits:
        """The vendor's limits. They never change, and the caller keeps to them, narrowed by the settings."""
        ...

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """Return ``event`` as the vendor gets it.

        ``identifier`` belongs to this record alone and stays the same through restarts, retries and redrives, each of
        which encodes it anew. Must depend on nothing but its arguments and the settings.
        Raises :class:`Rejection` when the vendor could not take it whatever state it is in.
        """
        ...

    async def check(self) -> str:
        """Return a line on who answered, once the vendor accepts our credentials. Raises :class:`BatchError`."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@runtime_checkable
class FoldsKeys(Protocol):
    """An account whose vendor may take ordering keys for one that differ, such as in case."""

    def fold_key(self, key: bytes) -> bytes:
        """Return what all ordering keys have in common that may be one at the vendor; any bytes may come.

        Within a lane they are then applied in one order.
        """
        ...


FoldKey = Callable[[bytes], bytes]
"""As :meth:`FoldsKeys.fold_key`."""


def fold_key_of(account: Account) -> FoldKey | None:
    """Return what folds the ordering keys of ``account``; ``None`` where they are taken as they are."""
    return account.fold_key if isinstance(account, FoldsKeys) else None


@runtime_checkable
class Destination(Account, Protocol):
    """An account whose vendor answers a write with the outcome of each item."""

    async def write(self, batch: Batch, pre_send_check: PreSendCheck) -> Sequence[Outcome]:
        """Write ``batch`` and return one outcome per item, in item order.

        Nobody else limits its time: it gives up by itself, after ``timeout_s``. It may be cancelled at any ``await``.
        ``batch_id`` does not identify a request: halves of a refused batch share it, and a retried item has another.
        Raises :class:`BatchError`.
        """
        ...

    def recover(self, batch: Batch, in_doubt: InDoubt) -> AsyncIterator[Recovered]:
        """Find out about ``batch``, which was sent and whose answer is lost; ``in_doubt`` tells when, and as what.

        Yield each item once, as soon as its fate is known and in any order: with an outcome, ``ambiguous`` where nobody
        can tell; with ``None`` where it is proven that nothing was applied and nothing will be, so that it may be sent
        again.

        It may take its time, such as for a lost request to end at the vendor, and may run beside ``write``. It may be
        called again, in another process too. Its items may be a part of those that were sent. No proof may compare the
        vendor's clock with another one, ``requested_at`` least of all: it may be of another machine.
        Raises ``Unavailable`` or ``Ambiguous`` at its end when some questions have failed: what was yielded stands, and
        it is called again with the other items. On ``Refused`` those are ambiguous.
        """
        ...


class Connect(Protocol):
    """Maker of a destination from the settings of its kind. Raises ``Misconfigured``."""

    def __call__(self, settings: Any, *, on_request: OnRequest | None = None) -> Account: ...


class Kind(NamedTuple):
    """One kind: its settings, and the maker of its destinations."""

    settings: type[DestinationSettings]
    connect: Connect
