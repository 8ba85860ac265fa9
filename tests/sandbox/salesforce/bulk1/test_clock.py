"""Phases, retries, windows and retention, all on the clock. Ids name rows of salesforce_bulk.md §7 and §9."""

import pytest

from sandbox.salesforce.faults import SlowJob
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.bulk1.client import Bulk1, bulk1_org, field, fields, rows

DAY_S = 86_400
TRY_S = 300
SLOW = Settings(queued_s=60, in_progress_s=100)


async def _states(org: Bulk1, job: str, *batches: str) -> list[str]:
    return [await org.state(job, batch) for batch in batches]


async def test_a_batch_is_queued_then_in_progress_then_ended() -> None:
    async with bulk1_org(SLOW) as org:
        job = await org.create()
        batch = await org.add(job, "LastName\nBerg")
        seen = []
        for step in (0, 59, 2, 98, 2):
            await org.control.advance(step)
            seen.append(await org.state(job, batch))
        assert seen == ["Queued", "Queued", "InProgress", "InProgress", "Completed"]


async def test_a_job_can_be_slow_alone(org: Bulk1) -> None:
    await org.control.add_fault(SlowJob(phase_s=30))
    job = await org.create()
    slow, fast = [await org.add(job, "LastName\nBerg") for _ in range(2)]
    assert await _states(org, job, slow, fast) == ["Queued", "Completed"]
    await org.control.advance(60)
    assert await org.state(job, slow) == "Completed"


async def test_counters_follow_the_states() -> None:
    async with bulk1_org(SLOW) as org:
        job = await org.create()
        await org.add(job, "LastName\nBerg")
        await org.control.advance(60)
        await org.add(job, "LastName\nBerg")
        found = await org.info(job)
        assert (found["numberBatchesInProgress"], found["numberBatchesQueued"]) == ("1", "1")
        await org.control.advance(160)
        found = await org.info(job)
        assert (found["numberBatchesCompleted"], found["totalProcessingTime"]) == ("2", "200000")


@pytest.mark.parametrize(
    ("mode", "states"),
    [
        pytest.param("Parallel", ["InProgress", "InProgress"], id="§3.3 Parallel"),
        pytest.param("Serial", ["InProgress", "Queued"], id="§3.3 Serial: one at a time"),
    ],
)
async def test_concurrency_modes(mode: str, states: list[str]) -> None:
    async with bulk1_org(SLOW) as org:
        job = await org.create(concurrency=mode)
        batches = [await org.add(job, "LastName\nBerg") for _ in range(2)]
        await org.control.advance(70)
        assert await _states(org, job, *batches) == states
        await org.control.advance(200)
        assert await _states(org, job, *batches) == ["Completed", "Completed"]


async def test_nothing_is_written_before_the_end() -> None:
    async with bulk1_org(SLOW) as org:
        job = await org.create()
        batch = await org.add(job, "LastName\nBerg")
        answer = await org.http.get(f"/job/{job}/batch/{batch}/result")
        assert (answer.status_code, field(answer.text, "exceptionCode")) == (400, "InvalidBatch")
        assert await org.control.ledger() == []
        await org.control.advance(160)
        [entry] = await org.control.ledger()
        assert (entry.operation, entry.effect, entry.object) == ("insert", "CREATED", "Contact")


async def test_a_batch_that_takes_longer_than_5_minutes_is_put_back() -> None:
    async with bulk1_org(Settings(queued_s=10, in_progress_s=2 * TRY_S)) as org:
        job = await org.create()
        batch = await org.add(job, "LastName\nBerg")
        seen = []
        for step in (10, TRY_S, 10, TRY_S):
            await org.control.advance(step)
            seen.append((await org.state(job, batch), (await org.info(job))["numberRetries"]))
        assert seen == [("InProgress", "0"), ("Queued", "1"), ("InProgress", "1"), ("Completed", "1")]


@pytest.mark.parametrize(
    ("operation", "body", "tries"),
    [
        pytest.param("insert", "LastName\nA\nB\nC\nD", 10, id="§7 up to 10 tries for loads"),
        pytest.param("query", "SELECT Id FROM Contact", 15, id="§7 15 for queries"),
    ],
)
async def test_after_so_many_tries_a_batch_fails(operation: str, body: str, tries: int) -> None:
    async with bulk1_org(Settings(in_progress_s=20 * TRY_S)) as org:
        job = await org.create(operation)
        batch = await org.add(job, body)
        await org.control.advance(tries * TRY_S - 1)
        assert await org.state(job, batch) == "InProgress"
        await org.control.advance(1)
        found = await org.info(job, batch)
        assert (found["state"], found["stateMessage"].partition(" : ")[0]) == ("Failed", "Timeout")
        assert (await org.info(job))["numberRetries"] == str(tries - 1)


