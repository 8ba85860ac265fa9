"""The ways in which batches get to a vendor: at once, item by item, as vendor jobs, or the one or the other."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from sluice.destinations.contract import Account, Destination
from sluice.destinations.item_calls import ItemDestination
from sluice.destinations.vendor_jobs import MixedDestination
from sluice.flow.batch import Batch
from sluice.flow.windows import WindowLimits, Windows
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.batch_sender import BatchSender
from sluice.writer.delivery.dispatcher import always, is_any
from sluice.writer.delivery.identities import Identities
from sluice.writer.delivery.item_sender import ItemSender
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.delivery.mixed_senders import MixedSenders
from sluice.writer.delivery.sender import Sender
from sluice.writer.lanes.lanes import Lanes
from sluice.writer.vendor_jobs.job_runner import JobRunner, is_submitter


class Ways(NamedTuple):
    """Windows of one account, and what becomes of their batches."""

    sender_of: Callable[[Batch], Sender]
    """Makes the sender of a batch, which takes over a permit of the limiter from the caller."""
    windows: Windows
    has_room: Callable[[int], bool] = always
    """Returns whether the vendor may be given one job more than so many that are under way."""
    takes_room: Callable[[Sender], bool] = is_any
    """Returns whether a batch under way becomes a job."""


def ways_of(
    destination: Account,
    jobs: JobRunner | None,
    limits: WindowLimits,
    limiter: Limiter,
    lanes: Lanes,
    metrics: WriterMetrics,
) -> Ways:
    """Return the ways of ``destination``; ``jobs`` is there if its vendor runs some. Raises ``TypeError``."""
    if jobs is not None and not isinstance(destination, MixedDestination):
        return Ways(jobs.sender_of, Windows(limits), jobs.has_room)
    if isinstance(destination, ItemDestination):
        item_sender = partial(ItemSender, limiter=limiter, lanes=lanes, metrics=metrics, identities=Identities())
        return Ways(partial(item_sender, destination=destination), Windows(limits))
    if not isinstance(destination, Destination):
        raise TypeError(f"expected a destination kind, got {type(destination).__name__}")
    write = partial(BatchSender, destination=destination, limiter=limiter, lanes=lanes, metrics=metrics)
    if jobs is None or not isinstance(destination, MixedDestination):
        return Ways(write, Windows(limits))
    mixed = MixedSenders(destination, write, jobs.sender_of, limiter, lanes)
    return Ways(mixed.sender_of, Windows(limits, mixed.is_job), jobs.has_room, is_submitter)
