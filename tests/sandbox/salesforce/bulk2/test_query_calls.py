"""Query jobs and their pages. salesforce_bulk.md §4.2."""

import pytest

from sandbox.salesforce.faults import SlowJob
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import CONTACTS, LIMITS, QUERY, Served, error_of, org, rows_of

ASK = {"operation": "query", "query": "SELECT Id, LastName FROM Contact"}


async def _filled(served: Served, count: int) -> None:
    await served.load("Ext__c,LastName\n" + "".join(f"K-{number:03},Berg\n" for number in range(count)))


async def test_create_answers_upload_complete_at_once(salesforce: Served) -> None:
    answer = await salesforce.http.post(QUERY, json=ASK)
    job = answer.json()
    assert (answer.status_code, job["state"]) == (200, "UploadComplete")
    assert (job["operation"], job["object"], job["apiVersion"]) == ("query", "Contact", 59.0)


async def test_info_adds_the_documents_members(salesforce: Served) -> None:
    await salesforce.load(CONTACTS)
    info = await salesforce.info(await salesforce.ask(ASK["query"]), QUERY)
    assert (info["state"], info["jobType"], info["numberRecordsProcessed"]) == ("JobComplete", "V2Query", 1)
    assert {"retries", "totalProcessingTime", "isPkChunkingSupported"} <= info.keys()


async def test_every_page_has_the_header_and_a_locator_until_the_last(salesforce: Served) -> None:
    await _filled(salesforce, 5)
    job = await salesforce.ask("SELECT Ext__c FROM Contact ORDER BY Ext__c")
    pages, locators = [], [""]
    while locators[-1] != "null":
        asked: dict[str, str | int] = {"maxRecords": 2, "locator": locators[-1]}
        answer = await salesforce.http.get(f"{QUERY}/{job}/results", params=asked)
        assert answer.headers["content-type"] == "text/csv;charset=UTF-8"
        pages.append((answer.text.splitlines(), answer.headers["sforce-numberofrecords"]))
        locators.append(answer.headers["sforce-locator"])
    assert pages == [
        (['"Ext__c"', '"K-000"', '"K-001"'], "2"),
        (['"Ext__c"', '"K-002"', '"K-003"'], "2"),
        (['"Ext__c"', '"K-004"'], "1"),
    ]


async def test_a_locator_may_be_read_again_whatever_is_written_since(salesforce: Served) -> None:
    await _filled(salesforce, 4)
    job = await salesforce.ask("SELECT Ext__c FROM Contact")
    first = await salesforce.http.get(f"{QUERY}/{job}/results", params={"maxRecords": 2})
    asked: dict[str, str | int] = {"maxRecords": 2, "locator": first.headers["sforce-locator"]}
    before = await salesforce.http.get(f"{QUERY}/{job}/results", params=asked)
    await salesforce.load("Ext__c,LastName\nK-900,Lind\n")
    assert (await salesforce.http.get(f"{QUERY}/{job}/results", params=asked)).text == before.text


async def test_result_pages_lead_to_up_to_five_pages(salesforce: Served) -> None:
    await _filled(salesforce, 13)
    job = await salesforce.ask("SELECT Ext__c FROM Contact")
    first = (await salesforce.http.get(f"{QUERY}/{job}/resultPages", params={"maxRecords": 2})).json()
    rest = (await salesforce.http.get(first["nextRecordsUrl"])).json()
    urls = [page["resultUrl"] for page in first["resultPages"] + rest["resultPages"]]
    rows = [row["Ext__c"] for url in urls for row in rows_of(await salesforce.http.get(url))]
    assert (len(first["resultPages"]), first["done"], rest["done"]) == (5, False, True)
    assert sorted(rows) == [f"K-{number:03}" for number in range(13)]


