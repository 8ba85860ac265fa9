"""Lanes: what is here, and what of it is still ours."""

from tests.support.factories import make_item, record, record_message
from tests.support.fakes import FakeLane, lanes_of


def test_items_of_a_lane_that_is_lost_or_not_here_are_not_owned() -> None:
    lanes = lanes_of(FakeLane(0), lost := FakeLane(1))
    lost.alive = False
    items = [make_item(lane=lane) for lane in (0, 1, 2, 0)]
    assert [item.lane for item in lanes.owned(items)] == [0, 0]


def test_each_lane_of_some_items_is_found_once() -> None:
    lane = FakeLane(0)
    assert lanes_of(lane, FakeLane(1)).of([make_item(lane=0), make_item(1, lane=0), make_item(lane=2)]) == [lane]


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
