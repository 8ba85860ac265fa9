"""Clearance: nothing is sent without a permit, nor for a lane that may have moved on."""

import asyncio
from collections.abc import Sequence
from math import inf

import pytest

from sluice.destinations.contract import BatchError, PreSendCheck, Unavailable
from sluice.flow.batch import Batch, Item
from sluice.flow.outcome import Fate, Outcome
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.delivery.clearance import Clearance
from sluice.writer.delivery.limiter import Limiter
from tests.support.factories import make_batch, make_item, make_items
from tests.support.fakes import FakeDestination, FakeLane, deliver_all, lanes_of, scripted
from tests.support.instant_clock import instantly, turn
from tests.writer.delivery.setups import LOST, OUTAGE, SenderSetup, make_limiter


async def _make_clearance(limiter: Limiter, lane: FakeLane, item: Item) -> Clearance:
    await limiter.acquire()
    lanes = BatchLanes(lanes_of(lane))
    return Clearance(make_batch([item]), FakeDestination(), limiter, lanes, WriterMetrics("crm"))


@instantly
async def test_permit_of_the_batch_serves_its_first_request_alone() -> None:
    limiter, item = make_limiter(), make_item()
    clearance = await _make_clearance(limiter, FakeLane(), item)
    assert (await clearance.clear([item]), limiter.in_flight) == ([item], 1)
    assert (await clearance.clear([item]), limiter.in_flight) == ([item], 2)


@instantly
async def test_nothing_of_an_abandoned_batch_is_cleared_and_its_permit_is_given_back_once() -> None:
    limiter, item = make_limiter(), make_item()
    clearance = await _make_clearance(limiter, FakeLane(), item)
    clearance.abandon()
    assert (await clearance.clear([item]), limiter.in_flight) == ([], 1)
    for _ in range(2):
        clearance.release_permit()
        assert limiter.in_flight == 0


@pytest.mark.parametrize("ending", ["cancelled", "lane lost"])
@instantly
async def test_permit_is_given_back_when_the_wait_for_the_journal_ends_without_a_request(ending: str) -> None:
    limiter, lane, item = make_limiter(), FakeLane(), make_item(replay_safe=False)
    lane.kept.writing = False
    clearance = await _make_clearance(limiter, lane, item)
    clearing = asyncio.create_task(clearance.clear([item]))
    await turn()
    lane.alive = False
    if ending == "cancelled":
        clearing.cancel()
    else:
        lane.kept.release()
    await asyncio.wait([clearing])
    assert clearing.cancelled() or clearing.result() == []
    assert limiter.in_flight == 0


@instantly
async def test_lane_is_confirmed_again_after_a_freeze_while_the_journal_was_written() -> None:
    lane = FakeLane(0)
    lane.kept.writing = False
    setup = SenderSetup(FakeDestination(), [make_item(0, replay_safe=False)], lane)
    fates = asyncio.create_task(setup.fates())
    await turn()
    lane.kept.release()  # the journal has it
    lane.kept.confirmed_at_s = -inf  # but that was long ago
    await turn()
    lane.alive = False
    lane.kept.release()
    assert (await fates, setup.destination.requests) == ({}, [])


@pytest.mark.parametrize(("alive", "fates"), [(True, {0: Fate.DELIVERED}), (False, {})])
@instantly
async def test_lane_that_was_not_confirmed_of_late_is_confirmed_before_each_request(
    alive: bool, fates: dict[int, Fate]
) -> None:
    lane = FakeLane(0)
    lane.kept.confirmed_at_s = -inf
    lane.kept.writing = False
    setup = SenderSetup(FakeDestination(), make_items(1), lane)
    sending = asyncio.create_task(setup.fates())
    await turn()
    assert (lane.kept.entries, setup.destination.requests) == ([None], [])
    lane.alive = alive
    lane.kept.release()
    assert await sending == fates
    assert len(setup.destination.requests) == len(fates)


@pytest.mark.parametrize(
    ("error", "lost", "sent_again"), [(OUTAGE, [1], [[0, 1]]), (LOST, [1], [[0, 1]]), (LOST, [0, 1], [])]
)
def test_items_of_a_lane_that_is_lost_are_not_sent_again(
    error: BatchError, lost: list[int], sent_again: list[list[int]]
) -> None:
    lanes = [FakeLane(0), FakeLane(1)]

    def answer(batch: Batch) -> list[Outcome]:
        if not lanes[1].alive:
            return deliver_all(batch)
        for number in lost:
            lanes[number].alive = False
        raise error

    items = [make_item(0, lane=0), make_item(10, lane=1), make_item(1, lane=0)]
    setup = SenderSetup(FakeDestination(answer), items, *lanes)
    assert setup.run() == {offset: Fate.DELIVERED for request in sent_again for offset in request}
    assert setup.destination.requests == [[0, 10, 1], *sent_again]


@instantly
async def test_items_of_a_lane_that_is_lost_during_a_hold_are_not_sent() -> None:
    lane = FakeLane(0)
    setup = SenderSetup(FakeDestination(scripted(Unavailable("503", "busy", 60.0))), make_items(2), lane)
    fates = asyncio.create_task(setup.fates())
    await asyncio.sleep(30)
    lane.alive = False
    assert await fates == {}
    assert setup.destination.requests == [[0, 1]]


def test_request_of_a_process_that_was_frozen_does_not_leave() -> None:
    lane = FakeLane(0)

    class Frozen(FakeDestination):
        async def write(self, batch: Batch, pre_send_check: PreSendCheck) -> Sequence[Outcome]:
            if not self.requests:
                lane.kept.confirmed_at_s = -inf  # as after a long stop: Kafka has taken nothing from us for too long
            return await super().write(batch, pre_send_check)

    destination = Frozen()
    setup = SenderSetup(destination, make_items(1), lane)
    assert setup.run() == {0: Fate.DELIVERED}
    assert len(destination.requests) == 2  # the first was called back, then the lane was confirmed
