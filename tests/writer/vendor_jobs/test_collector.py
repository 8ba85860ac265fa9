"""Collector: each row of a job gets one fate, once, by results that cover it."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError

from sluice.destinations.contract import BatchError
from sluice.destinations.vendor_jobs import Gone, Over, ResultsIncomplete
from sluice.events import BatchEvent, OpenedJob, Operation, Rows, VendorJobOrder
from sluice.flow.journal import Journal
from sluice.flow.key_hashes import encode_hashes
from sluice.flow.outcome import Fate, Outcome
from sluice.vendor_jobs.orders import LaneOrder
from sluice.writer.vendor_jobs.collector import IDLE_AFTER_S
from sluice.writer.vendor_jobs.job_table import NotArrived, Verdict
from tests.support.factories import DELIVERED, NOON, FakeMessage, record, record_message, starts_at
from tests.support.fake_jobs import DONE, FakeJobDestination
from tests.support.instant_clock import instantly, turn
from tests.writer.delivery.setups import LONG_OUTAGE, OUTAGE
from tests.writer.vendor_jobs.setups import CollectorSetup, JobLane, collecting, entries_of, found_job

STORED = ("delivered", "CREATED")
BROKEN = Outcome(Fate.REJECTED, "BROKEN")
DOWN = KafkaConnectionError()


@instantly
async def test_each_row_gets_the_fate_that_its_result_tells() -> None:
    setup, lane, _ = collecting()
    setup.destination.results = [(0, DELIVERED), (1, BROKEN), (2, DELIVERED), (3, DELIVERED)]
    await setup.collect(DONE)
    assert lane.fates == {5: STORED, 6: ("rejected", "BROKEN"), 7: STORED, 8: STORED}
    [entry] = [entry for one in lane.settlements for entry in one.entries]
    assert (entry.batch_id, entry.state, entry.rows) == ("batch-1", "settled", [Rows(0, 5, 4, 0)])
    assert (lane.jobs.by_batch, setup.table.verdicts) == ({}, {})
    lane.commit()
    assert lane.buffer.items == 50 - 4


@instantly
async def test_rows_of_all_lanes_and_topics_have_results_in_one_list() -> None:
    first = JobLane(0, jobs=[found_job(Rows(0, 5, 2, 0), Rows(1, 7, 1, 4), items=5)])
    second = JobLane(1, jobs=[found_job(Rows(0, 9, 2, 2), items=5)])
    setup = CollectorSetup(FakeJobDestination(), first, second)
    setup.destination.results = [(row, Outcome(Fate.DELIVERED, str(row))) for row in range(5)]
    await setup.collect(DONE)
    assert {place: outcome.code for place, outcome in first.outcomes.items()} == {(0, 5): "0", (0, 6): "1", (1, 7): "4"}
    assert {place: outcome.code for place, outcome in second.outcomes.items()} == {(0, 9): "2", (0, 10): "3"}
    assert (setup.destination.collected, setup.destination.closed) == (1, ["J"])


@pytest.mark.parametrize(
    ("verdict", "settled"),
    [
        pytest.param(DONE, [range(5, 9)], id="collected"),
        pytest.param(Gone("deleted"), [range(5, 9)], id="given up"),
        pytest.param(NotArrived(), [range(6, 7)], id="sent anew"),
    ],
)
@instantly
async def test_next_owner_finds_the_job_ended_and_no_row_without_its_fate(
    verdict: Verdict, settled: list[range]
) -> None:
    setup, lane, job = collecting(operation="insert")
    hashes = encode_hashes(job.rows[0].open_hashes)
    setup.replace(6, FakeMessage(offset=6, key=b"6", value=b"{}"))  # no record event any more
    await setup.collect(verdict)
    journal = Journal(starts_at(0, 0, 0), opened_at_s=0.0)
    opened = BatchEvent(
        batch_id="batch-1",
        state="opened",
        rows=[Rows(0, 5, 4, 0)],
        requested_at=NOON,
        vendor_job=OpenedJob(items=4, fingerprint="f", key_hashes=hashes),
    )
    entries = [opened, *entries_of(lane), *(entry for one in lane.settlements for entry in one.entries)]
    for position, entry in enumerate(entries):
        journal.read(position, entry)
    assert (journal.jobs, list(journal.settled[0].runs())) == ({}, settled)


@instantly
async def test_rows_of_other_processes_are_left_to_them() -> None:
    setup, lane, _ = collecting(items=9)
    await setup.collect(DONE)
    assert sorted(lane.fates) == [5, 6, 7, 8]


@instantly
async def test_verdict_is_carried_out_once() -> None:
    setup, _, _ = collecting()
    await setup.collect(DONE, seconds=600)
    assert (setup.destination.collected, setup.destination.closed) == (1, ["J"])


@instantly
async def test_job_is_closed_only_when_its_receipts_are_committed() -> None:
    setup, lane, _ = collecting()
    lane.kept.writing = False
    setup.table.judge("batch-1", DONE)
    async with setup.running():
        await turn(50)
        assert (len(lane.fates), setup.destination.closed) == (4, [])
        lane.kept.release()
        await turn()
        assert setup.destination.closed == ["J"]


@instantly
async def test_job_that_cannot_be_closed_is_settled_all_the_same() -> None:
    setup, lane, _ = collecting()
    setup.destination.closes += [OUTAGE]
    await setup.collect(DONE)
    assert (len(lane.fates), setup.table.verdicts) == (4, {})


@instantly
async def test_verdict_outlives_a_failure_of_kafka() -> None:
    setup, lane, _ = collecting()
    setup.reader.errors += [DOWN, DOWN]
    await setup.collect(DONE, seconds=60)
    assert lane.fates == dict.fromkeys((5, 6, 7, 8), STORED)
    assert setup.reader.opened == 3


@instantly
async def test_what_was_settled_before_a_failure_of_kafka_is_not_settled_again() -> None:
    setup, lane, _ = collecting(Rows(0, 5, 2, 0), Rows(1, 7, 1, 2))
    setup.reader.errors += [None, DOWN]  # the second topic's
    await setup.collect(DONE, seconds=60)
    assert sorted(lane.outcomes) == [(0, 5), (0, 6), (1, 7)]


@instantly
async def test_large_job_is_settled_slice_by_slice() -> None:
    setup, lane, _ = collecting(Rows(0, 5, 7, 0), piece=3)
    await setup.collect(DONE)
    assert [one.items for one in lane.settlements] == [3, 3, 1]


@instantly
async def test_next_slice_waits_for_kafka_while_memory_is_full() -> None:
    setup, lane, _ = collecting(Rows(0, 5, 7, 0), piece=3)
    lane.buffer.share().enter(10_000, 0)
    lane.kept.writing = False
    setup.table.judge("batch-1", DONE)
    async with setup.running():
        await turn(50)
        assert len(lane.fates) == 3
        lane.kept.release()
        await turn(50)
        assert len(lane.fates) == 6


@pytest.mark.parametrize(
    ("error", "wait_s"), [(OUTAGE, 1.0), (LONG_OUTAGE, 600.0), (ResultsIncomplete("some"), 1.0)], ids=str
)
@instantly
async def test_results_that_cannot_be_had_now_are_asked_for_again(error: BatchError, wait_s: float) -> None:
    setup, lane, _ = collecting()
    setup.destination.collects += [error]
    setup.table.judge("batch-1", DONE)
    async with setup.running():
        await asyncio.sleep(wait_s - 0.1)
        assert (lane.fates, setup.destination.collected) == ({}, 1)
        await asyncio.sleep(0.2)
        assert (len(lane.fates), setup.destination.collected) == (4, 2)


@instantly
async def test_pause_is_kept_by_a_collector_that_has_waited_for_the_verdict() -> None:
    lane = JobLane(jobs=[found_job(Rows(0, 5, 1, 0)), found_job(Rows(0, 9, 1, 0), batch_id="batch-2")])
    setup = CollectorSetup(FakeJobDestination(), lane)
    setup.table.judge("batch-1", DONE)
    async with setup.running():
        await asyncio.sleep(5)
        setup.destination.collects += [LONG_OUTAGE]
        setup.table.judge("batch-2", DONE)
        await asyncio.sleep(590)
        assert setup.destination.collected == 2


@instantly
async def test_results_that_lag_are_waited_for_however_long_the_vendor_was_away_before() -> None:
    setup, lane, _ = collecting(operation="insert")
    setup.destination.collects += [*[OUTAGE] * 9, ResultsIncomplete("some")]
    await setup.collect(DONE, seconds=600)
    assert lane.fates == dict.fromkeys((5, 6, 7, 8), STORED)


@instantly
async def test_other_jobs_go_on_while_results_are_waited_for() -> None:
    lane = JobLane(jobs=[found_job(Rows(0, 5, 1, 0)), found_job(Rows(0, 9, 1, 0), batch_id="batch-2")])
    setup = CollectorSetup(FakeJobDestination(), lane)
    setup.destination.collects += [LONG_OUTAGE]
    setup.table.judge("batch-1", DONE)
    async with setup.running():
        await asyncio.sleep(5)
        setup.table.judge("batch-2", DONE)
        await asyncio.sleep(5)
        assert sorted(lane.fates) == [9]
        await asyncio.sleep(600)
    assert sorted(lane.fates) == [5, 9]


@pytest.mark.parametrize(
    ("operation", "fate"), [("upsert", ("retryable", "no-result")), ("insert", ("ambiguous", "no-result"))]
)
@pytest.mark.parametrize("rows", [3, 5], ids=["a row short", "a row too long"])
@instantly
async def test_results_of_another_length_are_joined_with_no_row(
    operation: Operation, fate: tuple[str, str], rows: int
) -> None:
    setup, lane, _ = collecting(operation=operation)
    setup.destination.results = [(row, DELIVERED) for row in range(rows)]
    setup.table.judge("batch-1", DONE)
    async with setup.running():
        await asyncio.sleep(20)
        assert lane.fates == {}
        await asyncio.sleep(20)
    assert lane.fates == dict.fromkeys((5, 6, 7, 8), fate)


@instantly
async def test_results_that_name_their_record_tell_of_it_though_others_are_missing() -> None:
    job = found_job(Rows(0, 5, 2, 0))
    lane = JobLane(jobs=[job])
    setup = CollectorSetup(FakeJobDestination(joins_by="identity"), lane)
    setup.destination.results = [("0-6", DELIVERED)]
    await setup.collect(DONE, seconds=100)
    assert lane.fates == {5: ("retryable", "no-result"), 6: STORED}


@pytest.mark.parametrize(
    ("over", "reason", "fate"),
    [
        pytest.param(DONE, None, ("retryable", "unprocessed"), id="the vendor has stopped by itself"),
        pytest.param(
            Over(word="Aborted", processed=1, failed=0, aborted=True),
            None,
            ("cancelled", "aborted-at-vendor"),
            id="somebody has aborted it",
        ),
        pytest.param(
            Over(word="Aborted", processed=1, failed=0, aborted=True),
            "a mistake",
            ("cancelled", "aborted"),
            id="we have aborted it",
        ),
    ],
)
@instantly
async def test_rows_that_were_not_processed(over: Over, reason: str | None, fate: tuple[str, str]) -> None:
    setup, lane, _ = collecting(Rows(0, 5, 2, 0))
    setup.destination.results = [(0, DELIVERED), (1, None)]
    if reason is not None:
        order = VendorJobOrder(
            batch_id="batch-1", order="abort", order_id="1", reason=reason, by="ada", at=NOON, result="done"
        )
        setup.orders.take(LaneOrder(0, order.key, order))
    await setup.collect(over)
    assert lane.fates == {5: STORED, 6: fate}
    assert lane.outcomes[0, 6].uses_attempt is (fate[0] == "cancelled")


@instantly
async def test_row_whose_record_is_gone_from_kafka_gets_no_fate_and_holds_nobody_up() -> None:
    setup, lane, _ = collecting()
    setup.replace(6, None)
    await setup.collect(DONE)
    assert sorted(lane.fates) == [5, 7, 8]
    assert lane.jobs.by_batch == {}
    assert lane.accept(0, [record_message(50, record(key="6"))]) != []


@instantly
async def test_row_whose_record_can_be_read_no_more_is_a_dead_letter_and_a_row_no_more() -> None:
    setup, lane, _ = collecting()
    setup.replace(6, FakeMessage(offset=6, key=b"6", value=b"{}"))
    assert lane.accept(0, [record_message(50, record(key="6"))]) == []
    await setup.collect(DONE)
    assert sorted(lane.fates) == [5, 7, 8]
    assert [(one.state, one.rows) for one in entries_of(lane)] == [("withdrawn", [Rows(0, 6, 1, 1)])]
    assert [len(one.dead) for one in lane.settlements] == [1, 0]
    assert lane.jobs.by_batch == {}
    assert [item.offset for item in lane.due(0.0)] == [50]


@instantly
async def test_row_that_the_settings_of_now_do_not_let_be_sent_has_its_result() -> None:
    setup, lane, _ = collecting(Rows(0, 5, 1, 0))
    setup.replace(5, record_message(5, record(key="5", data=b'"bad"')))
    await setup.collect(DONE)
    assert lane.fates == {5: STORED}


@instantly
async def test_lane_that_is_lost_while_its_rows_are_collected_settles_no_more() -> None:
    setup, lane, job = collecting(Rows(0, 5, 7, 0), piece=3)
    lane.buffer.share().enter(10_000, 0)
    lane.kept.writing = False
    setup.table.judge("batch-1", DONE)
    async with setup.running():
        await turn(50)
        lane.alive = False
        lane.kept.release()
        await turn(50)
    assert len(lane.fates) == 3
    assert (job.open, setup.destination.closed) == (4, [])


@instantly
async def test_verdict_on_a_job_whose_lane_has_left_is_forgotten() -> None:
    setup = CollectorSetup(FakeJobDestination(), JobLane())
    await setup.collect(DONE)
    assert (setup.table.verdicts, setup.destination.collected) == ({}, 0)


@instantly
async def test_reader_is_closed_when_there_was_nothing_to_read_for_long() -> None:
    setup, _, _ = collecting()
    setup.table.judge("batch-1", DONE)
    async with setup.running():
        await asyncio.sleep(IDLE_AFTER_S - 1)
        assert setup.reader.open
        await asyncio.sleep(2)
        assert not setup.reader.open
