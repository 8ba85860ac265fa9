"""Senders of an account that takes a batch at once or as a vendor job, whichever suits it.

1. The kind chooses the items of a batch that become one job. A retry is never among them, so that what a job could not
   tell is settled by a write.
2. All of them: the batch is submitted. None, and the batch fits into one write: it is written.
3. Otherwise it is put back in parts, each of which comes here again as a batch of its own.
"""

from collections.abc import Callable, Iterator, Sequence

from sluice.destinations.vendor_jobs import MixedDestination, WriteLimits
from sluice.flow.batch import Batch, Item, Part
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.delivery.sender import PutBack, Sender, Settle
from sluice.writer.lanes.decoding import RECORDS
from sluice.writer.lanes.lanes import Lanes

SenderOf = Callable[[Batch], Sender]
"""Makes the sender of a batch, which takes over a permit of the limiter from the caller."""


class MixedSenders:
    """Maker of senders for one account."""

    def __init__(
        self, destination: MixedDestination, writer_of: SenderOf, submitter_of: SenderOf, limiter: Limiter, lanes: Lanes
    ) -> None:
        self._destination = destination
        self._writer_of = writer_of
        self._submitter_of = submitter_of
        self._limiter = limiter
        self._lanes = lanes

    def sender_of(self, batch: Batch) -> Sender:
        """Return a sender for ``batch``, which takes over a permit of the limiter from the caller."""
        if batch.in_doubt is not None:
            return self._writer_of(batch)
        chosen = self._chosen(batch.items)
        if len(chosen) == len(batch.items):
            return self._submitter_of(batch)
        max_items, max_bytes = limits = self._destination.write_limits
        if not chosen and len(batch.items) <= max_items and (batch.body_bytes <= max_bytes or len(batch.items) == 1):
            return self._writer_of(batch)
        return Divider(batch, chosen, limits, self._limiter, self._lanes)

    def is_job(self, items: Sequence[Item]) -> bool:
        """Return whether all of ``items`` become one job."""
        return len(self._chosen(items)) == len(items)

    def _chosen(self, items: Sequence[Item]) -> Sequence[Item]:
        fresh = [item for item in items if item.attempt == 1 and item.topic == RECORDS]
        return self._destination.jobs_of(fresh) if fresh else fresh


class Divider:
    """A batch that is put back in parts; it makes no request."""

    requests = 0
    with_vendor = False

    def __init__(
        self, batch: Batch, chosen: Sequence[Item], limits: WriteLimits, limiter: Limiter, lanes: Lanes
    ) -> None:
        """``chosen`` are the items that become one job."""
        self.batch = batch
        self.lanes = BatchLanes(lanes)
        self._chosen = chosen
        self._limits = limits
        self._limiter = limiter
        self._has_permit = True
        self._abandoned = False

    async def answered(self) -> None:
        """Return at once: no request is out."""

    async def run(self, settle: Settle, put_back: PutBack) -> None:  # noqa: ARG002  # no fate is known here
        """Put the parts back. What is abandoned is read again by the next owner of its lane."""
        if not self._abandoned:
            put_back(list(self._parts()))

    def abandon(self) -> None:
        """Put nothing back."""
        self._abandoned = True

    def release_permit(self) -> None:
        """Give the permit back, which is for nothing here."""
        if self._has_permit:
            self._has_permit = False
            self._limiter.release()

    def _parts(self) -> Iterator[Part]:
        job = {item.row for item in self._chosen}
        if owned := self.lanes.owned(self._chosen):
            yield self._part(list(owned))
        part: list[Item] = []
        part_bytes = 0
        for item in self.lanes.owned([item for item in self.batch.items if item.row not in job]):
            size_bytes = len(item.encoded.body) + 1
            if part and (len(part) == self._limits.max_items or part_bytes + size_bytes > self._limits.max_bytes):
                yield self._part(part)
                part, part_bytes = [], 0
            part.append(item)
            part_bytes += size_bytes
        if part:
            yield self._part(part)

    def _part(self, items: list[Item]) -> Part:
        suspected = round(self.batch.suspected * len(items) / len(self.batch.items))
        return Part(items=items, suspected=suspected, answered_at_loss=self.batch.answered_at_loss, reason="split")
