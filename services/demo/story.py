"""The contract of a story: what one vendor adds to the steps that every demo has."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from demo.environment import Environment, Vendor
from demo.evidence import Effects, Evidence, Holding
from demo.processes import Writers
from demo.screen import Screen
from sluice import Receipt


class Stage(NamedTuple):
    """The place where a story is told: everything is started but the writers."""

    screen: Screen
    environment: Environment
    writers: Writers
    keep: bool
    """True when the writers are to be left running at the end."""


class Story(Vendor, Protocol):
    """One vendor's story."""

    @property
    def title(self) -> str:
        """A sentence that says what is carried."""
        ...

    @property
    def explanations(self) -> Mapping[str, str]:
        """The meaning of the receipts of a code, or of ``Object code``."""
        ...

    @property
    def effects(self) -> Effects | None:
        """The part of the vendor's ledger that is compared with the receipts.

        ``None``: all of it, by the codes of receipts, and nobody needs to tell the vendor's objects apart.
        """
        ...

    async def tell(self, stage: Stage) -> int:
        """Publish, deliver, break things, wait for all receipts, and return the number of published records."""
        ...

    async def holdings(self, environment: Environment, receipts: Sequence[Receipt]) -> Sequence[Holding]:
        """Return what the vendor has now, beside what it should have by the receipts."""
        ...

    async def print_batches(self, screen: Screen, environment: Environment, evidence: Evidence, /) -> None:
        """Print how the records travelled to the vendor."""
        ...

    def commands_to_try(self, sluice: str, environment: Environment) -> Mapping[str, str]:
        """Return commands that work while everything is left running, each with its purpose."""
        ...
