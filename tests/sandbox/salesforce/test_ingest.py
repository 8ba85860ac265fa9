"""Ingest jobs of Bulk API 2.0. salesforce_bulk.md §4.1."""

import pytest

from sandbox.salesforce.faults import FailBatch, ReformatNumbers, SlowJob
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import CONTACTS, INGEST, Served, error_of, org

CREATE = {"object": "Contact", "operation": "upsert", "externalIdFieldName": "Ext__c"}


async def test_create_answers_the_documents_members_in_its_order(salesforce: Served) -> None:
    answer = await salesforce.http.post(INGEST, json=CREATE)
    job = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert list(job) == [
        "id",
        "operation",
        "object",
        "createdById",
        "createdDate",
        "systemModstamp",
        "state",
        "externalIdFieldName",
        "concurrencyMode",
        "contentType",
        "apiVersion",
        "contentUrl",
        "lineEnding",
        "columnDelimiter",
    ]
    assert job["id"].startswith("750")
    assert len(job["id"]) == 18
    assert job["createdDate"].endswith("+0000")
    assert (job["state"], job["apiVersion"], job["concurrencyMode"]) == ("Open", 59.0, "Parallel")
    assert job["contentUrl"] == f"services/data/v59.0/jobs/ingest/{job['id']}/batches"


async def test_create_takes_a_trailing_slash(salesforce: Served) -> None:
    answer = await salesforce.http.post(f"{INGEST}/", json=CREATE)
    assert answer.status_code == 200


async def test_upload_answers_201_and_nothing_else(salesforce: Served) -> None:
    answer = await salesforce.upload(await salesforce.create(), CONTACTS)
    assert (answer.status_code, answer.content) == (201, b"")


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


async def test_successful_results_are_the_uploaded_columns_behind_id_and_created(salesforce: Served) -> None:
    job = await salesforce.load(CONTACTS)
    answer = await salesforce.http.get(f"{INGEST}/{job}/successfulResults/")
    [row] = await salesforce.query("SELECT Id FROM Contact")
    assert answer.headers["content-type"] == "text/csv;charset=UTF-8"
    assert answer.text == (
        f'"sf__Id","sf__Created","Ext__c","LastName","Email"\n"{row["Id"]}","true","A-1","Berg","berg@example.com"\n'
    )


async def test_failed_results_are_the_documents_bytes(salesforce: Served) -> None:
    job = await salesforce.load("Ext__c,LastName\nA-2,\n")
    answer = await salesforce.http.get(f"{INGEST}/{job}/failedResults/")
    assert answer.text == (
        '"sf__Id","sf__Error","Ext__c","LastName"\n'
        '"","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --","A-2",""\n'
    )


@pytest.mark.parametrize("spelling", ["unprocessedrecords", "unprocessedRecords", "UNPROCESSEDRECORDS/"])
async def test_unprocessed_records_are_the_uploaded_columns_only(salesforce: Served, spelling: str) -> None:
    await salesforce.control.add_fault(FailBatch(rows_written=1))
    job = await salesforce.load("Ext__c,LastName\nA-1,Berg\nA-2,#N/A\n")
    answer = await salesforce.http.get(f"{INGEST}/{job}/{spelling}")
    assert answer.text == '"Ext__c","LastName"\n"A-2","#N/A"\n'


async def test_results_have_the_jobs_dialect(salesforce: Served) -> None:
    """§4.1 results: every value quoted, and so quotes in it doubled"""
    csv = 'Ext__c|LastName|Title\r\nA-1|"O""Neil, |x"|\r\nA-2||t\r\n'
    job = await salesforce.load(csv, columnDelimiter="PIPE", lineEnding="CRLF")
    done = (await salesforce.http.get(f"{INGEST}/{job}/successfulResults")).text.split("\r\n")
    failed = (await salesforce.http.get(f"{INGEST}/{job}/failedResults")).text.split("\r\n")
    assert done[0] == '"sf__Id"|"sf__Created"|"Ext__c"|"LastName"|"Title"'
    assert done[1].split("|", 1)[1] == '"true"|"A-1"|"O""Neil, |x"|""'
    assert failed[1].endswith(':LastName --"|"A-2"|""|"t"')
    assert (len(done), len(failed)) == (3, 3)


async def test_results_come_in_another_order_than_the_upload(salesforce: Served) -> None:
    keys = [f"K-{number}" for number in range(100)]
    job = await salesforce.load("Ext__c,LastName\n" + "".join(f"{key},Berg\n" for key in keys))
    found = [row["Ext__c"] for row in await salesforce.results(job)]
    assert sorted(found) == sorted(keys)
    assert found != keys


async def test_numbers_may_come_back_reformatted(salesforce: Served) -> None:
    job = await salesforce.load("Ext__c,LastName\n912260031,Berg\n")
    await salesforce.control.add_fault(ReformatNumbers())
    [row] = await salesforce.results(job)
    assert row["Ext__c"] == "9.12260031E8"


