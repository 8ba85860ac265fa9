"""Submitter: what may run at the vendor is in the journal before, and leaves memory after."""

import asyncio

import pytest

from sluice.destinations.contract import BatchError, Misconfigured, Refused, Rejection
from sluice.destinations.vendor_jobs import RefusedItems
from sluice.events import Rows
from sluice.flow.batch import Item
from sluice.flow.key_hashes import decode_hashes, hash_of
from sluice.writer.delivery.deliverer import Deliverer
from tests.support.factories import NOON, make_item, make_items
from tests.support.fake_jobs import FakeJobDestination
from tests.support.fakes import FakeLane, sample
from tests.support.instant_clock import duration_s, in_background, instantly, now_s, turn
from tests.writer.delivery.setups import LONG_OUTAGE, LOST, OUTAGE, REFUSED
from tests.writer.vendor_jobs.setups import SubmitterSetup, entries_of, states_of


def _setup(
    *submits: BatchError | None, items: list[Item] | None = None, lanes: tuple[FakeLane, ...] = ()
) -> SubmitterSetup:
    return SubmitterSetup(FakeJobDestination(submits=submits), items or make_items(3), *lanes)


@instantly
async def test_each_step_at_the_vendor_waits_for_the_journal() -> None:
    setup = _setup()
    kept, destination = setup.lane[0].kept, setup.destination
    kept.writing = False
    async with in_background(setup.run()):
        await turn()
        assert (states_of(setup.lane[0]), destination.created) == (["opened"], [])
        kept.release()
        await turn()
        assert (states_of(setup.lane[0]), destination.created) == (["opened", "named"], ["job-1"])
        assert destination.started == []
        kept.release()
        await turn()
        assert destination.started == [[0, 1, 2]]
    assert states_of(setup.lane[0]) == ["opened", "named", "submitted"]
    assert entries_of(setup.lane[0])[-1].refs == {"job": "job-1"}


@instantly
async def test_journal_has_what_it_takes_to_find_a_job_and_to_collect_it() -> None:
    items = [make_item(7, lane=1), make_item(5), make_item(6, replay_safe=False)]
    setup = _setup(items=items, lanes=(FakeLane(0), FakeLane(1)))
    await setup.run()
    opened, other = entries_of(setup.lane[0])[0], entries_of(setup.lane[1])[0]
    assert (opened.rows, other.rows) == ([Rows(0, 5, 2, 1)], [Rows(0, 7, 1, 0)])
    assert opened.vendor_job is not None
    assert (opened.vendor_job.items, opened.vendor_job.fingerprint, opened.vendor_at) == (3, "7,5,6", NOON)
    assert list(decode_hashes(opened.vendor_job.key_hashes)) == [hash_of(b"0-5"), hash_of(b"0-6")]


@instantly
async def test_submitted_items_leave_memory_and_their_keys_stay_busy() -> None:
    setup = _setup()
    await setup.run()
    lane = setup.lane[0]
    assert lane.buffer.items == 0
    [job] = lane.jobs.by_batch.values()
    assert (job.batch_id, job.open, job.refs, job.is_submitted) == ("batch-1", 3, {"job": "job-1"}, True)
    assert lane.order.admit([make_item(9, key="0-1")]).runnable == []
    assert setup.table.submitted.is_set()
    assert setup.settled == []


@instantly
async def test_lost_submit_leaves_memory_and_is_looked_for() -> None:
    setup = _setup(LOST)
    await setup.run()
    lane = setup.lane[0]
    assert states_of(lane) == ["opened", "named"]
    [job] = lane.jobs.by_batch.values()
    assert (job.refs, job.is_submitted, job.lost_at_s) == ({"job": "job-1"}, False, now_s())
    assert lane.buffer.items == 0
    assert setup.limiter.failures == 1


@pytest.mark.parametrize("error", [OUTAGE, Misconfigured("no such object")], ids=["outage", "misconfigured"])
@instantly
async def test_what_was_turned_away_is_withdrawn_and_submitted_again(error: BatchError) -> None:
    setup = _setup(error, error)
    assert await duration_s(setup.run()) == 3.0
    submit = ["opened", "named"]
    assert states_of(setup.lane[0]) == [*submit, "withdrawn", *submit, "withdrawn", *submit, "submitted"]
    assert (setup.destination.started, setup.sender.requests) == ([[0, 1, 2]], 3)
    assert setup.lane[0].jobs.by_batch["batch-1"].refs == {"job": "job-3"}


@pytest.mark.parametrize(
    "error", [OUTAGE, Misconfigured("no such object"), LOST], ids=["outage", "misconfigured", "lost answer"]
)
@instantly
async def test_batch_that_cannot_be_prepared_now_is_prepared_later(error: BatchError) -> None:
    setup = _setup()
    setup.destination.prepares += [error]
    await setup.run()
    assert states_of(setup.lane[0]) == ["opened", "named", "submitted"]


@instantly
async def test_refused_batch_is_put_back_in_halves() -> None:
    setup = _setup(REFUSED)
    await setup.run()
    assert states_of(setup.lane[0]) == ["opened", "named", "withdrawn"]
    halves = [[item.offset for item in part.items] for part in setup.put_back]
    assert (halves, [part.suspected for part in setup.put_back]) == ([[0], [1, 2]], [1, 1])
    assert (setup.settled, setup.lane[0].buffer.items) == ([], 3)


@instantly
async def test_refused_item_is_rejected_with_the_vendors_code() -> None:
    setup = _setup(Refused("INVALID", "no", 400), items=make_items(1))
    await setup.run()
    assert setup.fates == {0: ("rejected", "INVALID")}
    assert setup.put_back == []


