"""Lanes: what is here, and what it holds."""

from tests.support.factories import record, record_message
from tests.support.fakes import FakeLane, lanes_of


def test_items_that_wait_are_counted_over_all_lanes() -> None:
    lanes = [FakeLane(0), FakeLane(1)]
    for lane in lanes:
        lane.accept(0, [record_message(offset, record(key="k"), lane=lane.partition) for offset in range(3)])
    assert lanes_of(*lanes).waiting == 4


def test_nothing_is_left_of_a_lane_that_is_removed() -> None:
    lanes = lanes_of(gone := FakeLane(0), other := FakeLane(1))
    for lane in (gone, other):
        lane.accept(0, [record_message(10, record(), lane=lane.partition)])
    lanes.remove(gone)
    assert (lanes.numbers, lanes.get(0)) == ([1], None)
    assert (gone.buffer.items, other.buffer.items) == (0, 1)
