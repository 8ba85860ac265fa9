"""Budgets of 24 hours: API calls, batches, records, query jobs; and of logins. salesforce_bulk.md §7, §9."""

from collections import deque

from sandbox.clock import Clock
from sandbox.salesforce.settings import Settings

_DAY_S = 86_400
_BUCKET_S = 60


class Budget:
    """Number of uses within any 24 hours, or another window, counted by the minute."""

    def __init__(self, maximum: int, clock: Clock, *, window_s: float = _DAY_S) -> None:
        self.maximum = maximum
        self._clock = clock
        self._window_s = window_s
        self.clear()

    def clear(self) -> None:
        self._minutes: deque[tuple[int, int]] = deque()
        self._used = 0

    @property
    def used(self) -> int:
        oldest = (self._clock.now() - self._window_s) // _BUCKET_S
        while self._minutes and self._minutes[0][0] <= oldest:
            self._used -= self._minutes.popleft()[1]
        return self._used

    @property
    def remaining(self) -> int:
        return max(0, self.maximum - self.used)

    def take(self, count: int = 1) -> bool:
        """Use ``count`` if that many are left, and return whether they were; a refused use does not count."""
        if self.used + count > self.maximum:
            return False
        self._add(count)
        return True

    def leave(self, left: int) -> None:
        """Use up all but ``left``."""
        self._add(max(0, self.remaining - left))

    def _add(self, count: int) -> None:
        minute = int(self._clock.now() // _BUCKET_S)
        self._used += count
        if self._minutes and self._minutes[-1][0] == minute:
            count += self._minutes.pop()[1]
        self._minutes.append((minute, count))


class Limits:
    """Budgets of the org."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.api_requests = Budget(settings.daily_api_requests, clock)
        self.batches = Budget(settings.daily_batches, clock)
        """Batches of 1.0 and 2.0 together [docs]; a batch sent to a closed job counts too (§3.5 [docs])"""
        self.records = Budget(settings.daily_records, clock)
        self.query_jobs = Budget(settings.daily_query_jobs, clock)

    def clear(self) -> None:
        for budget in (self.api_requests, self.batches, self.records, self.query_jobs):
            budget.clear()

    def used(self) -> dict[str, int]:
        """Return what is used of the budgets, as the sandbox's own state shows it."""
        budgets = {"api_requests": self.api_requests, "batches": self.batches, "query_jobs": self.query_jobs}
        return {name: budget.used for name, budget in budgets.items()}

    def header(self) -> tuple[str, str]:
        """Return the ``Sforce-Limit-Info`` response header. §3.1 [docs]"""
        calls = self.api_requests
        return ("Sforce-Limit-Info", f"api-usage={calls.used}/{calls.maximum}")

    def shown(self) -> dict[str, dict[str, int]]:
        """Return the body of ``GET /services/data/vNN.0/limits``. §9 [docs]"""
        budgets = {
            "DailyApiRequests": self.api_requests,
            "DailyBulkApiBatches": self.batches,
            "DailyBulkV2QueryJobs": self.query_jobs,
        }
        return {name: {"Max": one.maximum, "Remaining": one.remaining} for name, one in budgets.items()}