@instantly
async def test_items_that_would_be_refused_are_rejected_and_the_others_are_another_batch() -> None:
    setup = _setup()
    setup.destination.prepares += [RefusedItems({1: Rejection("no-field", "no such field")})]
    await setup.run()
    assert setup.fates == {1: ("rejected", "no-field")}
    assert setup.destination.started == [[0, 2]]
    [job] = setup.lane[0].jobs.by_batch.values()
    assert (job.batch_id != "batch-1", job.items, job.rows[0].row_of(2)) == (True, 2, 1)


@instantly
async def test_batch_of_which_all_would_be_refused_is_not_submitted() -> None:
    setup = _setup(items=make_items(2))
    setup.destination.prepares += [RefusedItems(dict.fromkeys(range(2), Rejection("no-object", "no such object")))]
    await setup.run()
    assert len(setup.settled) == 2
    assert (setup.destination.created, entries_of(setup.lane[0])) == ([], [])


@pytest.mark.parametrize("lost_at", ["opened", "named"])
@instantly
async def test_batch_whose_lane_is_lost_before_it_may_run_goes_on_without_it(lost_at: str) -> None:
    lanes = FakeLane(0), FakeLane(1)
    setup = _setup(items=[make_item(0), make_item(5, lane=1)], lanes=lanes)
    for lane in lanes:
        lane.kept.writing = False
    async with in_background(setup.run()):
        await turn()
        if lost_at == "named":
            for lane in lanes:
                lane.kept.release()
            await turn()
        lanes[1].alive = False
        for lane in lanes:
            lane.kept.writing = True
            lane.kept.release()
        await turn(50)
    first = ["opened", "named"] if lost_at == "named" else ["opened"]
    assert states_of(lanes[0]) == [*first, "withdrawn", "opened", "named", "submitted"]
    assert states_of(lanes[1]) == first
    assert setup.destination.started == [[0]]
    [job] = lanes[0].jobs.by_batch.values()
    assert (job.batch_id != "batch-1", job.items) == (True, 1)


@instantly
async def test_lane_that_is_lost_while_the_vendor_has_the_batch_keeps_nothing_of_it() -> None:
    lane = FakeLane(0)
    setup = _setup(lanes=(lane,))
    setup.destination.latency_s = 5.0
    async with in_background(setup.run()):
        await asyncio.sleep(1)
        lane.alive = False
        await asyncio.sleep(10)
    assert setup.destination.started == [[0, 1, 2]]
    assert (states_of(lane), lane.jobs.by_batch) == (["opened", "named"], {})


@instantly
async def test_process_that_was_frozen_does_not_start_the_job() -> None:
    lane = FakeLane(0)
    setup = _setup(lanes=(lane,))
    lane.kept.writing = False
    async with in_background(setup.run()):
        await turn()
        lane.kept.release()
        await turn()
        lane.kept.release()
        lane.kept.confirmed_at_s = 0.0
        await turn()
        assert setup.destination.started == []
        assert states_of(lane) == ["opened", "named", "withdrawn"]


@pytest.mark.parametrize(
    ("turns", "states"),
    [
        pytest.param(0, ["opened", "withdrawn"], id="before it is sent"),
        pytest.param(1, ["opened", "named"], id="while the vendor may have it"),
    ],
)
@instantly
async def test_cancelled_submit_is_withdrawn_only_if_nothing_left(turns: int, states: list[str]) -> None:
    setup = _setup()
    lane = setup.lane[0]
    lane.kept.writing = False
    running = asyncio.create_task(setup.run())
    await turn()
    for _ in range(turns):
        lane.kept.release()
        await turn()
    assert setup.sender.with_vendor is bool(turns)
    running.cancel()
    await asyncio.wait([running])
    assert states_of(lane) == states
    assert lane.jobs.by_batch == {}


@instantly
async def test_start_that_is_under_way_is_waited_for() -> None:
    setup = _setup()
    setup.destination.latency_s = 5.0
    async with in_background(setup.run()):
        await asyncio.sleep(1)
        setup.sender.abandon()
        assert await duration_s(setup.sender.answered()) == 4.0
    assert len(setup.lane[0].jobs.by_batch) == 1


@instantly
async def test_batch_that_is_abandoned_before_its_start_is_withdrawn() -> None:
    setup = _setup()
    lane = setup.lane[0]
    lane.kept.writing = False
    async with in_background(setup.run()):
        await turn()
        lane.kept.release()
        await turn()
        setup.sender.abandon()
        lane.kept.release()
        await setup.sender.answered()
    assert setup.destination.started == []
    assert states_of(lane) == ["opened", "named", "withdrawn"]


@pytest.mark.parametrize("by", ["abandoned", "its lane lost"])
@instantly
async def test_batch_that_is_no_longer_ours_after_an_outage_is_not_opened_again(by: str) -> None:
    setup = _setup(LONG_OUTAGE)
    running = asyncio.create_task(setup.run())
    await turn()
    if by == "abandoned":
        setup.sender.abandon()
    else:
        setup.lane[0].alive = False
    await running
    assert setup.destination.started == []
    assert states_of(setup.lane[0]) == ["opened", "named", "withdrawn"]


@pytest.mark.parametrize("rejected", [False, True], ids=["all submitted", "one rejected"])
@instantly
async def test_window_is_counted_once(rejected: bool) -> None:
    setup = _setup()
    if rejected:
        setup.destination.prepares += [RefusedItems({1: Rejection("no-field", "no such field")})]
    deliverer = Deliverer("crm.records", setup.sender_of, setup.lanes, setup.metrics)
    await setup.limiter.acquire()
    await deliverer.deliver(setup.batch, setup.sender_of(setup.batch), setup.put_back.extend)
    assert sample(setup.metrics, "sluice_window_items_count", reason="count") == 1.0
    assert sample(setup.metrics, "sluice_window_items_sum", reason="count") == 3.0
