"""Counts what commit cycles have settled: for metrics, and for the flood guard."""

from sluice.flow.outcome import Fate
from sluice.telemetry.metric_definitions import LaneLoss
from sluice.telemetry.metrics import WriterMetrics
from sluice.wall_clock import unix_s
from sluice.writer.guard import GuardFollower
from sluice.writer.lanes.commit_cycle import CommitCycle


class CommitCounter:
    """Counts committed settlements of all lanes of a process."""

    def __init__(self, metrics: WriterMetrics, guard: GuardFollower) -> None:
        self._metrics = metrics
        self._guard = guard

    def count(self, cycle: CommitCycle) -> None:
        """Count ``cycle``; the guard may stop delivery for what it hears."""
        published_at_s: list[float] = []
        for settlement in cycle.settlements:
            published_at_s += settlement.published_at_s
            # What a person has cancelled tells nothing about the records.
            cancelled = settlement.dead_by_class.get(Fate.CANCELLED, 0)
            self._guard.count(settlement.items, len(settlement.dead) - cancelled)
            self._metrics.items_settled(settlement.outcomes)
            self._metrics.dead_letters_published(settlement.dead_by_class)
        self._metrics.receipts_published(published_at_s, unix_s())
        self._metrics.cycle_committed(cycle.messages, cycle.seconds)

    def lane_lost(self, reason: LaneLoss) -> None:
        """Count a lane that was lost."""
        self._metrics.lane_lost(reason)
