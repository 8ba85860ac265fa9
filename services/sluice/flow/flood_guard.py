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

    It trips when their share is above ``max_share``, and only once ``over_records`` records were seen: the first bad
    record of a day is not a flood.
    """

    def __init__(self, *, max_share: float, over_records: int) -> None:
        self._max_share = max_share
        self._over_records = over_records
        self._recent: deque[tuple[int, int]] = deque()
        self._records = 0
        self._dead = 0

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
        if self._records < self._over_records or self._dead <= self._max_share * self._records:
            return None
        return f"{self._dead} of the last {self._records} records became dead letters, more than {self._max_share:.0%}"

    def forget(self) -> None:
        """Start counting from zero, when a person has let the writers go on."""
        self._recent.clear()
        self._records = self._dead = 0
