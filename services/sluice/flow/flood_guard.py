"""The flood guard's rule: stop when too many of the recent records have become dead letters."""

from collections import deque
from typing import Annotated

from msgspec import Meta

from sluice.setting_types import Frozen, Positive


class GuardSettings(Frozen, frozen=True):
    """Threshold at which writers stop: a renamed field must not move a million good records to dead letters."""

    max_share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    """Share of dead letters among the last ``over_records`` records above which all writers of the destination stop."""
    over_records: Positive = 1000


class FloodGuard:
    """Counter of dead letters among the last ``over_records`` records, batch by batch.

    It counts also what a sample of a refused batch tells of the rest of it. It trips when their share is above
    ``max_share``, and only once ``over_records`` records were seen: the first bad record of a day is not a flood.
    """

    def __init__(self, *, max_share: float, over_records: int) -> None:
        self._max_share = max_share
        self._over_records = over_records
        self._recent: deque[tuple[int, int]] = deque()
        self._records = 0
        self._dead = 0
        self._suspected = (0, 0)

    def count(self, records: int, dead: int) -> str | None:
        """Count ``records`` settled, ``dead`` of them as dead letters. Return the reason to stop, or ``None``."""
        self._recent.append((records, dead))
        self._records += records
        self._dead += dead
        # Keep whole batches: at least ``over_records`` records, so the oldest batch goes only when the rest suffice.
        while self._recent and self._records - self._recent[0][0] >= self._over_records:
            old_records, old_dead = self._recent.popleft()
            self._records -= old_records
            self._dead -= old_dead
        return self._reason()

    def suspect(self, records: int, dead: int) -> str | None:
        """Count ``records`` that wait for another try, ``dead`` of which seem to be bad, in place of those before."""
        self._suspected = (records, dead)
        return self._reason()

    def forget(self) -> None:
        """Start counting from zero, when a person has let the writers go on."""
        self._recent.clear()
        self._records = self._dead = 0
        self._suspected = (0, 0)

    def _reason(self) -> str | None:
        records, dead = self._records + self._suspected[0], self._dead + self._suspected[1]
        if records < self._over_records or dead <= self._max_share * records:
            return None
        seem = f", or seem bad after a sample ({self._suspected[1]})" if self._suspected[1] else ""
        return f"{dead} of the last {records} records became dead letters{seem}, more than {self._max_share:.0%}"
