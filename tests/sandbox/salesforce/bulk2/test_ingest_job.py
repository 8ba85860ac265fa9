"""The life of an ingest job, by the clock. salesforce_bulk.md §4.1, §7."""

import pytest

from sandbox.salesforce.faults import FailBatch, SlowJob
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import CONTACTS, INGEST, LIMITS, Served, error_of, org


async def test_a_job_without_data_cannot_start(salesforce: Served) -> None:
    job = await salesforce.create()
    assert error_of(await salesforce.patch(job, "UploadComplete")) == (400, "INVALIDJOBSTATE")


@pytest.mark.parametrize("state", ["UploadComplete", "Aborted", "Closed"])
async def test_a_job_that_is_over_changes_no_more(salesforce: Served, state: str) -> None:
    job = await salesforce.load(CONTACTS)
    assert error_of(await salesforce.patch(job, state)) == (400, "INVALIDJOBSTATE")


async def test_an_aborted_job_takes_no_data(salesforce: Served) -> None:
    job = await salesforce.create()
    await salesforce.patch(job, "Aborted")
    assert error_of(await salesforce.upload(job, CONTACTS)) == (400, "INVALIDJOBSTATE")


async def test_without_batches_left_no_job_starts() -> None:
    async with org(Settings(daily_batches=1)) as served:
        await served.load(CONTACTS)
        job = await served.create()
        await served.upload(job, CONTACTS)
        assert error_of(await served.patch(job, "UploadComplete")) == (400, "EXCEEDEDQUOTA")


async def test_a_job_that_runs_out_of_batches_fails_half_written() -> None:
    async with org(Settings(daily_batches=1, internal_batch_rows=1)) as served:
        info = await served.info(await served.load("LastName\nBerg\nLind\n", "insert"))
        assert info["errorMessage"] == "ExceededQuota : ApiBatchItems Limit exceeded."
        assert (info["state"], info["numberRecordsProcessed"]) == ("Failed", 1)


async def test_nothing_is_written_before_upload_complete(salesforce: Served) -> None:
    job = await salesforce.create()
    await salesforce.upload(job, CONTACTS)
    assert (await salesforce.control.summary()).entries == 0
    await salesforce.patch(job, "UploadComplete")
    assert (await salesforce.control.summary()).entries == 2


async def test_the_start_answers_upload_complete_and_the_first_poll_job_complete(salesforce: Served) -> None:
    job = await salesforce.create()
    await salesforce.upload(job, CONTACTS)
    answer = await salesforce.patch(job, "UploadComplete")
    assert (answer.status_code, answer.json()["state"]) == (200, "UploadComplete")
    assert (await salesforce.info(job))["state"] == "JobComplete"


async def test_info_counts_failed_rows_as_processed_too(salesforce: Served) -> None:
    info = await salesforce.info(await salesforce.load(CONTACTS))
    assert info["jobType"] == "V2Ingest"
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"], info["retries"]) == (2, 1, 0)
    assert {"totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime"} <= info.keys()
    assert "errorMessage" not in info


async def test_an_unknown_column_fails_the_job_and_leaves_all_rows_unprocessed(salesforce: Served) -> None:
    job = await salesforce.load("Ext__c,Foo\nA-1,x\n")
    info = await salesforce.info(job)
    assert (info["state"], info["errorMessage"]) == ("Failed", "InvalidBatch : Field name not found : Foo")
    assert await salesforce.results(job, "unprocessedrecords") == [{"Ext__c": "A-1", "Foo": "x"}]


async def test_a_second_put_is_refused(salesforce: Served) -> None:
    job = await salesforce.create()
    await salesforce.upload(job, CONTACTS)
    assert error_of(await salesforce.upload(job, CONTACTS)) == (400, "INVALIDJOB")


async def test_phases_follow_the_clock(salesforce: Served) -> None:
    await salesforce.control.add_fault(SlowJob(phase_s=10))
    job = await salesforce.load(CONTACTS)
    states = []
    for _ in range(3):
        states.append((await salesforce.info(job))["state"])
        await salesforce.control.advance(10)
    assert states == ["UploadComplete", "InProgress", "JobComplete"]


async def test_internal_batches_are_written_one_after_the_other() -> None:
    async with org(Settings(internal_batch_rows=2, in_progress_s=10)) as served:
        job = await served.load("LastName\n" + "Berg\n" * 5, "insert")
        counts = []
        for _ in range(4):
            counts.append((await served.info(job))["numberRecordsProcessed"])
            await served.control.advance(10 / 3)
        assert counts == [0, 2, 4, 5]


async def test_abort_keeps_what_is_written_and_leaves_the_rest_unprocessed() -> None:
    async with org(Settings(internal_batch_rows=2, in_progress_s=10)) as served:
        job = await served.load("LastName\n" + "Berg\n" * 4, "insert")
        await served.control.advance(6)
        assert (await served.patch(job, "Aborted")).json()["state"] == "Aborted"
        await served.control.advance(60)
        assert len(await served.results(job)) == 2
        assert len(await served.results(job, "unprocessedrecords")) == 2
        assert len(served.vendor.org.tables["contact"]) == 2


async def test_a_failed_job_may_have_written_rows() -> None:
    async with org(Settings(internal_batch_rows=2)) as served:
        await served.control.add_fault(FailBatch(skip=1, rows_written=1, code="InternalServerError", message="oops"))
        job = await served.load("LastName\n" + "Berg\n" * 5, "insert")
        info = await served.info(job)
        assert (info["state"], info["errorMessage"]) == ("Failed", "InternalServerError : oops")
        assert info["numberRecordsProcessed"] == 3
        assert len(await served.results(job, "unprocessedrecords")) == 2


async def test_jobs_and_results_are_kept_seven_days(salesforce: Served) -> None:
    job = await salesforce.load(CONTACTS)
    await salesforce.control.advance(7 * 86_400 - 60)
    headers = salesforce.as_user()
    assert (await salesforce.http.get(f"{INGEST}/{job}", headers=headers)).status_code == 200
    await salesforce.control.advance(61)
    assert error_of(await salesforce.http.get(f"{INGEST}/{job}", headers=headers)) == (404, "NOT_FOUND")


async def test_an_open_job_takes_data_for_24_hours(salesforce: Served) -> None:
    job = await salesforce.create()
    await salesforce.control.advance(86_401)
    salesforce.http.headers.update(salesforce.as_user())
    assert error_of(await salesforce.upload(job, CONTACTS)) == (400, "INVALIDJOBSTATE")


async def test_each_internal_batch_counts_as_a_batch() -> None:
    async with org(Settings(internal_batch_rows=2)) as served:
        await served.load("LastName\n" + "Berg\n" * 5, "insert")
        limits = (await served.http.get(LIMITS)).json()
        assert limits["DailyBulkApiBatches"] == {"Max": 15_000, "Remaining": 14_997}


async def test_a_very_large_job_takes_its_time() -> None:
    async with org(Settings(internal_batch_rows=2, rows_at_once=4, row_s=2.0)) as served:
        job = await served.load("LastName\n" + "Berg\n" * 6, "insert")
        assert (await served.info(job))["state"] == "InProgress"
        await served.control.advance(4)
        assert (await served.info(job))["state"] == "JobComplete"


async def test_the_days_records_run_out() -> None:
    async with org(Settings(daily_records=1, internal_batch_rows=1)) as served:
        info = await served.info(await served.load("LastName\nBerg\nLind\n", "insert"))
        assert (info["state"], info["numberRecordsProcessed"]) == ("Failed", 1)
