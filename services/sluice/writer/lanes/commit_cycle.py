"""Commit cycles as a lane knows them: what one has written, and who runs them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple, Protocol

from sluice.events import BatchEvent
from sluice.writer.lanes.settlement import Settlement


class CommitCycle(NamedTuple):
    """One committed transaction of a lane: what it has settled, the messages written, and the seconds it took."""

    settlements: Sequence[Settlement]
    messages: int
    seconds: float


class Committer(Protocol):
    """Writes a lane's settlements and journal entries in transactions; a :class:`LaneCommitter` outside of tests."""

    @property
    def confirmed_at_s(self) -> float:
        """When, by the monotonic clock, Kafka last took something for this lane from us."""
        ...

    def submit(self, settlement: Settlement) -> None:
        """Have ``settlement`` written in the next cycle."""
        ...

    def write(self, entry: BatchEvent) -> "asyncio.Future[None]":
        """Have ``entry`` written in the next cycle; done when that is committed, or the lane is closed."""
        ...

    def confirm(self) -> "asyncio.Future[None]":
        """Run a cycle even if nothing waits; done likewise."""
        ...

    def cycles(self) -> AsyncGenerator[CommitCycle, None]:
        """Run cycles until cancelled, and yield each that is committed. Raises ``LaneLost``."""
        ...

    async def drained(self) -> None:
        """Wait until everything submitted is committed, or the cycles have ended."""
        ...

    @property
    def unwritten(self) -> Sequence[Settlement]:
        """Settlements that are not known to be committed, once the cycles have ended."""
        ...

    async def close(self) -> None:
        """Give up what it takes to write. The cycles have ended before."""
        ...
