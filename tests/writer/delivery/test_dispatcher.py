"""Dispatcher: batches are sent as permits allow, until it is drained."""

import asyncio
from itertools import chain

import pytest

from sluice.flow.batch import Batch
from sluice.flow.outcome import Outcome
from sluice.writer.commit_counter import CommitCounter
from sluice.writer.lanes.commit_cycle import CommitCycle
from tests.support.factories import make_item, make_items
from tests.support.fakes import FakeDestination, FakeLane, deliver_all, scripted
from tests.support.instant_clock import duration_s, instantly, turn
from tests.writer.delivery.setups import LONG_OUTAGE, LOST, REFUSED, DispatcherSetup


@pytest.mark.parametrize(("max_items", "max_concurrent"), [(10, 4), (1, 1), (1, 3)])
@instantly
async def test_every_item_is_sent_and_settled_once_by_as_many_requests_as_may_be_in_flight(
    max_items: int, max_concurrent: int
) -> None:
    setup = DispatcherSetup(FakeDestination(latency_s=1.0), max_items=max_items, max_concurrent=max_concurrent)
    async with setup.running():
        setup.dispatcher.add(make_items(50))
        await asyncio.sleep(60)
    assert sorted(chain.from_iterable(setup.destination.requests)) == setup.settled() == list(range(50))
    assert (setup.destination.most_in_flight, setup.limiter.in_flight) == (max_concurrent, 0)


@instantly
async def test_window_goes_on_filling_while_the_vendor_is_busy() -> None:
    setup = DispatcherSetup(FakeDestination(latency_s=1.0), max_items=10, max_concurrent=1)
    async with setup.running():
        setup.dispatcher.add(make_items(10))
        await asyncio.sleep(0.5)
        setup.dispatcher.add([make_item(offset) for offset in range(10, 13)])
        await asyncio.sleep(0.1)
        assert len(setup.windows) == 3


@instantly
async def test_window_that_closes_under_pressure_is_sent_at_once() -> None:
    setup = DispatcherSetup(FakeDestination(), max_items=10)
    async with setup.running():
        setup.dispatcher.add(make_items(3))
        await asyncio.sleep(1)
        assert setup.destination.requests == []
        setup.dispatcher.relieve(0, 0)
        await turn()
        assert setup.destination.requests == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("destination", "items", "drain_s", "settled"),
    [
        pytest.param(FakeDestination(latency_s=10.0), 5, 9.0, [0, 1], id="waits for what is with the vendor alone"),
        pytest.param(FakeDestination(latency_s=1000.0), 2, 30.0, [], id="waits no longer than it may"),
        pytest.param(FakeDestination(scripted(LONG_OUTAGE)), 1, 0.0, [], id="drops at once what an outage holds"),
        pytest.param(FakeDestination(scripted(LONG_OUTAGE), latency_s=5.0), 1, 4.0, [], id="drops what is turned away"),
        pytest.param(FakeDestination(), 0, 0.0, [], id="has nothing to wait for"),
    ],
)
@instantly
async def test_drain(destination: FakeDestination, items: int, drain_s: float, settled: list[int]) -> None:
    setup = DispatcherSetup(destination, max_concurrent=2)
    async with setup.running():
        setup.dispatcher.add(make_items(items))
        await asyncio.sleep(1)
        assert await duration_s(setup.dispatcher.drain(30.0)) == pytest.approx(drain_s)
        await asyncio.sleep(1000)
    assert (setup.settled(), setup.limiter.in_flight) == (settled, 0)
    assert destination.requests == [[offset] for offset in range(min(items, 2))]


@instantly
async def test_batches_are_taken_again_after_a_drain() -> None:
    setup = DispatcherSetup(FakeDestination(), max_concurrent=2)
    async with setup.running():
        await turn()
        await setup.dispatcher.drain(30.0)
        setup.dispatcher.add(make_items(1))
        await asyncio.sleep(10)
        assert setup.settled() == []
        setup.dispatcher.resume()
        await asyncio.sleep(10)
        assert setup.settled() == [0]


@instantly
async def test_no_batch_is_taken_while_delivery_is_not_permitted() -> None:
    setup = DispatcherSetup(FakeDestination())
    setup.guard.permits.clear()
    async with setup.running():
        setup.dispatcher.add(make_items(1))
        await asyncio.sleep(10)
        assert setup.destination.requests == []
        setup.guard.permits.set()
        await turn()
        assert setup.settled() == [0]


