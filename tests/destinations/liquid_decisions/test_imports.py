"""Imports against the stand-in: what becomes of each item, whatever the one number of the job says."""

import asyncio
from typing import Any

import httpx
import pytest

from sandbox.faults.fault import DropAfter
from sandbox.liquid_decisions.faults import FailJob, HoldJobs, LateCommit, UnknownStatus
from sandbox.liquid_decisions.settings import Settings
from sluice.destinations.contract import Ambiguous, BatchError, Refused, Unavailable
from sluice.destinations.liquid_decisions.imports import SEEN
from sluice.destinations.vendor_jobs import Gone, Over, Running
from sluice.events import RecordEvent
from sluice.flow.outcome import Fate, Outcome
from tests.destinations.liquid_decisions.offline import DATE_MS, Offline, account, importing, json, lose
from tests.destinations.liquid_decisions.served import Served, serving
from tests.support.factories import encode_batch, record, send_now
from tests.support.writer_process import eventually

D, R, A = Fate.DELIVERED, Fate.RETRYABLE, Fate.AMBIGUOUS
EVENTS = [account(f"k{n}", n=n, at="2026-01-05T09:30:00+0000") for n in range(3)]
BAD = account("bad", h_bad=1)
IMPORT = "/ls/api/batch/import"


def _fates(outcomes: list[Outcome | None]) -> list[Fate | None]:
    return [outcome.fate if outcome else None for outcome in outcomes]


async def _imported(served: Served, *events: RecordEvent) -> tuple[Over, list[Outcome | None]]:
    refs = await served.submit(*events)
    over = await served.over(refs)
    return over, await served.collect(refs, over, *events)


async def test_records_that_are_there_as_they_were_sent_are_delivered() -> None:
    async with serving() as served:
        await served.write(account("k0", older=1))
        refs = await served.submit(*EVENTS)
        assert set(served.named) == {"type", "since", "at"}
        over = await served.over(refs)
        assert (over.word, over.processed) == ("Completed", 3)
        assert _fates(await served.collect(refs, over, *EVENTS)) == [D, D, D]
        assert served.stored("k0") == {"accountId": "k0", "older": 1, "n": 0, "at": "2026-01-05T09:30:00+0000"}
        async with served.twin() as twin:
            assert _fates(await twin.collect(refs, over, *EVENTS)) == [D, D, D]


@pytest.mark.parametrize(
    ("verify", "counts_refused", "fates"),
    [
        pytest.param("always", True, [D, D, D, R], id="always, where refused records are counted"),
        pytest.param("always", False, [D, D, D, R], id="always"),
        pytest.param("on_mismatch", False, [D, D, D, R], id="on a mismatch"),
        pytest.param("on_mismatch", True, [D, D, D, D], id="what is lost where a count is believed"),
        pytest.param("never", False, [R, R, R, R], id="never, where the count differs"),
        pytest.param("never", True, [D, D, D, D], id="never, where it does not"),
    ],
)
async def test_a_refused_record_is_found_as_far_as_is_verified(
    verify: str, counts_refused: bool, fates: list[Fate]
) -> None:
    async with serving(Settings(import_counts_refused=counts_refused), verify=verify) as served:
        over, outcomes = await _imported(served, *EVENTS, BAD)
        assert (over.word, over.processed) == ("Completed", 4 if counts_refused else 3)
        assert _fates(outcomes) == fates


async def test_a_file_that_is_rejected_has_its_records_upserted() -> None:
    async with serving(Settings(max_import_records=2)) as served:
        over, outcomes = await _imported(served, *EVENTS)
        assert over.word == "Rejected"
        assert {(one.fate, one.code, one.uses_attempt) for one in outcomes if one} == {(R, "Rejected", True)}
        assert served.stored("k0") is None


async def test_a_number_that_fits_nowhere_is_upserted_which_tells() -> None:
    async with serving() as served:
        _, outcomes = await _imported(served, EVENTS[0], record("Account", "upsert", "x", b'{"a":1e999}'))
        assert _fates(outcomes) == [D, R]


async def test_a_part_of_a_job_that_failed_is_there() -> None:
    async with serving(Settings(slice_records=2)) as served:
        served.vendor.faults.add(FailJob(after_records=2))
        over, outcomes = await _imported(served, *EVENTS)
        assert over.word == "Failed"
        assert _fates(outcomes) == [D, D, R]


