"""A cast: one vendor with what chaos needs of it: its stand-in, its records, its harms, and how to read its ledger."""

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import ConsumerRecord

from sandbox.blueconic.settings import Settings as Tenant
from sandbox.blueconic.vendor import BlueConic
from sandbox.ledger.ledger import LedgerEntry
from sandbox.vendor import Vendor
from tests.chaos.audit import Made, Place
from tests.chaos.harm import HARMS, Harm, Writes
from tests.chaos.workload import messages
from tests.support.stage import BLUECONIC as BLUECONIC_KIND
from tests.support.stage import Message, Stage, StagedKind

SourceOf = Callable[[LedgerEntry], Place | None]
"""Returns the place of the record that a ledger's entry is about; ``None`` for an entry that tells nothing of one.

It is asked about all entries, in their order.
"""


async def _nothing_made(_: str) -> Sequence[Made]:
    return ()


class Cast(NamedTuple):
    """One vendor."""

    make_vendor: Callable[[random.Random], Vendor]
    kind: StagedKind
    writes: Writes
    harms: Mapping[str, Harm]
    messages: Callable[[random.Random, int], Iterable[Message]]
    settings: Callable[[random.Random, Stage], Mapping[str, Any]]
    """Returns blocks of the destination's settings beside those that a round draws for every vendor."""
    heal: Callable[[str], Awaitable[None]]
    """Undoes at the vendor's address what faults have left there."""
    source_of: Callable[[Sequence[ConsumerRecord]], SourceOf]
    """Takes all messages of the records topic."""
    codes_are_effects: bool = False
    """True when a receipt's code is the ledger's word for the effect."""
    made: Callable[[str], Awaitable[Sequence[Made]]] = _nothing_made
    """Returns what was made, at the vendor's address."""
    made_ref: str = ""
    """The ref by which a dead letter names what was made."""
    idle_effects: frozenset[str] = frozenset()
    """The ledger's words for what had nothing to change and was done all the same, such as a delete of nothing."""


async def nothing_left(_: str) -> None:
    """Do nothing: no fault has left anything."""


def no_settings(_: random.Random, _stage: Stage) -> Mapping[str, Any]:
    """Return nothing: what a round draws is enough."""
    return {}


def _place_in(entry: LedgerEntry) -> Place:
    partition, offset = (entry.identifier or "-1--1").split("-", 1)
    return int(partition), int(offset)


BLUECONIC = Cast(
    make_vendor=lambda rng: BlueConic(Tenant(read_lag_s=rng.choice((0, 3)))),
    kind=BLUECONIC_KIND,
    writes=Writes("PUT"),
    harms=HARMS,
    messages=messages,
    settings=no_settings,
    heal=nothing_left,
    source_of=lambda _: _place_in,
    codes_are_effects=True,
)
