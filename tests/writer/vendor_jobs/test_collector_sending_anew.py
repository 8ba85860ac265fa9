"""Collector: what the vendor does not have is sent anew, and what nobody can tell of only if that does no harm."""

import asyncio

import pytest

from sluice.destinations.contract import Refused
from sluice.destinations.vendor_jobs import Gone, ResultsGone
from sluice.events import Operation, Rows
from sluice.flow.outcome import Fate
from sluice.writer.lanes.buffer import BufferLimits
from sluice.writer.vendor_jobs.collector import MAX_PART
from sluice.writer.vendor_jobs.job_table import NotArrived, Unknown, Verdict
from tests.support.factories import record, record_message
from tests.support.fake_jobs import DONE, FakeJobDestination
from tests.support.instant_clock import instantly
from tests.writer.delivery.setups import REFUSED
from tests.writer.vendor_jobs.setups import (
    CollectorSetup,
    JobLane,
    accept,
    collecting,
    entries_of,
    found_job,
    states_of,
)


@instantly
async def test_job_that_is_refused_as_a_whole_is_sent_in_halves() -> None:
    setup, lane, _ = collecting()
    setup.destination.collects += [REFUSED]
    await setup.collect(DONE)
    assert states_of(lane) == ["withdrawn"]
    assert setup.to_send() == [[5, 6], [7, 8]]
    assert (lane.fates, lane.jobs.by_batch, setup.destination.closed) == ({}, {}, [])


@instantly
async def test_large_job_that_is_refused_is_cut_to_parts_at_once() -> None:
    setup, _, _ = collecting(items=MAX_PART + 1)
    setup.destination.collects += [REFUSED]
    await setup.collect(DONE)
    assert setup.to_send() == [[5, 6, 7, 8]]


@instantly
async def test_single_row_that_is_refused_is_rejected_with_the_vendors_code() -> None:
    setup, lane, _ = collecting(Rows(0, 5, 1, 0))
    setup.destination.collects += [Refused("InvalidBatch", "no such field", 400)]
    await setup.collect(DONE)
    assert lane.fates == {5: ("rejected", "InvalidBatch")}
    assert setup.to_send() == []


@instantly
async def test_batch_that_never_arrived_is_sent_anew_in_its_order() -> None:
    setup, lane, _ = collecting(operation="insert")
    await setup.collect(NotArrived())
    [entry] = entries_of(lane)
    assert (entry.batch_id, entry.state, entry.rows) == ("batch-1", "withdrawn", [Rows(0, 5, 4, 0)])
    assert (setup.to_send(), lane.fates, lane.buffer.items) == ([[5, 6, 7, 8]], {}, 50)
    assert lane.accept(0, [record_message(50, record(key="5"))]) == []


@instantly
async def test_rows_of_a_batch_that_never_arrived_are_read_if_they_are_still_to_come() -> None:
    setup, lane, _ = collecting(read=7)
    await setup.collect(NotArrived())
    assert [one.rows for one in entries_of(lane)] == [[Rows(0, 7, 2, 2)], [Rows(0, 5, 2, 0)]]
    assert setup.to_send() == [[5, 6]]
    assert accept(lane, 7, 8, 9) == [7, 8, 9]


@instantly
async def test_batch_is_sent_anew_when_there_is_memory_for_it() -> None:
    setup, lane, _ = collecting()
    others = lane.buffer.share()
    others.enter(10_000, 0)
    setup.table.judge("batch-1", NotArrived())
    async with setup.running():
        await asyncio.sleep(60)
        assert (setup.to_send(), states_of(lane)) == ([], [])
        others.clear()
        await asyncio.sleep(2)
    assert setup.to_send() == [[5, 6, 7, 8]]


@instantly
async def test_batch_is_sent_anew_if_memory_is_full_of_what_waits_for_its_keys() -> None:
    job = found_job(Rows(0, 5, 4, 0))
    lane = JobLane(jobs=[job])
    lane.buffer.limits = BufferLimits(max_items=1, max_bytes=10_000)
    setup = CollectorSetup(FakeJobDestination(), lane)
    assert accept(lane, 5, 6, 7, 8) == []
    assert lane.accept(0, [record_message(50, record(key="5"))]) == []
    assert lane.is_crowded
    await setup.collect(NotArrived(), seconds=3)
    assert setup.to_send() == [[5, 6, 7, 8]]


@pytest.mark.parametrize(
    "verdict",
    [
        pytest.param(Gone("deleted"), id="the vendor has forgotten the job"),
        pytest.param(Unknown("lost-submit", "?", uses_attempt=False), id="nobody knows if it was submitted"),
    ],
)
@pytest.mark.parametrize(("operation", "fate"), [("upsert", "retryable"), ("insert", "ambiguous")])
@pytest.mark.parametrize("read", [7, 50], ids=["some rows still to come", "all rows read before"])
@instantly
async def test_job_of_which_nobody_can_tell(verdict: Verdict, operation: Operation, fate: str, read: int) -> None:
    setup, lane, _ = collecting(operation=operation, read=read)
    await setup.collect(verdict)
    code = "results-gone" if isinstance(verdict, Gone) else "lost-submit"
    assert lane.fates == dict.fromkeys((5, 6, 7, 8), (fate, code))
    assert {outcome.uses_attempt for outcome in lane.outcomes.values()} == {isinstance(verdict, Gone)}
    assert setup.to_send() == []
    assert accept(lane, *range(read, 60)) == [at for at in range(read, 60) if at > 8]


@instantly
async def test_results_that_the_vendor_has_deleted_are_given_up() -> None:
    setup, lane, _ = collecting(operation="insert")
    setup.destination.collects += [ResultsGone("older than 7 days")]
    await setup.collect(DONE)
    assert lane.fates == dict.fromkeys((5, 6, 7, 8), ("ambiguous", "results-gone"))


@instantly
async def test_row_that_the_settings_of_now_do_not_let_be_sent_is_not_sent_anew() -> None:
    setup, lane, _ = collecting()
    setup.replace(6, record_message(6, record(key="6", data=b'"bad"')))
    await setup.collect(NotArrived())
    assert setup.to_send() == [[5, 7, 8]]
    [settlement] = lane.settlements
    assert settlement.outcomes == {(Fate.REJECTED, "bad-data"): 1}
    withdrawn = [rows for entry in entries_of(lane) for rows in entry.rows]
    assert sum(rows.length for rows in withdrawn) == 4
    assert lane.jobs.by_batch == {}


@instantly
async def test_row_that_the_settings_of_now_do_not_let_be_sent_may_have_been_applied() -> None:
    setup, lane, _ = collecting(Rows(0, 5, 1, 0))
    setup.replace(5, record_message(5, record(key="5", data=b'"bad"')))
    await setup.collect(Gone("deleted"))
    assert lane.fates == {5: ("ambiguous", "results-gone")}
