"""BatchLanes: what a batch may still send, and where its answers belong."""

from sluice.writer.delivery.batch_lanes import BatchLanes
from tests.support.factories import make_item
from tests.support.fakes import FakeLane, lanes_of


def test_items_of_a_lane_that_is_lost_or_not_here_are_not_owned() -> None:
    lanes = BatchLanes(lanes_of(FakeLane(0), lost := FakeLane(1)))
    lost.alive = False
    items = [make_item(lane=lane) for lane in (0, 1, 2, 0)]
    assert [item.lane for item in lanes.owned(items)] == [0, 0]


def test_all_items_are_owned_while_their_lanes_are_alive() -> None:
    items = [make_item(lane=lane) for lane in (0, 1)]
    assert BatchLanes(lanes_of(FakeLane(0), FakeLane(1))).owned(items) is items


def test_lane_that_a_batch_has_lost_is_not_its_own_again_when_it_is_opened_anew() -> None:
    lanes = lanes_of(FakeLane(0), FakeLane(1))
    ours, others = BatchLanes(lanes), BatchLanes(lanes)
    ours.lose(1)
    lanes.add(FakeLane(1))
    items = [make_item(lane=lane) for lane in (0, 1)]
    assert [item.lane for item in ours.owned(items)] == [0]
    assert (ours.get(1), others.owned(items)) == (None, items)


def test_each_lane_of_some_items_is_found_once() -> None:
    lane = FakeLane(0)
    lanes = BatchLanes(lanes_of(lane, FakeLane(1)))
    assert lanes.of([make_item(lane=0), make_item(1, lane=0), make_item(lane=2)]) == [lane]