@instantly
async def test_what_nobody_foresaw_ends_delivery() -> None:
    def answer(batch: Batch) -> list[Outcome]:
        raise ZeroDivisionError

    setup = DispatcherSetup(FakeDestination(answer))
    setup.dispatcher.add(make_items(1))
    with pytest.raises(ExceptionGroup) as caught:
        await setup.dispatcher.run()
    assert caught.group_contains(ZeroDivisionError)
    assert (setup.settled(), setup.limiter.in_flight) == ([], 0)


@instantly
async def test_batch_that_is_bad_throughout_stops_delivery_within_tens_of_requests() -> None:
    destination = FakeDestination(scripted(*[REFUSED] * 5000), latency_s=0.05)
    setup = DispatcherSetup(destination, max_items=1000, max_concurrent=1)
    counter = CommitCounter(setup.metrics, setup.guard)
    async with setup.running():
        setup.dispatcher.add(make_items(1000))
        for _ in range(1000):
            await asyncio.sleep(0.35)  # a commit cycle
            counter.count(CommitCycle(list(setup.lane[0].settlements), 0, 0.0))
            setup.lane[0].commit()
    assert len(destination.requests) < 2 * (1 + 2 * 10 + 8)
    assert "1000 of the last 1000 records became dead letters, or seem bad" in str(setup.guard.reason)


@instantly
async def test_batches_that_are_due_go_before_what_was_put_back() -> None:
    def answer(batch: Batch) -> list[Outcome]:
        if batch.items[0].offset == 0:
            raise LOST
        return deliver_all(batch)

    setup = DispatcherSetup(FakeDestination(answer), max_items=4, max_concurrent=1)
    async with setup.running():
        setup.dispatcher.add(make_items(12))
        await asyncio.sleep(600)
    assert setup.settled() == list(range(12))
    assert setup.destination.requests[:7] == [*[[0, 1, 2, 3]] * 5, [4, 5, 6, 7], [8, 9, 10, 11]]


@instantly
async def test_batch_taken_before_a_drain_is_not_sent_after_it() -> None:
    setup = DispatcherSetup(FakeDestination(scripted(LONG_OUTAGE), latency_s=1.0))
    async with setup.running():
        setup.dispatcher.add(make_items(1))
        await asyncio.sleep(1.5)  # the gate is shut now, and delivery waits for the next batch
        setup.dispatcher.add([make_item(1)])
        await turn()
        await setup.dispatcher.drain(30.0)
        setup.windows.discard(0)
        setup.lane[0] = FakeLane(0)  # owned again: its items are read again
        setup.dispatcher.resume()
        await asyncio.sleep(2000)
    assert setup.destination.requests == [[0]]


@pytest.mark.parametrize("turns", range(5))
@instantly
async def test_drain_at_any_moment_leaves_no_permit_behind(turns: int) -> None:
    setup = DispatcherSetup(FakeDestination(latency_s=1.0))
    async with setup.running():
        await turn()
        setup.dispatcher.add(make_items(1))
        await turn(turns)  # after one turn the task that sends exists, but has not begun
        await setup.dispatcher.drain(30.0)
        assert setup.limiter.in_flight == 0


@instantly
async def test_requests_with_the_vendor_are_settled_before_the_unforeseen_ends_delivery() -> None:
    async def answer(batch: Batch) -> list[Outcome]:
        if batch.items[0].offset == 1:
            raise ZeroDivisionError
        await asyncio.sleep(5)
        return deliver_all(batch)

    setup = DispatcherSetup(FakeDestination(answer))
    setup.dispatcher.add(make_items(2))
    with pytest.raises(ExceptionGroup):
        await setup.dispatcher.run()
    await setup.dispatcher.drain(30.0)
    assert setup.settled() == [0]


@instantly
async def test_no_more_batches_are_under_way_than_there_is_room_for() -> None:
    destination = FakeDestination(latency_s=1.0)
    setup = DispatcherSetup(destination, has_room=lambda under_way: under_way < 2)
    async with setup.running():
        setup.dispatcher.add(make_items(5))
        await asyncio.sleep(10)
    assert (destination.most_in_flight, setup.settled()) == (2, list(range(5)))


@instantly
async def test_batches_wait_until_somebody_says_that_there_is_room() -> None:
    is_full = True
    setup = DispatcherSetup(FakeDestination(), has_room=lambda _: not is_full)
    async with setup.running():
        setup.dispatcher.add(make_items(1))
        await asyncio.sleep(10)
        assert setup.settled() == []
        is_full = False
        setup.dispatcher.look()
        await turn()
        assert setup.settled() == [0]