async def test_no_rows_are_a_header_alone(salesforce: Served) -> None:
    job = await salesforce.ask(ASK["query"])
    answer = await salesforce.http.get(f"{QUERY}/{job}/results")
    assert answer.text == '"Id","LastName"\n'
    assert answer.headers["sforce-locator"] == "null"


async def test_query_all_includes_deleted_records(salesforce: Served) -> None:
    await salesforce.load(CONTACTS)
    [row] = await salesforce.query("SELECT Id FROM Contact")
    await salesforce.load(f"Id\n{row['Id']}\n", "delete")
    assert await salesforce.query("SELECT Id FROM Contact") == []
    assert await salesforce.query("SELECT Id, IsDeleted FROM Contact", "queryAll") == [{**row, "IsDeleted": "true"}]


async def test_delimiter_and_line_ending_shape_the_results(salesforce: Served) -> None:
    await salesforce.load(CONTACTS)
    members = {"columnDelimiter": "PIPE", "lineEnding": "CRLF", "contentType": "CSV"}
    job = await salesforce.ask("SELECT LastName, Ext__c FROM Contact", **members)
    answer = await salesforce.http.get(f"{QUERY}/{job}/results")
    assert answer.content == b'"LastName"|"Ext__c"\r\n"Berg"|"A-1"\r\n'


async def test_results_wait_for_job_complete(salesforce: Served) -> None:
    await salesforce.control.add_fault(SlowJob(phase_s=5))
    job = await salesforce.ask(ASK["query"])
    assert error_of(await salesforce.http.get(f"{QUERY}/{job}/results")) == (400, "INVALIDJOBSTATE")
    await salesforce.control.advance(10)
    assert (await salesforce.http.get(f"{QUERY}/{job}/results")).status_code == 200


async def test_a_running_query_can_be_aborted_but_not_deleted(salesforce: Served) -> None:
    await salesforce.control.add_fault(SlowJob(phase_s=5))
    job = await salesforce.ask(ASK["query"])
    assert error_of(await salesforce.http.delete(f"{QUERY}/{job}")) == (400, "API_ERROR")
    assert (await salesforce.patch(job, "Aborted", QUERY)).json()["state"] == "Aborted"
    assert (await salesforce.http.delete(f"{QUERY}/{job}")).status_code == 204


async def test_results_with_another_version_than_the_jobs_are_a_409(salesforce: Served) -> None:
    job = await salesforce.ask(ASK["query"])
    answer = await salesforce.http.get(f"{QUERY.replace('v59.0', 'v58.0')}/{job}/results")
    assert error_of(answer)[0] == 409


@pytest.mark.parametrize(("path", "version"), [("ingest", "40"), ("query", "46")])
async def test_a_version_before_a_call_does_not_have_it(salesforce: Served, path: str, version: str) -> None:
    """§1: ingest came with 41.0, query with 47.0."""
    answer = await salesforce.http.get(f"/services/data/v{version}.0/jobs/{path}")
    assert error_of(answer) == (404, "NOT_FOUND")
    newer = await salesforce.http.get(f"/services/data/v{int(version) + 1}.0/jobs/{path}")
    assert newer.status_code == 200


async def test_result_pages_come_with_58(salesforce: Served) -> None:
    job = await salesforce.ask(ASK["query"])
    answer = await salesforce.http.get(f"{QUERY.replace('v59.0', 'v57.0')}/{job}/resultPages")
    assert error_of(answer) == (404, "NOT_FOUND")


async def test_query_jobs_are_counted_and_run_out() -> None:
    async with org(Settings(daily_query_jobs=1)) as served:
        await served.ask(ASK["query"])
        assert (await served.http.get(LIMITS)).json()["DailyBulkV2QueryJobs"] == {"Max": 1, "Remaining": 0}
        assert error_of(await served.http.post(QUERY, json=ASK)) == (400, "EXCEEDEDQUOTA")
        await served.control.advance(86_460)
        served.http.headers.update(served.as_user())
        assert (await served.http.post(QUERY, json=ASK)).status_code == 200
