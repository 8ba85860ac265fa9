"""Backpressure: each reason to pause comes at one mark and goes at a lower one."""

import pytest

from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.backpressure import Backpressure
from sluice.writer.pauses import PauseReason, Pauses
from tests.support.factories import INPUT_TOPICS, record, record_message
from tests.support.fakes import FakeConsumer, FakeLane, lanes_of
from tests.writer.delivery.setups import make_guard


class Setup:
    """Two lanes of three input topics; their buffer takes 1000 items, and 4 of each lane may wait for a key."""

    def __init__(self) -> None:
        self.lane = FakeLane(0)
        self.lanes = lanes_of(self.lane, FakeLane(1))
        self.pauses = Pauses(FakeConsumer())
        self.guard = make_guard(WriterMetrics("crm"))
        self._backpressure = Backpressure(INPUT_TOPICS, self.lanes, self.pauses, self.guard, max_waiting_per_lane=4)

    def paused(self, reason: PauseReason) -> int:
        """Apply the back-pressure; return how many partitions are paused for ``reason``."""
        self._backpressure.apply()
        return self.pauses.count(reason)

    def wait_for_key(self, items: int) -> None:
        """Have so many items of the first lane wait."""
        self.lane.accept(0, [record_message(offset, record(key="k")) for offset in range(items + 1)])


@pytest.mark.parametrize(
    ("reason", "partitions"),
    [pytest.param(PauseReason.BACKLOG, 2, id="records"), pytest.param(PauseReason.RETRY_BACKLOG, 4, id="retries")],
)
def test_inputs_wait_from_a_full_buffer_to_a_roomy_one(reason: PauseReason, partitions: int) -> None:
    setup, seen = Setup(), []
    for enter, leave in ((999, 0), (1, 0), (0, 249), (0, 1)):
        setup.lanes.buffer.enter(enter, 0)
        setup.lanes.buffer.leave(leave, 0)
        seen.append(setup.paused(reason))
    assert seen == [0, partitions, partitions, 0]


def test_retries_wait_once_half_of_a_full_buffer_is_on_its_way() -> None:
    setup = Setup()
    setup.lanes.buffer.enter(1000, 0)
    setup.wait_for_key(501)
    assert setup.paused(PauseReason.RETRY_BACKLOG) == 0
    setup.lane.order.release([b"k"])
    assert setup.paused(PauseReason.RETRY_BACKLOG) == 4


def test_retries_go_on_when_most_items_wait_for_a_key() -> None:
    setup = Setup()
    setup.lanes.buffer.enter(1000, 0)
    assert setup.paused(PauseReason.RETRY_BACKLOG) == 4
    setup.wait_for_key(501)
    assert setup.paused(PauseReason.RETRY_BACKLOG) == 0


def test_records_of_a_lane_wait_while_many_items_wait_for_a_key() -> None:
    setup = Setup()
    setup.wait_for_key(4)
    seen = [setup.paused(PauseReason.ORDER)]
    for _ in range(2):
        setup.lane.order.release([b"k"])
        seen.append(setup.paused(PauseReason.ORDER))
    assert seen == [1, 1, 0]


def test_all_inputs_wait_while_the_guard_has_stopped_delivery() -> None:
    setup = Setup()
    setup.guard.reason = "a flood"
    assert setup.paused(PauseReason.STOPPED) == 6
    setup.guard.reason = None
    assert setup.paused(PauseReason.STOPPED) == 0
