"""A sender: one batch on its way to the vendor, in whatever way that vendor takes batches."""

from collections.abc import Callable, Sequence
from typing import Protocol

from sluice.flow.batch import Batch, Part
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.lanes.settlement import BatchTimes, Fates

Settle = Callable[[Fates, BatchTimes], None]
"""Takes fates as soon as they are known."""
PutBack = Callable[[Sequence[Part]], None]
"""Takes back items that are to be sent later, as batches of their own."""


class Sender(Protocol):
    """One batch on its way. Made with a permit of the limiter for its first request; acquires one for each other."""

    batch: Batch
    lanes: BatchLanes
    """The batch's lanes, as far as it still has them."""

    @property
    def requests(self) -> int:
        """Requests sent so far: more than one when something went wrong, or each item takes its own."""
        ...

    @property
    def with_vendor(self) -> bool:
        """True while a request is out whose answer is not here yet."""
        ...

    async def answered(self) -> None:
        """Wait until no request is out: whatever was answered was handed over."""
        ...

    async def run(self, settle: Settle, put_back: PutBack) -> None:
        """Send until nothing is left to do here. An outage is waited for, however long.

        Items whose lane is lost meanwhile are sent no more: they are its new owner's. What is answered all the same is
        handed over.
        """
        ...

    def abandon(self) -> None:
        """Send nothing more; an answer that is under way is still waited for."""
        ...

    def release_permit(self) -> None:
        """Give the first permit back if it was never used."""
        ...
