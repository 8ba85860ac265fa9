"""Dispatcher: batches go out as permits allow, and each item's outcome reaches its lane."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Refused, Unavailable
from sluice.events import Rows
from sluice.flow.batch import Batch, Item
from sluice.flow.flood_guard import FloodGuard
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.windows import WindowLimits, Windows
from sluice.kafka.settings import KafkaSettings
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.deliverer import Deliverer
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.delivery.limiter import Limiter, LimiterSettings
from sluice.writer.guard import GuardFollower
from tests.support.fakes import (
    FakeDestination,
    FakeLane,
    deliver_all,
    lanes_of,
    make_item,
    now_s,
    instantly,
    run_instantly,
    scripted,
    turn,
)

KAFKA = KafkaSettings(bootstrap_servers="nowhere:9")
OUTAGE = Unavailable("503", "busy", 600.0)
LOST = Ambiguous("connection lost")
REFUSED = Refused("400", "bad request", 400)


class Setup:
    """A dispatcher with all that it needs; windows close by count, so that no clock is involved."""

    def __init__(self, destination: FakeDestination, *, max_items: int = 1, max_concurrent: int = 4) -> None:
        self.destination = destination
        self.lane = {number: FakeLane(number) for number in (0, 1)}
        self.lanes = lanes_of(*self.lane.values())
        self.windows = Windows(WindowLimits(max_items=max_items, max_bytes=1000, max_age_s=3600.0))
        self.limiter = Limiter(
            LimiterSettings(max_concurrent=max_concurrent, requests_per_s=None, backoff_base_s=1.0, backoff_cap_s=60.0),
            monotonic=now_s,
            uniform=lambda: 1.0,
        )
        metrics = WriterMetrics("crm")
        self.guard = GuardFollower(KAFKA, "crm.control", FloodGuard(max_share=0.5, over_records=1000), metrics)
        deliverer = Deliverer("crm.records", destination, self.limiter, self.lanes, metrics)
        self.dispatcher = Dispatcher(self.windows, self.limiter, deliverer, self.guard, metrics)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Delivers while the body runs."""
        running = asyncio.create_task(self.dispatcher.run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait([running])

    def settled(self, lane: int = 0) -> list[int]:
        settlements = self.lane[lane].settlements
        return sorted(offset for one in settlements for offsets in one.offsets.values() for offset in offsets)


def _items(count: int, *, lane: int = 0) -> list[Item]:
    return [make_item(offset, lane=lane) for offset in range(count)]


@instantly
async def test_every_item_is_sent_and_settled_once() -> None:
    setup = Setup(FakeDestination(latency_s=1.0), max_items=10)
    async with setup.running():
        setup.dispatcher.add(_items(100))
        await asyncio.sleep(60)
    assert setup.settled() == list(range(100))
    assert sorted(offset for request in setup.destination.requests for offset in request) == list(range(100))
    assert setup.limiter.in_flight == 0


@pytest.mark.parametrize("max_concurrent", [1, 3])
@instantly
async def test_requests_in_flight_reach_the_limit_and_never_pass_it(max_concurrent: int) -> None:
    setup = Setup(FakeDestination(latency_s=1.0), max_concurrent=max_concurrent)
    async with setup.running():
        setup.dispatcher.add(_items(20))
        await asyncio.sleep(60)
    assert setup.destination.most_in_flight == max_concurrent
    assert setup.settled() == list(range(20))


@instantly
async def test_window_goes_on_filling_while_the_vendor_is_busy() -> None:
    setup = Setup(FakeDestination(latency_s=1.0), max_items=10, max_concurrent=1)
    async with setup.running():
        setup.dispatcher.add(_items(10))
        await asyncio.sleep(0.5)
        setup.dispatcher.add([make_item(offset) for offset in range(10, 13)])
        await asyncio.sleep(0.1)
        assert len(setup.windows) == 3


@instantly
async def test_batch_over_two_lanes_settles_in_both() -> None:
    setup = Setup(FakeDestination(), max_items=4)
    async with setup.running():
        setup.dispatcher.add([make_item(offset, lane=lane) for offset in (5, 6) for lane in (0, 1)])
        await turn()
    assert setup.destination.requests == [[5, 5, 6, 6]]
    [first], [second] = setup.lane[0].settlements, setup.lane[1].settlements
    assert (setup.settled(0), setup.settled(1)) == ([5, 6], [5, 6])
    assert first.entry.batch_id == second.entry.batch_id
    assert [(rows.offset, rows.row) for rows in first.entry.rows] == [(5, 0), (6, 2)]
    assert [(rows.offset, rows.row) for rows in second.entry.rows] == [(5, 1), (6, 3)]


@instantly
async def test_each_item_gets_its_own_outcome() -> None:
    def answer(batch: Batch) -> list[Outcome]:
        return [Outcome(Fate.REJECTED if item.offset == 1 else Fate.DELIVERED, "CODE") for item in batch.items]

    setup = Setup(FakeDestination(answer), max_items=3)
    async with setup.running():
        setup.dispatcher.add(_items(3))
        await turn()
    [settlement] = setup.lane[0].settlements
    assert [message.key for message in settlement.dead] == [b"0-1"]
    assert [message.key for message in settlement.succeeded] == [b"0-0", b"0-2"]


@instantly
async def test_outcomes_of_a_lane_that_is_lost_are_its_new_owners_affair() -> None:
    setup = Setup(FakeDestination(latency_s=1.0), max_items=2)
    async with setup.running():
        setup.dispatcher.add([make_item(5, lane=0), make_item(5, lane=1)])
        await asyncio.sleep(0.5)
        setup.lane[1].alive = False
        await asyncio.sleep(1)
    assert (setup.settled(0), setup.settled(1)) == ([5], [])


@instantly
async def test_drain_waits_for_what_is_with_the_vendor_and_drops_what_is_not() -> None:
    setup = Setup(FakeDestination(latency_s=10.0), max_concurrent=2)
    async with setup.running():
        setup.dispatcher.add(_items(5))
        await asyncio.sleep(1)
        started_at_s = now_s()
        await setup.dispatcher.drain(30.0)
        assert now_s() - started_at_s == pytest.approx(9.0)
        await asyncio.sleep(100)
    assert setup.settled() == [0, 1]
    assert setup.destination.requests == [[0], [1]]
    assert setup.limiter.in_flight == 0


@instantly
async def test_drain_waits_no_longer_than_it_may() -> None:
    setup = Setup(FakeDestination(latency_s=1000.0))
    async with setup.running():
        setup.dispatcher.add(_items(2))
        await asyncio.sleep(1)
        started_at_s = now_s()
        await setup.dispatcher.drain(30.0)
        assert now_s() - started_at_s == pytest.approx(30.0)
    assert (setup.settled(), setup.limiter.in_flight) == ([], 0)


@instantly
async def test_drain_drops_at_once_what_an_outage_holds() -> None:
    setup = Setup(FakeDestination(scripted(OUTAGE)))
    async with setup.running():
        setup.dispatcher.add(_items(1))
        await asyncio.sleep(1)
        started_at_s = now_s()
        await setup.dispatcher.drain(30.0)
        assert now_s() == started_at_s
        await asyncio.sleep(1000)
    assert setup.settled() == []
    assert setup.destination.requests == [[0]]


@instantly
async def test_drain_of_nothing_takes_no_time() -> None:
    setup = Setup(FakeDestination())
    async with setup.running():
        await turn()
        started_at_s = now_s()
        await setup.dispatcher.drain(30.0)
        assert now_s() == started_at_s


@instantly
async def test_batches_are_taken_again_after_a_drain() -> None:
    setup = Setup(FakeDestination(), max_concurrent=2)
    async with setup.running():
        await turn()
        await setup.dispatcher.drain(30.0)
        setup.dispatcher.add(_items(1))
        await asyncio.sleep(10)
        assert setup.settled() == []
        setup.dispatcher.resume()
        await asyncio.sleep(10)
        assert setup.settled() == [0]


@instantly
async def test_no_batch_is_taken_while_delivery_is_not_permitted() -> None:
    setup = Setup(FakeDestination())
    setup.guard.permits.clear()
    async with setup.running():
        setup.dispatcher.add(_items(1))
        await asyncio.sleep(10)
        assert setup.destination.requests == []
        setup.guard.permits.set()
        await turn()
        assert setup.settled() == [0]


@instantly
async def test_what_a_person_must_change_ends_delivery() -> None:
    setup = Setup(FakeDestination(scripted(Misconfigured("unknown tenant"))))
    setup.dispatcher.add(_items(1))
    with pytest.raises(ExceptionGroup) as caught:
        await setup.dispatcher.run()
    assert caught.group_contains(Misconfigured, match="unknown tenant")
    assert (setup.settled(), setup.limiter.in_flight) == ([], 0)


@instantly
async def test_batch_taken_before_a_drain_is_not_sent_after_it() -> None:
    setup = Setup(FakeDestination(scripted(OUTAGE), latency_s=1.0))
    async with setup.running():
        setup.dispatcher.add(_items(1))
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
    setup = Setup(FakeDestination(latency_s=1.0))
    async with setup.running():
        await turn()
        setup.dispatcher.add(_items(1))
        await turn(turns)  # after one turn the task that sends exists, but has not begun
        await setup.dispatcher.drain(30.0)
        assert setup.limiter.in_flight == 0


@pytest.mark.parametrize(
    ("script", "safe"),
    [
        pytest.param([REFUSED, None, OUTAGE], False, id="delivered before the other half met an outage"),
        pytest.param([LOST, OUTAGE], True, id="known to be ambiguous while the others are held"),
    ],
)
@instantly
async def test_fates_that_are_known_survive_a_drain(script: list[BatchError | None], safe: bool) -> None:
    setup = Setup(FakeDestination(scripted(*script)), max_items=2)
    async with setup.running():
        setup.dispatcher.add([make_item(0, replay_safe=False), make_item(1, replay_safe=safe)])
        await asyncio.sleep(5)
        await setup.dispatcher.drain(30.0)
    assert setup.settled() == [0]


@instantly
async def test_drain_does_not_wait_for_what_is_turned_away_meanwhile() -> None:
    setup = Setup(FakeDestination(scripted(OUTAGE), latency_s=5.0))
    async with setup.running():
        setup.dispatcher.add(_items(1))
        await asyncio.sleep(1)
        started_at_s = now_s()
        await setup.dispatcher.drain(30.0)
        assert now_s() - started_at_s == pytest.approx(4.0)


@instantly
async def test_requests_with_the_vendor_are_settled_before_misconfiguration_ends_delivery() -> None:
    async def answer(batch: Batch) -> list[Outcome]:
        if batch.items[0].offset == 1:
            raise Misconfigured("unknown tenant")
        await asyncio.sleep(5)
        return deliver_all(batch)

    setup = Setup(FakeDestination(answer))
    setup.dispatcher.add(_items(2))
    with pytest.raises(ExceptionGroup):
        await setup.dispatcher.run()
    await setup.dispatcher.drain(30.0)
    assert setup.settled() == [0]


@instantly
async def test_rows_are_positions_in_the_batch_also_after_a_lost_answer() -> None:
    setup = Setup(FakeDestination(scripted(LOST)), max_items=2)
    async with setup.running():
        setup.dispatcher.add([make_item(0), make_item(1, replay_safe=False)])
        await asyncio.sleep(60)
    rows = [row for settlement in setup.lane[0].settlements for row in settlement.entry.rows]
    assert rows == [Rows(0, 1, 1, 1), Rows(0, 0, 1, 0)]  # what is sent again settles first, the other is asked for


@instantly
async def test_rows_are_positions_in_the_batch_also_when_a_lane_is_lost() -> None:
    busy = Unavailable("503", "busy")

    setup = Setup(FakeDestination(scripted(busy, busy)), max_items=2)
    async with setup.running():
        setup.dispatcher.add([make_item(0, lane=1), make_item(5, lane=0)])
        await turn()
        setup.lane[1].alive = False
        await asyncio.sleep(60)
    assert [one.entry.rows for one in setup.lane[0].settlements] == [[Rows(0, 5, 1, 1)]]
