"""WriteAhead: the journal knows what must not be sent twice before it is sent."""

import asyncio

import pytest

from sluice.destinations.contract import BatchError
from sluice.events import BatchEvent, Rows
from sluice.flow.outcome import Outcome
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.delivery.write_ahead import WriteAhead
from tests.support.factories import AMBIGUOUS, DELIVERED, NOON, make_batch, make_item, make_items
from tests.support.fakes import FakeDestination, FakeLane, lanes_of, recovered_after, scripted
from tests.support.instant_clock import instantly, turn
from tests.writer.delivery.setups import LONG_OUTAGE, LOST, OPENED, OUTAGE, REFUSED, SenderSetup


def _entries(lane: FakeLane) -> list[BatchEvent]:
    return [entry for entry in lane.kept.entries if entry is not None]


@instantly
async def test_what_must_not_be_sent_twice_is_in_the_journal_before_it_is_sent() -> None:
    lane = FakeLane(0)
    lane.kept.writing = False
    items = [make_item(0), make_item(1, replay_safe=False), make_item(2, replay_safe=False)]
    setup = SenderSetup(FakeDestination(), items, lane)
    fates = asyncio.create_task(setup.fates())
    await turn()
    [entry] = _entries(lane)
    assert (entry.batch_id, entry.state, entry.rows) == ("batch-1", "opened", [Rows(0, 1, 2, 1)])
    assert setup.destination.requests == []
    lane.kept.release()
    await fates
    assert setup.destination.requests == [[0, 1, 2]]


@pytest.mark.parametrize(
    "first",
    [pytest.param(OUTAGE, id="after an outage"), pytest.param(LOST, id="after a lost answer that was not applied")],
)
def test_what_is_sent_again_is_in_the_journal_with_the_time_of_its_last_request(first: BatchError) -> None:
    lane = FakeLane(0)
    destination = FakeDestination(scripted(first), recovered=lambda batch: [None])
    setup = SenderSetup(destination, [make_item(0, replay_safe=False)], lane)
    setup.run()
    opened_at = [entry.requested_at for entry in _entries(lane) if entry.requested_at]
    assert len(opened_at) == len(destination.requests) == 2
    assert opened_at[0] < opened_at[1]


@pytest.mark.parametrize(
    ("replay_safe", "checks"),
    [pytest.param(False, 1, id="must not be sent twice"), pytest.param(True, 0, id="may be sent twice")],
)
def test_vendors_clock_is_learnt_before_the_first_request_that_must_not_be_sent_twice(
    replay_safe: bool, checks: int
) -> None:
    lane, destination = FakeLane(0), FakeDestination(scripted(OUTAGE))
    destination.vendor_at = None
    SenderSetup(destination, [make_item(0, replay_safe=replay_safe)], lane).run()
    assert destination.checks == checks
    assert {entry.vendor_at for entry in _entries(lane)} == ({NOON} if checks else set())


def test_request_is_sent_although_the_vendors_clock_cannot_be_learnt() -> None:
    lane, destination = FakeLane(0), FakeDestination(ill=OUTAGE)
    destination.vendor_at = None
    SenderSetup(destination, [make_item(0, replay_safe=False)], lane).run()
    assert destination.requests == [[0]]
    assert [entry.vendor_at for entry in _entries(lane)] == [None]


@instantly
async def test_vendor_that_wants_a_pause_when_it_is_asked_for_its_clock_has_it() -> None:
    destination = FakeDestination(ill=LONG_OUTAGE)
    destination.vendor_at = None
    setup = SenderSetup(destination, [make_item(0, replay_safe=False)])
    fates = asyncio.create_task(setup.fates())
    await asyncio.sleep(599)
    assert (destination.checks, destination.requests, setup.limiter.in_flight) == (1, [], 0)
    await fates
    assert (destination.checks, destination.requests) == (1, [[0]])


def test_journal_of_each_lane_has_its_own_items() -> None:
    lanes = {0: FakeLane(0), 1: FakeLane(1)}
    items = [make_item(5 + lane, lane=lane, replay_safe=False) for lane in (0, 1)]
    SenderSetup(FakeDestination(scripted(OUTAGE, REFUSED)), items, *lanes.values()).run()
    for row, lane in enumerate(lanes.values()):
        assert [entry.rows for entry in _entries(lane)] == 3 * [[Rows(0, 5 + row, 1, row)]]


def test_what_may_be_sent_twice_needs_no_journal() -> None:
    lane = FakeLane(0)
    SenderSetup(FakeDestination(scripted(OUTAGE, LOST)), make_items(3), lane).run()
    assert lane.kept.entries == []


@pytest.mark.parametrize(
    ("outcomes", "opened"),
    [
        pytest.param([DELIVERED, AMBIGUOUS], [], id="to ask opens nothing"),
        pytest.param([DELIVERED, None], [[Rows(0, 1, 1, 1)]], id="what was not applied"),
    ],
)
def test_only_what_is_sent_again_of_a_batch_in_doubt_is_opened(
    outcomes: list[Outcome | None], opened: list[list[Rows]]
) -> None:
    lane = FakeLane(0)
    items = [make_item(offset, replay_safe=False) for offset in range(2)]
    SenderSetup(FakeDestination(recovered=lambda batch: outcomes), items, lane, in_doubt=OPENED).run()
    assert [entry and entry.rows for entry in lane.kept.entries] == opened


@pytest.mark.parametrize(
    ("answer", "states"),
    [
        pytest.param(OUTAGE, ["opened", "withdrawn"], id="turned away, then given up"),
        pytest.param(LOST, ["opened"], id="answer lost, then given up"),
        pytest.param(None, ["opened"], id="answered"),
    ],
)
@instantly
async def test_journal_is_told_what_was_opened_and_not_sent(answer: BatchError | None, states: list[str]) -> None:
    lane = FakeLane(0)
    destination = FakeDestination(scripted(answer, OUTAGE), recovered=recovered_after(LONG_OUTAGE))
    setup = SenderSetup(destination, [make_item(0, replay_safe=False)], lane)
    fates = asyncio.create_task(setup.fates())
    await asyncio.sleep(0.5)
    fates.cancel()
    await asyncio.wait([fates])
    assert [entry.state for entry in _entries(lane)] == states


@instantly
async def test_nothing_is_withdrawn_for_a_lane_that_is_lost() -> None:
    lane, items = FakeLane(), [make_item(replay_safe=False)]
    write_ahead = WriteAhead(make_batch(items), FakeDestination(), BatchLanes(lanes_of(lane)))
    write_ahead.open(items)
    lane.alive = False
    write_ahead.withdraw()
    assert [entry.state for entry in _entries(lane)] == ["opened"]