@pytest.mark.parametrize("verify", ["always", "never"])
async def test_a_job_that_was_canceled_before_it_ran_has_touched_nothing(verify: str) -> None:
    async with serving(verify=verify) as served:
        served.vendor.faults.add(HoldJobs(times=None))
        refs = await served.submit(*EVENTS)
        assert isinstance(await served.state(refs), Running)
        for _ in range(2):
            await served.destination.abort(refs)
        served.vendor.jobs.release(served.vendor.jobs)
        over = await served.over(refs)
        assert over.aborted
        assert await served.collect(refs, over, *EVENTS) == [None] * 3


async def test_a_job_that_was_canceled_in_the_middle_has_touched_a_part() -> None:
    async with serving(Settings(slice_records=2)) as served:
        served.vendor.faults.add(HoldJobs(after_records=2))
        refs = await served.submit(*EVENTS)
        await asyncio.sleep(0.2)
        await served.destination.abort(refs)
        served.vendor.jobs.release(served.vendor.jobs)
        over = await served.over(refs)
        assert (over.aborted, over.processed) == (True, 2)
        assert _fates(await served.collect(refs, over, *EVENTS)) == [D, D, None]


@pytest.mark.parametrize(
    ("foreign_writes", "fate"),
    [pytest.param("possible", A, id="somebody else writes"), pytest.param("none", R, id="nobody else does")],
)
async def test_a_record_with_other_values_is_left_alone_where_somebody_else_may_have_written_it(
    foreign_writes: str, fate: Fate
) -> None:
    async with serving(foreign_writes=foreign_writes) as served:
        refs = await served.submit(*EVENTS)
        over = await served.over(refs)
        await served.write(account("k1", n=100))
        outcomes = await served.collect(refs, over, *EVENTS)
        assert _fates(outcomes) == [D, fate, D]
        assert outcomes[1] is not None
        assert outcomes[1].may_be_repeated is (fate is R)


async def test_records_that_are_shown_late_are_waited_for() -> None:
    async with serving(read_lag_s=2.0) as served:
        served.vendor.faults.add(LateCommit(seconds=0.8))
        refs = await served.submit(*EVENTS)
        over = await served.over(refs)
        with pytest.raises(Unavailable, match="3 of 3 records") as error:
            await served.collect(refs, over, *EVENTS)
        assert error.value.retry_after_s == pytest.approx(2.0, abs=0.5)
        await asyncio.sleep(1.0)
        assert _fates(await served.collect(refs, over, *EVENTS)) == [D, D, D]


async def test_a_record_that_is_shown_as_it_was_before_is_waited_for() -> None:
    async with serving(read_lag_s=2.0) as served:
        for fault in (HoldJobs(), LateCommit(seconds=0.8)):
            served.vendor.faults.add(fault)
        refs = await served.submit(EVENTS[1])
        await served.write(account("k1", n=100))
        served.vendor.jobs.release(served.vendor.jobs)
        over = await served.over(refs)
        with pytest.raises(Unavailable, match="1 of 1 records"):
            await served.collect(refs, over, EVENTS[1])
        await asyncio.sleep(1.0)
        assert _fates(await served.collect(refs, over, EVENTS[1])) == [D]


async def test_what_was_there_at_the_very_instant_of_the_submit_is_not_the_work_of_somebody_else() -> None:
    async with serving(Settings(slice_records=1)) as served:
        await served.write(*[account(f"k{n}", n=100) for n in range(3)])
        served.vendor.faults.add(FailJob(after_records=1))
        refs = await served.submit(*EVENTS)
        assert _fates(await served.collect(refs, await served.over(refs), *EVENTS)) == [D, R, R]


async def test_where_others_change_far_more_keys_are_asked_for() -> None:
    async with serving(updates_page=10) as served:
        refs = await served.submit(EVENTS[0])
        over = await served.over(refs)
        await served.write(*[account(f"other{n}", n=n) for n in range(30)])
        await served.write(EVENTS[0])  # ours is behind all others in the feed now
        assert _fates(await served.collect(refs, over, EVENTS[0])) == [D]


