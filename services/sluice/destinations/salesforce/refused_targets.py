"""Targets for which Salesforce makes no job, such as an object that the Bulk API does not take.

All records of a batch share its target. To halve the batch, as for a bad record, would ask once for each of them.
"""

from collections.abc import Callable

from sluice.destinations.contract import Refused, Rejection
from sluice.destinations.vendor_jobs import RefusedItems
from sluice.flow.batch import Batch

KEPT_S = 60.0
"""Then it is tried again: somebody may have granted a right. [assumed]"""
MAX_TARGETS = 1000


class RefusedTargets:
    """The targets that were refused of late, by batch key."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._known: dict[str, tuple[Rejection, float]] = {}

    def note(self, batch_key: str, error: Refused) -> None:
        """Note that a job for ``batch_key`` was refused."""
        if len(self._known) >= MAX_TARGETS:
            self._known.clear()
        self._known[batch_key] = (Rejection(error.code, str(error)), self._monotonic())

    def check(self, batch: Batch) -> None:
        """Raise ``RefusedItems`` for all items of ``batch`` if its target was refused of late."""
        rejection, at_s = self._known.get(batch.batch_key, (None, 0.0))
        if rejection is None:
            return
        if self._monotonic() - at_s > KEPT_S:
            del self._known[batch.batch_key]
            return
        raise RefusedItems(dict.fromkeys(range(len(batch.items)), rejection))
