"""The search for a batch of Bulk API 1.0 whose name is lost: by what was sent. §8"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sluice.destinations.contract import Refused, Unavailable
from sluice.destinations.salesforce.bulk1_answers import BatchInfo
from sluice.destinations.salesforce.bulk1_calls import Bulk1Calls
from sluice.destinations.vendor_jobs import LostSubmit

CLOCKS_DIFFER = timedelta(minutes=5)
"""The most by which two clocks of the vendor differ. [assumed]"""


async def find_batch(bulk1: Bulk1Calls, job: str, lost: LostSubmit, taken: Collection[str]) -> str | None:
    """Return the id of the batch in ``job`` that was sent as ``lost``, and is none of ``taken``; ``None`` for none.

    Raises ``Unavailable``, ``Misconfigured``, ``Refused`` for a job that the vendor does not tell about.
    """
    # The newest first: it was sent last, so it is the likeliest.
    for batch in sorted(await bulk1.batches(job), key=_made_at, reverse=True):
        if batch.id in taken or _is_too_old(batch, lost.vendor_at):
            continue
        if await _digest(bulk1, job, batch.id) == lost.fingerprint:
            return batch.id
    return None


async def _digest(bulk1: Bulk1Calls, job: str, batch: str) -> str:
    try:
        return await bulk1.request_digest(job, batch)
    except Refused as error:
        # It must not count as another one: ours would be sent again.
        raise Unavailable("no-answer", f"cannot read what was sent as {batch}: {error}") from error


def _made_at(batch: BatchInfo) -> datetime:
    return batch.created_date or datetime.max.replace(tzinfo=UTC)


def _is_too_old(batch: BatchInfo, vendor_at: datetime | None) -> bool:
    """Return whether the vendor made ``batch`` before ``vendor_at``, its own time when ``lost`` had not been sent."""
    if vendor_at is None or batch.created_date is None:
        return False
    return batch.created_date < vendor_at - CLOCKS_DIFFER
