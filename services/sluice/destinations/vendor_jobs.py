"""The contract of a vendor that runs a batch later: it names a job at once, and tells the outcomes when that is over.

1. ``prepare`` turns a batch into the body that the vendor gets.
2. ``submit`` hands it over and returns the vendor's names for it. From then on it is asked about, and never sent again.
3. ``poll`` tells which vendor jobs are over, and ``collect`` what became of their items.
4. ``find`` looks for a submit whose answer is lost.

An account that also writes, and so settles small batches at once, is a :class:`MixedDestination`.

All verbs but ``submit`` are safe to repeat. What they raise means *ask again*, never *send again*: ``Unavailable`` for
an outage, ``Misconfigured`` where a person must change something.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import msgspec

from sluice.destinations.contract import Account, Destination, PreSendCheck, Rejection
from sluice.flow.batch import Batch, Item
from sluice.flow.outcome import Outcome

Refs = Mapping[str, str]
"""The vendor's names for what it was given, such as ``{"job": "750…", "batch": "751…"}``; kept in the journal."""

Named = Callable[[Refs], Awaitable[None]]
"""Writes the vendor's name for a batch into the journal, and returns once that is committed."""


Sent = Callable[[], AsyncGenerator[Item, None]]
"""Reads again what was submitted: each call yields the items of a job, each with its row, as far as they have no fate
and their lanes are in this process. It costs nothing until it is called, and may be called again once it has ended."""


class Upload(NamedTuple):
    """A batch as the vendor gets it."""

    body: bytes
    fingerprint: str
    """A digest by which ``find`` knows it again at the vendor: an item more, or a byte, makes another."""