async def test_what_was_done_in_time_stays_written() -> None:
    async with bulk1_org(Settings(in_progress_s=20 * TRY_S)) as org:
        job = await org.create()
        batch = await org.add(job, "LastName\nA\nB\nC\nD")
        await org.control.advance(10 * TRY_S)
        assert (await org.info(job, batch))["numberRecordsProcessed"] == "2"
        assert len(rows((await org.http.get(f"/job/{job}/batch/{batch}/result")).text)) == 2


async def test_retries_can_be_disabled() -> None:
    async with bulk1_org(Settings(in_progress_s=2 * TRY_S)) as org:
        job = await org.create(headers={"Sforce-Disable-Batch-Retry": "TRUE"})
        batch = await org.add(job, "LastName\nBerg\nLind")
        await org.control.advance(TRY_S)
        found = await org.info(job, batch)
        assert (found["state"], found["numberRecordsProcessed"]) == ("Failed", "1")


async def test_a_job_takes_no_batch_after_24_hours(org: Bulk1) -> None:
    job = await org.create()
    await org.control.advance(DAY_S)
    org.http.headers.update(org.session())
    answer = await org.post_batch(job, "LastName\nBerg")
    assert field(answer.text, "exceptionCode") == "InvalidJobState"
    assert (await org.info(job))["state"] == "Open"


async def test_jobs_and_results_are_kept_7_days(org: Bulk1) -> None:
    """§13.17"""
    job = await org.create()
    batch = await org.add(job, "LastName\nBerg")
    await org.control.advance(7 * DAY_S - 60)
    org.http.headers.update(org.session())
    assert (await org.http.get(f"/job/{job}/batch/{batch}/result")).status_code == 200
    await org.control.advance(60)
    for path in (f"/job/{job}", f"/job/{job}/batch/{batch}/result"):
        gone = await org.http.get(path)
        assert (gone.status_code, fields(gone.text)["exceptionCode"]) == (404, "NOT_FOUND")
    never_made = await org.http.get("/job/750X00000000zzzIAA")
    assert (never_made.status_code, fields(never_made.text)["exceptionCode"]) == (400, "InvalidJob")


async def test_batches_are_counted_over_24_hours() -> None:
    async with bulk1_org(Settings(daily_batches=1)) as org:
        await org.load("insert", "LastName", "Berg")
        refused = await org.post_batch(await org.create(), "x")
        assert field(refused.text, "exceptionMessage") == "ApiBatchItems Limit exceeded."
        await org.control.advance(DAY_S + 60)
        org.http.headers.update(org.session())
        await org.load("insert", "LastName", "Lind")


async def test_more_than_2000_pending_batches_wait() -> None:
    async with bulk1_org(Settings(in_progress_s=100)) as org:
        for number in range(2_000):
            org.org.schedule.add(org.org.clock.now() + 50 + number, lambda _: None)
        job = await org.create()
        batch = await org.add(job, "LastName\nBerg")
        assert await org.state(job, batch) == "Queued"
        await org.control.advance(60)
        assert await org.state(job, batch) == "InProgress"


async def test_the_oldest_finished_jobs_go_when_there_are_too_many() -> None:
    async with bulk1_org(Settings(max_kept_jobs=2)) as org:
        jobs = []
        for _ in range(3):
            jobs.append(await org.create())
            await org.change(jobs[-1], "Closed")
        found = [(await org.http.get(f"/job/{job}")).status_code for job in jobs]
        assert found == [404, 200, 200]


async def test_the_oldest_finished_jobs_go_when_they_hold_too_much() -> None:
    async with bulk1_org(Settings(max_kept_job_bytes=60)) as org:
        first, second = await org.create(), await org.create()
        await org.add(first, "LastName\nBerg")
        await org.add(second, "LastName\nBerg")
        assert [(await org.http.get(f"/job/{job}")).status_code for job in (first, second)] == [404, 200]


async def test_a_reset_forgets_everything() -> None:
    async with bulk1_org(SLOW) as org:
        job = await org.create()
        await org.add(job, "LastName\nBerg")
        await org.control.reset()
        org.http.headers.update(org.session())
        assert (await org.http.get(f"/job/{job}")).status_code == 400
        await org.control.advance(1_000)
        assert await org.control.ledger() == []
