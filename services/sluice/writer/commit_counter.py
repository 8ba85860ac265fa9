"""Counts what commit cycles have settled: for metrics, and for the flood guard."""

import time

from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.guard import GuardFollower
from sluice.writer.lanes.lane import CommitCycle


class CommitCounter:
    """Counts committed settlements of all lanes of a process."""

    def __init__(self, metrics: WriterMetrics, guard: GuardFollower) -> None:
        self._metrics = metrics
        self._guard = guard

    def count(self, cycle: CommitCycle) -> None:
        """Count ``cycle``; the guard may stop delivery for what it hears."""
        published_at_s: list[float] = []
        records = 0
        for settlement in cycle.settlements:
            published_at_s += settlement.published_at_s
            records += len(settlement.succeeded) + len(settlement.dead) + 1
            self._guard.count(settlement.items, len(settlement.dead))
            self._metrics.items_settled(settlement.outcomes)
            for error_class, count in settlement.dead_by_class.items():
                self._metrics.dead_letters.labels(error_class).inc(count)
        self._metrics.receipts_published(published_at_s, time.time())
        self._metrics.cycle_committed(records, cycle.seconds)

    def lane_lost(self, reason: str) -> None:
        """Count a lane that was lost."""
        self._metrics.lanes_lost.labels(reason).inc()