class LostSubmit(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that was to be submitted; its refs never came back."""

    batch_key: str
    fingerprint: str
    refs: dict[str, str]
    """The names that ``submit`` had given to ``named``; empty for none."""
    requested_at: datetime
    """The time at the process that sent it: for people, never for a proof."""
    lost_at_s: float
    """When this process learnt of the loss, by its event loop's clock; as a new owner: when it opened the lane."""
    vendor_at: datetime | None = None
    """The vendor's own clock at some moment before the request left; ``None`` when it was not known."""


class Running(NamedTuple):
    """A vendor job that waits or runs."""

    word: str
    """The vendor's own word for its state."""
    processed: int = 0
    """Items that the vendor has gone through so far, failed ones too."""


class Over(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor job that runs no more, whatever became of its items."""

    word: str
    """The vendor's own word for its state."""
    processed: int
    """Items that the vendor has gone through, failed ones too."""
    failed: int
    aborted: bool = False
    """True when somebody has ended it early."""
    message: str = ""
    """The vendor's words about it as a whole; never branch on them."""


class Gone(NamedTuple):
    """A vendor job that the vendor does not know any more, by its own answer."""

    message: str


JobState = Running | Over | Gone


class VendorJob(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor job in the vendor's own list, ours or somebody else's."""

    refs: dict[str, str]
    word: str
    """The vendor's own word for its state."""
    over: bool
    """True when it runs no more."""
    batch_key: str
    created_at: datetime | None
    created_by: str
    items: int | None = None
    """Items that the vendor has gone through; ``None`` where its list does not say."""


class Quota(NamedTuple):
    """A budget that everybody at this vendor account shares, by the vendor's own count."""

    remaining: int
    allowed: int


class RefusedItems(Exception):
    """Items of a batch that the vendor would refuse, by its own description of its objects; nothing was sent."""

    def __init__(self, rejections: Mapping[int, Rejection]) -> None:
        """``rejections`` are by row in the batch."""
        super().__init__(f"{len(rejections)} items would be refused")
        self.rejections = rejections


class ResultsIncomplete(Exception):
    """Results that do not cover the items of a vendor job. They may lag its state, so they are worth a new question."""


class ResultsGone(Exception):
    """Results that the vendor has deleted."""


@runtime_checkable
class JobDestination(Account, Protocol):
    """An account whose vendor runs a batch later."""

    @property
    def joins_by(self) -> Literal["row", "identity"]:
        """The name that a result has for its item: its row in the batch, or its identity as ``encode`` gave it."""
        ...

    @property
    def ref_names(self) -> Collection[str]:
        """The keys of the refs that ``submit`` returns, such as job and batch: all that a batch is called by."""
        ...

    @property
    def warns_of(self) -> bytes | None:
        """Bytes without which a record's value has no ``Encoded.warning``; ``None``: no record has one.

        To settle a row, its record is encoded again only where it may have one.
        """
        ...

    @property
    def quotas(self) -> Mapping[str, Quota]:
        """The vendor's budgets by name, as it told them last; empty as long as it has not."""
        ...

    async def prepare(self, batch: Batch) -> Upload:
        """Return ``batch`` as the vendor gets it; it may ask the vendor what its objects look like.

        Raises :class:`RefusedItems`, and :class:`~sluice.destinations.contract.BatchError`.
        """
        ...

    async def submit(self, batch: Batch, upload: Upload, named: Named, pre_send_check: PreSendCheck) -> Refs:
        """Hand ``upload`` over, and return the vendor's names for it. Never polls.

        ``await named(refs)`` as soon as the vendor has a name for it, and before the step from which on it may run.
        Raises ``Unavailable``, ``Refused`` and ``Misconfigured`` only where it cannot run, now or later; ``Ambiguous``
        otherwise. It may be cancelled at any ``await``.
        """
        ...

    async def find(self, lost: LostSubmit, others: Collection[Refs], sent: Sent) -> Refs | None:
        """Return the vendor's names for what was submitted and lost; ``None``: it did not arrive, and never will.

        Nothing that stands in ``others`` is it. ``sent`` is for a vendor that has no names for what it was given: then
        what it holds is compared with that. It may take its time, and must end what could still arrive.
        Raises ``Unavailable`` to be asked again. Raises ``Ambiguous`` only where nobody can tell, and it is certain
        that it cannot run any more: items that are safe to repeat are tried again then, others are ``ambiguous``.
        """
        ...

    def poll(self, jobs: Sequence[Refs]) -> AsyncIterator[tuple[Refs, JobState]]:
        """Yield the state of each of ``jobs``, with as few calls as the vendor allows; one left out is asked again."""
        ...

    def collect(self, refs: Refs, over: Over, items: int, sent: Sent) -> AsyncIterator[tuple[object, Outcome | None]]:
        """Yield the fate of each item of a vendor job that is ``over``, as its results stream in.

        Where results say nothing of single items, ``sent`` tells what to compare the vendor's records with; then only
        the items that it yields are expected.

        The name of an item is as ``joins_by`` says; ``None``: the vendor has not touched it and will not. ``items`` is
        the number that was submitted. An item that is not yielded is in no result.
        Raises ``Unavailable``, :class:`ResultsIncomplete`, :class:`ResultsGone`.
        """
        ...

    async def abort(self, refs: Refs) -> None:
        """End a vendor job early; what it has applied stays. Does nothing to one that is over."""
        ...

    async def close(self, refs: Refs) -> None:
        """Release what the vendor holds open for a job whose results are settled, if anything; keep its results.

        They are settled in this process: another one may still collect those of its own lanes.
        """
        ...

    def jobs(self) -> AsyncIterator[VendorJob]:
        """Yield the vendor jobs that the vendor's list names, ours and others'."""
        ...


class WriteLimits(NamedTuple):
    """Limits of one write of an account whose ``limits`` are those of a window, which may become a job."""

    max_items: int
    max_bytes: int
    """Encoded bytes of one request body; an item that alone has more is written alone."""


@runtime_checkable
class MixedDestination(Destination, JobDestination, Protocol):
    """An account whose vendor takes a batch at once or as a job, whichever suits it."""

    @property
    def write_limits(self) -> WriteLimits:
        """The limits of one write; settings may narrow them. They never change."""
        ...

    def jobs_of(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return those of ``items``, which share a batch key, that become one job; all others are written.

        Must choose the same ones again when it is given these alone, and choose them of more items too. Retries are not
        among ``items``: they are always written.
        """
        ...
