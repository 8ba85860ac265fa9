"""AssignedLane: a lane that Kafka refuses is opened again, and no answer of the vendor is lost meanwhile."""

import asyncio

import pytest
from aiokafka.errors import KafkaError

from sluice.events import Rows
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.fetch_by_id import PositionLost
from sluice.writer.lanes.committer import LaneLost
from tests.support.factories import DELIVERED, make_item, make_lane_job, record, record_message
from tests.support.fakes import FakeDestination, FakeLane, sample, settle
from tests.support.instant_clock import instantly, turn
from tests.writer.assignment_setup import AssignmentSetup

REFUSED = LaneLost("lane 0 cannot be written", fenced=False)
UNREACHABLE = KafkaUnreachable("x:1", "nobody listens there")


@instantly
async def test_committed_cycle_lets_the_next_item_of_a_key_go() -> None:
    setup = AssignmentSetup()
    lane = setup.opener.lanes[0]
    (first,) = lane.accept(0, [record_message(offset, record(key="k")) for offset in (10, 11)])
    settle(lane, [first], DELIVERED)
    await setup.assign(0)
    assert len(setup.delivery.windows) == 1
    assert sample(setup.delivery.metrics, "sluice_outcomes_total", fate="delivered") == 1


@instantly
async def test_lane_is_read_from_behind_what_a_vendor_job_holds() -> None:
    setup = AssignmentSetup()
    job = make_lane_job(Rows(0, 10, 2000, 0), refs={"job": "J"})
    setup.opener.lanes[0] = FakeLane(0, positions=(10, 20, 30), jobs=[job])
    await setup.assign(0)
    assert [setup.consumer.sought[place] for place in setup.inputs(0)] == [2010, 20, 30]
    assert setup.lanes.get(0) is not None


@pytest.mark.parametrize("error", [KafkaError("no leader"), UNREACHABLE, asyncio.CancelledError()], ids=repr)
@instantly
async def test_lane_that_cannot_be_opened_is_tried_again_after_a_growing_delay(error: BaseException) -> None:
    setup = AssignmentSetup()
    setup.opener.errors = [error] * 3
    await setup.assign(0, 1)
    assert "lane 0 cannot be opened" in str(setup.assignment.obstacle)
    await asyncio.sleep(2.9)
    assert setup.opener.opened == [1]
    await asyncio.sleep(0.2)
    assert setup.lanes.numbers == [1, 0]
    assert (setup.assignment.obstacle, setup.assignment.lost.done()) == (None, False)
    assert sample(setup.delivery.metrics, "sluice_lanes_lost_total", reason="opening") == 3


@instantly
async def test_lane_whose_cycle_is_refused_is_opened_again_and_the_others_go_on() -> None:
    setup = AssignmentSetup()
    lost, other = setup.opener.lanes.values()
    lost.kept.error = REFUSED
    await setup.assign(0, 1)
    assert (lost.alive, lost.kept.closed, other.alive, setup.lanes.numbers) == (False, True, True, [1])
    assert setup.consumer.paused == set(setup.inputs(0))
    setup.opener.lanes[0] = FakeLane(0, positions=(11, 20, 30))
    await asyncio.sleep(1.1)
    assert (setup.lanes.numbers, setup.consumer.paused) == ([1, 0], set())
    assert setup.consumer.sought[setup.inputs(0)[0]] == 11
    assert sample(setup.delivery.metrics, "sluice_lanes_lost_total", reason="kafka") == 1


@instantly
async def test_answer_that_kafka_has_not_taken_is_the_first_thing_written_when_the_lane_is_open_again() -> None:
    setup = AssignmentSetup()
    lost = setup.opener.lanes[0]
    item = make_item(10)
    settle(lost, [item], DELIVERED)
    lost.kept.error = REFUSED
    await setup.assign(0)
    assert (len(setup.lanes.answers), setup.lanes.buffer.items) == (1, 1)
    again = setup.opener.lanes[0] = FakeLane(0, positions=(10, 20, 30))
    await asyncio.sleep(1.1)
    assert [one.offsets for one in again.settlements] == [{0: [10]}]
    assert (len(setup.lanes.answers), setup.lanes.numbers, again.buffer.items) == (0, [0], 0)
    assert [item.offset for item in again.accept(0, [record_message(10), record_message(11)])] == [11]


@instantly
async def test_nothing_of_a_lane_is_sent_until_kafka_takes_its_receipts_again() -> None:
    setup = AssignmentSetup()
    settle(setup.opener.lanes[0], [make_item(10)], DELIVERED)
    setup.opener.lanes[0].kept.error = REFUSED
    await setup.assign(0)
    for delay_s in (1, 2, 4, 8):
        refused = setup.opener.lanes[0] = FakeLane(0, positions=(10, 20, 30))
        refused.kept.error = REFUSED
        await asyncio.sleep(delay_s + 0.1)
        assert (setup.lanes.numbers, len(refused.settlements), len(setup.lanes.answers)) == ([], 1, 1)
    setup.opener.lanes[0] = FakeLane(0, positions=(10, 20, 30))
    await asyncio.sleep(16.1)
    assert (setup.lanes.numbers, len(setup.lanes.answers)) == ([0], 0)


@instantly
async def test_answer_to_a_request_that_is_out_when_its_lane_is_lost_is_kept() -> None:
    setup = AssignmentSetup(FakeDestination(latency_s=5.0))
    lost = setup.opener.lanes[0]
    await setup.assign(0)
    async with setup.delivery.running():
        setup.delivery.dispatcher.add([make_item(10)])
        await turn()
        lost.kept.fail(REFUSED)
        again = setup.opener.lanes[0] = FakeLane(0, positions=(10, 20, 30))
        await asyncio.sleep(4)
        assert (setup.opener.opened, setup.lanes.numbers) == ([0], [])
        await asyncio.sleep(2.1)
    assert setup.lanes.numbers == [0]
    assert [one.offsets for one in again.settlements] == [{0: [10]}]
    assert setup.delivery.destination.requests == [[10]]


@instantly
async def test_new_owner_is_not_fenced_in_turn() -> None:
    setup = AssignmentSetup()
    setup.opener.lanes[0].kept.error = LaneLost("lane 0 has a new owner", fenced=True)
    await setup.assign(0)
    await asyncio.sleep(600)
    assert (setup.opener.opened, setup.assignment.lost.result()) == ([0], "lane 0 has a new owner")
    assert sample(setup.delivery.metrics, "sluice_lanes_lost_total", reason="fenced") == 1


@instantly
async def test_session_ends_whose_topics_are_gone() -> None:
    setup = AssignmentSetup()
    setup.opener.errors = [PositionLost("crm.records with the id a is gone")]
    await setup.assign(0)
    with pytest.raises(PositionLost):
        setup.assignment.lost.result()


@pytest.mark.parametrize("error", [RuntimeError(), LaneLost("gone", fenced=False)], ids=repr)
@instantly
async def test_lane_is_dead_before_a_batch_learns_that_its_entry_was_not_written(error: BaseException) -> None:
    setup = AssignmentSetup()
    lane = setup.opener.lanes[0]
    lane.kept.error = error
    await setup.assign(0)
    assert (lane.alive, setup.lanes.numbers) == (False, [])
    if setup.assignment.lost.done():
        setup.assignment.lost.exception()
