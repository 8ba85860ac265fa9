"""Backpressure: each reason to pause comes at one mark and goes at a lower one."""

from itertools import count, islice

import pytest

from sluice.writer.backpressure import Backpressure
from sluice.writer.pauses import PauseReason, Pauses
from tests.support.factories import INPUT_TOPICS, make_item, record, record_message
from tests.support.fakes import FakeConsumer, FakeDestination
from tests.writer.delivery.setups import DispatcherSetup


class Setup:
    """Two lanes of three input topics; their buffer takes 1000 items."""

    def __init__(self) -> None:
        self.delivery = DispatcherSetup(FakeDestination(), max_items=1000)
        self.lane, self.lanes, self.guard = self.delivery.lane[0], self.delivery.lanes, self.delivery.guard
        self.pauses = Pauses(FakeConsumer())
        self._offsets = count()
        self._backpressure = Backpressure(
            INPUT_TOPICS,
            self.lanes,
            self.pauses,
            self.guard,
            self.delivery.dispatcher,
            max_gap_per_lane=10,
        )

    def paused(self, reason: PauseReason) -> int:
        """Apply the back-pressure; return how many partitions are paused for ``reason``."""
        self._backpressure.apply()
        return self.pauses.count(reason)

    def collect(self, **windows: int) -> None:
        """Have so many items in each window, and in the buffer."""
        for key, items in windows.items():
            collected = [make_item(offset, batch_key=key, body=b"") for offset in islice(self._offsets, items)]
            self.delivery.dispatcher.add(collected)
            self.lanes.buffer.enter(items, 0)

    def closed(self, *, found_nothing: bool = False) -> list[int]:
        """Apply the back-pressure; return the sizes of the windows that it has closed, which are taken now."""
        self._backpressure.apply(found_nothing=found_nothing)
        batches = iter(lambda: self.delivery.windows.take(0.0, "b"), None)
        return [len(batch.items) for batch in batches]

    def wait_for_key(self, items: int) -> None:
        """Have so many items of the first lane wait, for twenty keys."""
        self.lane.accept(0, [record_message(offset, record(key=f"k{offset % 20}")) for offset in range(items + 20)])


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
    setup.lane.order.release([b"k0", b"k1"])
    assert setup.paused(PauseReason.RETRY_BACKLOG) == 4


def test_retries_go_on_when_most_items_wait_for_a_key() -> None:
    setup = Setup()
    setup.lanes.buffer.enter(1000, 0)
    assert setup.paused(PauseReason.RETRY_BACKLOG) == 4
    setup.wait_for_key(501)
    assert setup.paused(PauseReason.RETRY_BACKLOG) == 0


def test_records_of_a_lane_wait_while_parked_keys_take_much_memory_and_not_for_a_hot_key() -> None:
    setup = Setup()
    setup.wait_for_key(5_000)
    assert setup.paused(PauseReason.ORDER) == 0
    setup.lane.order.park([key := bytes(1_000_000)])
    assert setup.paused(PauseReason.ORDER) == 1
    setup.lane.order.release([key])
    assert setup.paused(PauseReason.ORDER) == 0


def test_records_of_a_lane_wait_while_it_has_read_too_far_beyond_an_open_one() -> None:
    setup = Setup()
    setup.lane.accept(0, [record_message(offset) for offset in range(10)])
    setup.lane.progress[0].settle(range(1, 10))
    assert setup.paused(PauseReason.GAP) == 1
    setup.lane.progress[0].settle([0])
    assert setup.paused(PauseReason.GAP) == 0


def test_all_inputs_wait_while_the_guard_has_stopped_delivery() -> None:
    setup = Setup()
    setup.guard.reason = "a flood"
    assert setup.paused(PauseReason.STOPPED) == 6
    setup.guard.reason = None
    assert setup.paused(PauseReason.STOPPED) == 0


def test_largest_windows_close_when_nothing_else_makes_a_full_buffer_roomy() -> None:
    setup = Setup()
    setup.collect(small=1, large=600, middle=399)
    assert setup.closed() == [600]
    assert len(setup.delivery.windows) == 400


@pytest.mark.parametrize(
    ("collected", "under_way"),
    [
        pytest.param(999, 0, id="the buffer is not full"),
        pytest.param(750, 250, id="what is with the vendor will make it roomy"),
    ],
)
def test_no_window_closes_while_memory_permits_it_to_fill(collected: int, under_way: int) -> None:
    setup = Setup()
    setup.collect(a=collected)
    setup.lanes.buffer.enter(under_way, 0)
    assert setup.closed() == []


def test_windows_close_for_pressure_until_the_buffer_is_roomy() -> None:
    setup = Setup()
    setup.collect(a=500, b=250)
    setup.lanes.buffer.enter(250, 0)
    assert setup.closed() == []
    setup.lanes.buffer.leave(150, 0)
    setup.collect(b=1)  # a retry that is due, which comes in while records wait
    assert setup.closed() == [500]


def test_items_that_wait_for_their_key_count_as_what_stays() -> None:
    setup = Setup()
    setup.wait_for_key(200)
    setup.lanes.buffer.enter(201, 0)
    setup.collect(a=500, b=299)
    assert setup.closed() == [500]


def test_no_window_closes_when_items_that_wait_for_their_key_alone_fill_the_buffer() -> None:
    setup = Setup()
    setup.wait_for_key(800)
    setup.lanes.buffer.enter(801, 0)
    setup.collect(a=199)
    assert setup.closed() == []


def test_last_records_of_a_backlog_are_sent_once_it_is_read() -> None:
    setup = Setup()
    setup.collect(a=400, b=300, c=300)
    assert setup.closed(found_nothing=True) == [400]
    setup.lanes.buffer.leave(400, 0)
    assert setup.closed(found_nothing=True) == []  # that poll left the records out
    assert setup.closed(found_nothing=False) == []
    assert setup.closed(found_nothing=True) == [300, 300]
    setup.collect(a=1)
    assert setup.closed(found_nothing=True) == []


def test_windows_close_for_bytes_as_for_items() -> None:
    setup = Setup()
    setup.collect(a=2, b=1)
    setup.lanes.buffer.enter(0, 1_000_000)
    assert setup.closed() == []
    setup.delivery.dispatcher.add([make_item(9, batch_key="large", event=record(data={"text": "x" * 800_000}))])
    assert setup.closed() == [1]