async def test_an_unknown_state_runs_still_and_an_unknown_job_is_gone() -> None:
    async with serving() as served:
        refs = await served.submit(*EVENTS)
        served.vendor.faults.add(UnknownStatus(times=1))
        state = await served.state(refs)
        assert isinstance(state, Running)
        assert state.word == "Suspended"
        assert isinstance(await served.state({**refs, "job": "nowhere"}), Gone)
        await served.destination.abort({"job": "nowhere"})
        await served.over(refs)
        await served.destination.close(refs)


async def test_a_lost_submit_is_found_by_its_effect_however_late_it_runs() -> None:
    async with serving() as served:
        served.vendor.faults.add(HoldJobs(path=IMPORT))
        served.vendor.faults.add(DropAfter(path=IMPORT))
        with pytest.raises(Ambiguous):
            await served.submit(*EVENTS)
        for _ in range(2):
            with pytest.raises(Unavailable, match="seen on 0 of 3 records"):
                await served.find(*EVENTS)
        served.vendor.jobs.release(served.vendor.jobs)
        await asyncio.sleep(0.3)
        async with served.twin() as twin:
            twin.named = served.named
            for one in (served, twin):
                refs = await one.find(*EVENTS)
                assert refs is not None
                assert refs["job"] == SEEN
                over = await one.over(refs)
                assert _fates(await one.collect(refs, over, *EVENTS)) == [D, D, D]
                await one.destination.abort(refs)


async def test_a_lost_submit_is_taken_for_dead_where_the_settings_say_so() -> None:
    async with serving(lost_after_s=3.0) as served:
        served.vendor.faults.add(HoldJobs(path=IMPORT))
        served.vendor.faults.add(DropAfter(path=IMPORT))
        with pytest.raises(Ambiguous):
            await served.submit(*EVENTS)

        async def taken_for_dead() -> bool:
            try:
                await served.find(*EVENTS)
            except Ambiguous as error:
                return "within `lost_after_s`" in str(error)
            except Unavailable:
                return False
            return False

        begun_s = asyncio.get_running_loop().time()
        await eventually(taken_for_dead, within_s=30)
        assert asyncio.get_running_loop().time() - begun_s > 1.5


async def test_a_submit_that_never_left_is_not_there() -> None:
    async with serving() as served:
        assert await served.find(*EVENTS) is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(lose, Ambiguous, id="lost"),
        pytest.param(json({}), Ambiguous, id="no job"),
        pytest.param(httpx.Response(200, text="<html>"), Ambiguous, id="a page"),
        pytest.param(json({"error": "e"}, 500), Ambiguous, id="500"),
        pytest.param(httpx.Response(503, text="<html>"), Ambiguous, id="another's 503"),
        pytest.param(json({"error": "e"}, 503), Unavailable, id="its own 503"),
        pytest.param(json({"error": "e"}, 413), Refused, id="too large"),
        pytest.param(json({"error": "e"}, 400), Refused, id="400"),
    ],
)
async def test_a_submit_that_fails(answer: Any, kind: type[BatchError]) -> None:
    named: list[dict[str, str]] = []

    async def note(refs: Any) -> None:
        named.append(dict(refs))

    offline = Offline({"import": answer, "sqlQuery": json([{"newest": DATE_MS}])}, importing())
    batch = encode_batch(offline.destination, EVENTS)
    batch.batch_key = "import/Account"
    with pytest.raises(BatchError) as error:
        await offline.destination.submit(batch, await offline.destination.prepare(batch), note, send_now)
    assert type(error.value) is kind
    assert named == [{"type": "Account", "since": str(DATE_MS), "at": str(DATE_MS // 1000)}]


async def test_without_a_newest_instant_the_vendors_date_is_the_bound() -> None:
    offline = Offline({"import": lose, "sqlQuery": json({"error": "no MAX"}, 400)}, importing())
    named: dict[str, str] = {}

    async def note(refs: Any) -> None:
        named.update(refs)

    batch = encode_batch(offline.destination, EVENTS)
    batch.batch_key = "import/Account"
    with pytest.raises(Ambiguous):
        await offline.destination.submit(batch, await offline.destination.prepare(batch), note, send_now)
    assert int(named["since"]) == DATE_MS - 60_000
