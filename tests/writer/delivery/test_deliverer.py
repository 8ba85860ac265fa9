"""Deliverer: the fate of each item reaches its lane as soon as it is known."""

import asyncio
import gc
import logging
import weakref

import pytest

from sluice.destinations.contract import Ambiguous, BatchError
from sluice.events import Rows
from sluice.flow.batch import Batch
from sluice.flow.outcome import Fate, Outcome
from sluice.writer.lanes.settlement import VendorAnswer
from tests.support.factories import AMBIGUOUS, make_batch, make_item, make_items
from tests.support.fakes import Answer, FakeDestination, deliver_all, recovered_after, scripted
from tests.support.instant_clock import instantly, turn
from tests.writer.delivery.setups import LONG_OUTAGE, LOST, OUTAGE, REFUSED, DispatcherSetup


@instantly
async def test_batch_over_two_lanes_settles_in_both() -> None:
    setup = DispatcherSetup(FakeDestination(), max_items=4)
    async with setup.running():
        setup.dispatcher.add([make_item(offset, lane=lane) for offset in (5, 6) for lane in (0, 1)])
        await turn()
    assert setup.destination.requests == [[5, 5, 6, 6]]
    [first], [second] = setup.lane[0].settlements, setup.lane[1].settlements
    assert (setup.settled(0), setup.settled(1)) == ([5, 6], [5, 6])
    assert first.entries[0].batch_id == second.entries[0].batch_id
    assert [(rows.offset, rows.row) for rows in first.entries[0].rows] == [(5, 0), (6, 2)]
    assert [(rows.offset, rows.row) for rows in second.entries[0].rows] == [(5, 1), (6, 3)]


@instantly
async def test_each_item_gets_its_own_outcome() -> None:
    def answer(batch: Batch) -> list[Outcome]:
        return [Outcome(Fate.REJECTED if item.offset == 1 else Fate.DELIVERED, "CODE") for item in batch.items]

    setup = DispatcherSetup(FakeDestination(answer), max_items=3)
    async with setup.running():
        setup.dispatcher.add(make_items(3))
        await turn()
    [settlement] = setup.lane[0].settlements
    assert [message.key for message in settlement.dead] == [b"0-1"]
    assert [message.key for message in settlement.succeeded] == [b"0-0", b"0-2"]


@instantly
async def test_outcomes_of_a_lane_that_is_lost_are_kept_for_it() -> None:
    setup = DispatcherSetup(FakeDestination(latency_s=1.0), max_items=2)
    async with setup.running():
        setup.dispatcher.add([make_item(5, lane=0), make_item(5, lane=1)])
        await asyncio.sleep(0.5)
        setup.lane[1].alive = False
        await asyncio.sleep(1)
    assert (setup.settled(0), setup.settled(1)) == ([5], [])
    [answer] = setup.lanes.answers.take(1)
    assert isinstance(answer, VendorAnswer)
    assert [(item.lane, item.offset, outcome.fate) for item, outcome in answer.fates] == [(1, 5, Fate.DELIVERED)]


@pytest.mark.parametrize(
    ("script", "safe"),
    [
        pytest.param([REFUSED, None, LONG_OUTAGE], False, id="delivered before the other half met an outage"),
        pytest.param([LOST, LONG_OUTAGE], True, id="known to be ambiguous while the others are held"),
    ],
)
@instantly
async def test_fates_that_are_known_survive_a_drain(script: list[BatchError | None], safe: bool) -> None:
    setup = DispatcherSetup(FakeDestination(scripted(*script)), max_items=2)
    async with setup.running():
        setup.dispatcher.add([make_item(0, replay_safe=False), make_item(1, replay_safe=safe)])
        await asyncio.sleep(5)
        await setup.dispatcher.drain(30.0)
    assert setup.settled() == [0]


@instantly
async def test_rows_are_positions_in_the_batch_also_after_a_lost_answer() -> None:
    setup = DispatcherSetup(FakeDestination(scripted(LOST)), max_items=2)
    async with setup.running():
        setup.dispatcher.add([make_item(0), make_item(1, replay_safe=False)])
        await asyncio.sleep(60)
    rows = [row for settlement in setup.lane[0].settlements for entry in settlement.entries for row in entry.rows]
    assert rows == [Rows(0, 1, 1, 1), Rows(0, 0, 1, 0)]  # what is sent again settles first, the other is asked for


@instantly
async def test_rows_are_positions_in_the_batch_also_when_a_lane_is_lost() -> None:
    setup = DispatcherSetup(FakeDestination(scripted(OUTAGE, OUTAGE)), max_items=2)
    async with setup.running():
        setup.dispatcher.add([make_item(0, lane=1), make_item(5, lane=0)])
        await turn()
        setup.lane[1].alive = False
        await asyncio.sleep(60)
    assert [one.entries[0].rows for one in setup.lane[0].settlements] == [[Rows(0, 5, 1, 1)]]


def _lose_first(batch: Batch) -> list[Outcome]:
    return [AMBIGUOUS, *deliver_all(batch)[1:]]


@pytest.mark.parametrize(
    "answer",
    [pytest.param(scripted(LOST), id="lost as a whole"), pytest.param(_lose_first, id="lost for one of the items")],
)
@instantly
async def test_batch_is_settled_by_parts_while_the_vendor_is_asked_for_the_rest(
    answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sluice.writer.delivery.deliverer")
    setup = DispatcherSetup(FakeDestination(answer, recovered=recovered_after(LONG_OUTAGE)), max_items=2)
    async with setup.running():
        setup.dispatcher.add([make_item(0, replay_safe=False), make_item(1)])
        await asyncio.sleep(60)
        assert (setup.settled(), "batch settled" in caplog.messages) == ([1], False)
        await asyncio.sleep(600)
    assert setup.settled() == [0, 1]
    assert "batch settled" not in caplog.messages  # nor before Kafka has the receipts
    setup.lane[0].commit()
    [line] = [record for record in caplog.records if record.message == "batch settled"]
    assert vars(line)["outcomes"] == {"delivered CREATED": 2}


@instantly
async def test_nothing_of_a_batch_that_is_settled_waits_for_the_garbage_collector() -> None:
    def lose_first(batch: Batch) -> list[Outcome]:
        if len(setup.destination.requests) == 1:
            raise Ambiguous("lost")
        return deliver_all(batch)

    setup = DispatcherSetup(FakeDestination(lose_first), max_items=2)
    batch = make_batch(make_items(2))
    await setup.limiter.acquire()
    sender = setup.deliverer.sender_of(batch)
    await setup.deliverer.deliver(batch, sender, lambda parts: None)
    setup.lane[0].commit()
    gone = weakref.ref(sender)
    gc.disable()
    try:
        del sender
        assert gone() is None
    finally:
        gc.enable()
