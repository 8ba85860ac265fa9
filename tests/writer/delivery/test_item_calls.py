"""ItemCalls: a call leaves with a permit and a lane that is ours, and what is noted is in the journal first."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from sluice.destinations.contract import BatchError, Refused, Unavailable, unproven
from sluice.events import MAX_REFS_BYTES, BatchEvent, Rows
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.batch_lanes import BatchLanes
from sluice.writer.delivery.clearance import Clearance
from sluice.writer.delivery.holder import Holder
from sluice.writer.delivery.item_calls import Abandoned, CallDesk, ItemCalls
from tests.support.factories import make_batch, make_items
from tests.support.fake_items import FakeItemDestination
from tests.support.fakes import FakeLane, lanes_of
from tests.support.instant_clock import instantly, now_s
from tests.writer.delivery.setups import LOST, OUTAGE, REFUSED, make_limiter


class _Setup:
    def __init__(self) -> None:
        self.lane = FakeLane(0)
        self.limiter = make_limiter()
        metrics = WriterMetrics("crm")
        batch = make_batch(make_items(2))
        lanes = BatchLanes(lanes_of(self.lane))
        clearance = Clearance(batch, FakeItemDestination(), self.limiter, lanes, metrics)
        clearance.release_permit()
        self.limiter.in_flight = 0
        self.desk = CallDesk(batch, clearance, lanes, self.limiter, Holder("b", self.limiter, metrics), 130.0)
        self.item = batch.items[1]
        self.calls = ItemCalls(self.desk, self.item)


@instantly
async def test_permit_is_taken_for_the_time_of_the_call() -> None:
    setup = _Setup()
    async with setup.calls.permit() as pre_send_check:
        pre_send_check()
        assert (setup.limiter.in_flight, setup.desk.out, setup.desk.requests) == (1, 1, 1)
    assert (setup.limiter.in_flight, setup.desk.out, setup.limiter.answered) == (0, 0, 1)


@pytest.mark.parametrize(
    ("error", "failures"),
    [
        pytest.param(lambda: OUTAGE, 1, id="an outage holds"),
        pytest.param(lambda: LOST, 1, id="a lost answer holds"),
        pytest.param(lambda: REFUSED, 0, id="a refusal is an answer"),
        pytest.param(lambda: ValueError("ours"), 0, id="an error of ours teaches nothing"),
    ],
)
def test_failed_call_gives_its_permit_back(error: Callable[[], Exception], failures: int) -> None:
    @instantly
    async def run() -> None:
        setup = _Setup()
        with pytest.raises((BatchError, ValueError)):
            async with setup.calls.permit():
                raise error()
        assert (setup.limiter.in_flight, setup.limiter.failures, setup.desk.out) == (0, failures, 0)

    run()


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        pytest.param(LOST, True, id="a lost answer"),
        pytest.param(unproven(Refused("404", "no page", 404), may_be_repeated=True), True, id="perhaps a proxy's"),
        pytest.param(REFUSED, False, id="the vendor's own refusal"),
        pytest.param(OUTAGE, False, id="an outage"),
    ],
)
def test_newer_writes_of_a_key_wait_where_a_call_may_be_at_work_though_the_kind_goes_on(
    error: BatchError, waits: bool
) -> None:
    @instantly
    async def run() -> None:
        setup = _Setup()
        with suppress(BatchError):
            async with setup.calls.permit():
                raise error
        assert (setup.item.may_run_until_s > now_s() + 100) is waits

    run()


@instantly
async def test_nothing_is_called_for_a_lane_that_is_lost_during_the_wait() -> None:
    setup = _Setup()
    setup.lane.alive = False
    with pytest.raises(Abandoned):
        async with setup.calls.permit():
            pass
    assert (setup.limiter.in_flight, setup.desk.requests) == (0, 0)
    with pytest.raises(Abandoned):
        await setup.calls.note({"meeting": "7"})


@instantly
async def test_stale_lane_is_confirmed_before_a_call_and_checked_before_it_leaves() -> None:
    setup = _Setup()
    setup.lane.kept.confirmed_at_s = 0.0
    async with setup.calls.permit() as pre_send_check:
        assert setup.lane.kept.entries == [None]
        setup.lane.kept.confirmed_at_s = 0.0
        with pytest.raises(Unavailable, match="frozen"):
            pre_send_check()


@instantly
async def test_note_is_in_the_journal_and_with_the_item() -> None:
    setup = _Setup()
    await setup.calls.note({"meeting": "7"})
    await setup.calls.note({"added": "2"})
    rows = [Rows(0, 1, 1, 1)]
    assert setup.lane.kept.entries == [
        BatchEvent(batch_id="batch-1", state="noted", batch_key="company", refs=refs, rows=rows)
        for refs in ({"meeting": "7"}, {"added": "2"})
    ]
    assert setup.item.refs == {"meeting": "7", "added": "2"}
    assert setup.desk.out == 0


@instantly
async def test_note_that_would_not_fit_into_a_header_is_an_error_of_the_kind() -> None:
    setup = _Setup()
    with pytest.raises(ValueError, match=f"at most {MAX_REFS_BYTES} bytes"):
        await setup.calls.note({"meeting": "7" * MAX_REFS_BYTES})
    assert setup.lane.kept.entries == []


@instantly
async def test_strangers_refs_give_way_to_our_own() -> None:
    """Otherwise one record with a header of many bytes would end the writer, again and again."""
    setup = _Setup()
    setup.item.refs = {"theirs": "x" * (MAX_REFS_BYTES - 20)}
    await setup.calls.note({"meeting": "7"})
    assert setup.item.refs == {"meeting": "7"}


@instantly
async def test_what_was_found_is_noted_without_what_was_known() -> None:
    setup = _Setup()
    before = setup.item.refs = {"theirs": "x" * (MAX_REFS_BYTES - 20)}
    setup.item.refs = {**before, "meeting": "7"}
    assert await setup.calls.note_found(before)
    assert setup.item.refs == {"meeting": "7"}
    assert [entry.refs for entry in setup.lane.kept.entries if entry is not None] == [{"meeting": "7"}]
    setup.desk.lanes.lose(0)
    assert not await setup.calls.note_found(before)
