"""CommitCounter: what a cycle has settled moves the metrics, and may trip the guard."""

from sluice.flow.outcome import Fate, Outcome
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.commit_counter import CommitCounter
from sluice.writer.lanes.commit_cycle import CommitCycle
from tests.support.factories import DELIVERED, make_item
from tests.support.fakes import FakeLane, sample, settle
from tests.writer.delivery.setups import make_guard


def _make_cycle(*outcomes: Outcome) -> CommitCycle:
    lane = FakeLane()
    items = [make_item(offset) for offset in range(len(outcomes))]
    settle(lane, items, *outcomes)
    return CommitCycle(lane.settlements, 4, 0.5)


def test_cycle_counts_its_outcomes_dead_letters_and_receipts() -> None:
    metrics = WriterMetrics("crm")
    bad = Outcome(Fate.REJECTED, "BAD")
    CommitCounter(metrics, make_guard(metrics)).count(_make_cycle(DELIVERED, DELIVERED, bad))
    assert sample(metrics, "sluice_outcomes_total", fate="delivered", code="CREATED") == 2
    assert sample(metrics, "sluice_dead_letters_total", error_class="rejected") == 1
    assert sample(metrics, "sluice_publish_to_receipt_seconds_count") == 3
    assert sample(metrics, "sluice_commit_cycle_records_sum") == 4
    assert sample(metrics, "sluice_commit_cycle_seconds_sum") == 0.5


def test_dead_letters_trip_the_guard_and_retries_do_not() -> None:
    metrics = WriterMetrics("crm")
    guard = make_guard(metrics, over_records=4)
    counter = CommitCounter(metrics, guard)
    counter.count(_make_cycle(*[Outcome(Fate.RETRYABLE, "LOCKED")] * 4))
    assert guard.reason is None
    counter.count(_make_cycle(*[Outcome(Fate.REJECTED, "BAD")] * 4))
    assert guard.reason == "4 of the last 4 records became dead letters, more than 50%"