async def test_failed_results_have_no_ids_before_53(salesforce: Served) -> None:
    await salesforce.load("Ext__c,LastName\nA-1,Berg\n")
    job = await salesforce.load("Ext__c,Email\nA-1,no-email\n", object_name="Contact")
    for version, has_id in (("v52.0", False), ("v53.0", True)):
        answer = await salesforce.http.get(f"{INGEST.replace('v59.0', version)}/{job}/failedResults")
        assert ('"003' in answer.text) == has_id


@pytest.mark.parametrize(
    ("name", "delimiter"),
    [("COMMA", ","), ("TAB", "\t"), ("PIPE", "|"), ("SEMICOLON", ";"), ("CARET", "^"), ("BACKQUOTE", "`")],
)
async def test_each_delimiter_is_read(salesforce: Served, name: str, delimiter: str) -> None:
    csv = delimiter.join(("Ext__c", "LastName")) + "\n" + delimiter.join(("A-1", "Berg")) + "\n"
    await salesforce.load(csv, columnDelimiter=name)
    assert await salesforce.query("SELECT LastName FROM Contact WHERE Ext__c = 'A-1'") == [{"LastName": "Berg"}]


async def test_crlf_data_is_taken_by_a_crlf_job(salesforce: Served) -> None:
    job = await salesforce.load("Ext__c,LastName\r\nA-1,Berg\r\n", lineEnding="CRLF")
    assert (await salesforce.info(job))["state"] == "JobComplete"


@pytest.mark.parametrize(
    ("csv", "line_ending"),
    [("Ext__c,LastName\r\nA-1,Berg\r\n", "LF"), ("Ext__c,LastName\nA-1,Berg\n", "CRLF"), ("LastName\rBerg\r", "LF")],
)
async def test_another_line_ending_than_the_jobs_fails_it(salesforce: Served, csv: str, line_ending: str) -> None:
    info = await salesforce.info(await salesforce.load(csv, lineEnding=line_ending))
    assert info["state"] == "Failed"
    assert "LineEnding is invalid" in info["errorMessage"]


async def test_an_unknown_column_fails_the_job_and_leaves_all_rows_unprocessed(salesforce: Served) -> None:
    job = await salesforce.load("Ext__c,Foo\nA-1,x\n")
    info = await salesforce.info(job)
    assert (info["state"], info["errorMessage"]) == ("Failed", "InvalidBatch : Field name not found : Foo")
    assert await salesforce.results(job, "unprocessedrecords") == [{"Ext__c": "A-1", "Foo": "x"}]


async def test_multipart_create_starts_at_once(salesforce: Served) -> None:
    parts = {
        "job": (None, '{"object": "Contact", "operation": "insert"}', "application/json"),
        "content": ("content", "LastName\nBerg\n", "text/csv"),
    }
    answer = await salesforce.http.post(INGEST, files=parts)
    assert (answer.status_code, answer.json()["state"]) == (200, "UploadComplete")
    assert (await salesforce.info(answer.json()["id"]))["numberRecordsProcessed"] == 1


async def test_multipart_takes_100_000_characters_and_no_more(salesforce: Served) -> None:
    head = "LastName\n"
    for characters, status in ((100_000, 200), (100_001, 400)):
        content = (head + "Ä\n" * 50_000)[: characters - 1] + "\n"
        assert len(content) == characters
        parts = {"job": (None, '{"object": "Contact", "operation": "insert"}'), "content": ("content", content)}
        assert (await salesforce.http.post(INGEST, files=parts)).status_code == status


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


async def test_a_deleted_job_is_gone(salesforce: Served) -> None:
    job = await salesforce.load(CONTACTS)
    answer = await salesforce.http.delete(f"{INGEST}/{job}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert error_of(await salesforce.http.get(f"{INGEST}/{job}")) == (404, "NOT_FOUND")


async def test_a_job_deleted_while_it_waits_writes_nothing(salesforce: Served) -> None:
    await salesforce.control.add_fault(SlowJob(phase_s=10))
    job = await salesforce.load(CONTACTS)
    assert (await salesforce.http.delete(f"{INGEST}/{job}")).status_code == 204
    await salesforce.control.advance(60)
    assert (await salesforce.control.summary()).entries == 0


async def test_an_id_of_15_characters_will_do(salesforce: Served) -> None:
    job = await salesforce.create()
    assert (await salesforce.info(job[:15]))["id"] == job


async def test_each_internal_batch_counts_as_a_batch() -> None:
    async with org(Settings(internal_batch_rows=2)) as served:
        await served.load("LastName\n" + "Berg\n" * 5, "insert")
        limits = (await served.http.get("/services/data/v59.0/limits")).json()
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
