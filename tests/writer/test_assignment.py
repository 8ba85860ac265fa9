"""LaneAssignment: lanes are opened and given up as the group says; one that cannot go on ends the session."""

import asyncio

import pytest

from sluice.writer.lanes.committer import LaneLost
from tests.support.factories import DELIVERED, make_item
from tests.support.fakes import make_answer
from tests.support.instant_clock import duration_s, instantly, turn
from tests.writer.assignment_setup import AssignmentSetup


@instantly
async def test_lane_is_read_from_its_committed_offsets_once_it_is_open() -> None:
    setup = AssignmentSetup()
    assert setup.assignment.obstacle == "has not joined its group yet"
    setup.opener.ready.clear()
    await setup.assign(0, 1)
    assert setup.assignment.obstacle == "2 of its lanes do not run: lane 0 is being opened"
    assert (setup.consumer.paused, setup.lanes.numbers) == (set(setup.inputs(0, 1)), [])
    setup.opener.ready.set()
    await turn()
    assert setup.assignment.obstacle is None
    assert (setup.consumer.paused, setup.lanes.numbers) == (set(), [0, 1])
    assert setup.consumer.sought == dict(zip(setup.inputs(0, 1), [10, 20, 30] * 2, strict=True))


FENCED = LaneLost("lane 1 has a new owner", fenced=True)


@pytest.mark.parametrize(("error", "fenced"), [(FENCED, True), (ZeroDivisionError(), False)], ids=repr)
@instantly
async def test_lane_that_cannot_go_on_ends_the_session(error: Exception, fenced: bool) -> None:
    setup = AssignmentSetup()
    setup.opener.lanes[1].kept.error = error
    await setup.assign(0, 1)
    assert [lane.partition for lane in setup.lanes] == [0]
    assert setup.assignment.lost.exception() is (None if fenced else error)
    assert not fenced or setup.assignment.lost.result() == "lane 1 has a new owner"


@instantly
async def test_task_of_a_lane_that_something_else_cancels_ends_the_session() -> None:
    setup = AssignmentSetup()
    before = asyncio.all_tasks()
    await setup.assign(0)
    for task in asyncio.all_tasks() - before:
        task.cancel()
    await turn()
    assert setup.assignment.lost.result() == "the task of a lane was cancelled by something else"


@instantly
async def test_answers_for_lanes_that_others_own_now_are_forgotten() -> None:
    setup = AssignmentSetup()
    for number in (0, 1):
        setup.lanes.answers.keep(number, [make_answer([make_item(50, lane=number)], DELIVERED)])
    setup.opener.ready.clear()
    await setup.assign(1)
    assert [len(setup.lanes.answers.take(number)) for number in (0, 1)] == [0, 1]


@instantly
async def test_lanes_are_closed_after_the_answers_of_their_requests() -> None:
    setup = AssignmentSetup()
    async with setup.delivery.running():
        await setup.assign(0, 1)
        setup.delivery.dispatcher.add([make_item(10, lane=1)])
        await turn()
        await setup.assignment.on_partitions_revoked(setup.inputs(0, 1))
    for lane, settlements in zip(setup.opener.lanes.values(), (0, 1), strict=True):
        assert (len(lane.settlements), lane.kept.closed, lane.alive) == (settlements, True, False)
    assert (setup.lanes.numbers, setup.lanes.buffer.items, len(setup.lanes.answers)) == ([], 1, 1)  # no cycle ran


@instantly
async def test_lane_is_closed_although_its_last_cycle_takes_too_long() -> None:
    setup = AssignmentSetup()
    await setup.assign(0)
    setup.opener.lanes[0].kept.drains = False
    assert await duration_s(setup.assignment.give_up()) == pytest.approx(30.0)
    assert setup.opener.lanes[0].kept.closed


@instantly
async def test_lane_that_is_given_up_while_it_opens_is_not_opened() -> None:
    setup = AssignmentSetup()
    setup.opener.ready.clear()
    await setup.assign(0)
    await setup.assignment.give_up()
    setup.opener.ready.set()
    await turn()
    assert (setup.lanes.numbers, setup.assignment.obstacle) == ([], None)


@instantly
async def test_delivery_begins_anew_after_a_rebalance() -> None:
    setup = AssignmentSetup()
    async with setup.delivery.running():
        await setup.assign(0)
        setup.delivery.guard.permits.clear()
        setup.delivery.dispatcher.add([make_item(10)])
        await setup.assignment.on_partitions_revoked(setup.inputs(0))
        assert (setup.lanes.numbers, len(setup.delivery.windows)) == ([], 0)
        setup.delivery.guard.permits.set()
        await setup.assign(1)
        setup.delivery.dispatcher.add([make_item(20, lane=1)])
        await turn()
    assert (setup.lanes.numbers, setup.delivery.destination.requests) == ([1], [[20]])


@instantly
async def test_nothing_is_opened_once_the_assignment_is_closed() -> None:
    setup = AssignmentSetup()
    await setup.assignment.close()
    await setup.assign(0)
    assert (setup.lanes.numbers, setup.consumer.paused) == ([], set())
