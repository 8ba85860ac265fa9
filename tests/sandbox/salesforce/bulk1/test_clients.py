"""Other people's clients of Bulk API 1.0, unmodified, against the sandbox: salesforce-bulk and simple-salesforce.

They run in threads, because they block and the sandbox runs in this loop. sfbulk and sfbulkapi are not on the package
index; their habits, as the document lists them, are written out here.
"""

import io
import re
from asyncio import to_thread
from collections.abc import Iterator
from typing import Any

import pytest
from salesforce_bulk import CsvDictsAdapter, SalesforceBulk
from salesforce_bulk.salesforce_bulk import BulkBatchFailed
from simple_salesforce.bulk import SFBulkHandler

from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.bulk1.client import NAMESPACE, Bulk1, bulk1_org, field, job_xml, rows


def _old(org: Bulk1) -> SalesforceBulk:
    """Return a client of salesforce-bulk, which speaks version 40.0."""
    return SalesforceBulk(sessionId=org.session()["X-SFDC-Session"], host=org.url)


def _simple(org: Bulk1) -> Any:
    """Return an untyped client: its annotations take less than its documentation does."""
    return SFBulkHandler(org.session()["X-SFDC-Session"], f"{org.url}/services/async/59.0/")


def _people(count: int) -> Iterator[dict[str, str]]:
    for number in range(count):
        yield {"LastName": f"N{number}", "Ext__c": f"A-{number}"}


async def test_salesforce_bulk_streams_an_upsert_and_reads_its_results(org: Bulk1) -> None:
    def work() -> list[Any]:
        client = _old(org)
        job = client.create_upsert_job("Contact", "Ext__c", contentType="CSV", concurrency="Parallel")
        batch = client.post_batch(job, CsvDictsAdapter(_people(3)))
        client.wait_for_batch(job, batch, sleep_interval=0)
        results: list[Any] = client.get_batch_results(batch)
        client.close_job(job)
        assert client.job_state(job) == "Closed"
        return results

    results = await to_thread(work)
    assert [(one.success, one.created, one.error) for one in results] == [("true", "true", "")] * 3


async def test_salesforce_bulk_reads_json_results(org: Bulk1) -> None:
    def work() -> list[Any]:
        client = _old(org)
        job = client.create_insert_job("Contact", contentType="JSON")
        batch = client.post_batch(job, b'[{"LastName": "Berg"}, {}]')
        results: list[Any] = client.get_batch_results(batch)
        assert client.get_batch_list(job)[0]["state"] == "Completed"
        return results

    results = await to_thread(work)
    assert [one.success for one in results] == [True, False]
    assert results[1].error[0]["statusCode"] == "REQUIRED_FIELD_MISSING"


async def test_salesforce_bulk_queries_with_pk_chunking(org: Bulk1) -> None:
    await org.load("insert", "LastName,Ext__c", *(f"N{number},A-{number}" for number in range(5)))

    def work() -> list[list[str]]:
        client = _old(org)
        job = client.create_query_job("Contact", contentType="CSV", pk_chunking=2)
        posted = client.query(job, "SELECT LastName FROM Contact")
        found: list[list[str]] = []
        for batch in client.get_batch_list(job):
            if batch["id"] == posted:
                assert batch["state"] == "NotProcessed"
                continue
            for file in client.get_all_results_for_query_batch(batch["id"], job):
                found += rows(io.TextIOWrapper(file, "utf-8").read())
        return found

    assert await to_thread(work) == [["N0"], ["N1"], ["N2"], ["N3"], ["N4"]]


async def test_salesforce_bulk_reads_a_query_and_its_request(org: Bulk1) -> None:
    await org.load("insert", "LastName", "Berg")

    def work() -> tuple[str, str]:
        client = _old(org)
        job = client.create_query_job("Contact", contentType="CSV")
        batch = client.query(job, "SELECT LastName FROM Contact")
        [file] = client.get_all_results_for_query_batch(batch)
        return file.read().decode(), client.get_query_batch_request(batch)

    assert await to_thread(work) == ('"LastName"\n"Berg"\n', "SELECT LastName FROM Contact")


async def test_salesforce_bulk_posts_a_mapping_file(org: Bulk1) -> None:
    def work() -> str:
        client = _old(org)
        job = client.create_insert_job("Contact")
        client.post_mapping_file(job, b"Salesforce Field,Csv Header,Value,Hint\nLastName,Family,,\n")
        batch = client.post_batch(job, iter([b"Family\n", b"Berg\n"]))
        return str(client.batch_status(batch)["numberRecordsFailed"])

    assert await to_thread(work) == "0"


async def test_salesforce_bulk_sees_why_a_batch_failed(org: Bulk1) -> None:
    def work() -> None:
        client = _old(org)
        job = client.create_delete_job("Contact")
        batch = client.post_batch(job, b"Id,LastName\n003,x\n")
        client.wait_for_batch(job, batch, sleep_interval=0)

    with pytest.raises(BulkBatchFailed, match="must contain only ids"):
        await to_thread(work)


async def test_salesforce_bulk_aborts_a_job() -> None:
    async with bulk1_org(Settings(queued_s=60)) as org:

        def work() -> tuple[str, str]:
            client = _old(org)
            job = client.create_insert_job("Contact")
            batch = client.post_batch(job, b"LastName\nBerg\n")
            client.abort_job(job)
            return client.job_state(job), client.batch_state(batch)

        assert await to_thread(work) == ("Aborted", "NotProcessed")


async def test_simple_salesforce_runs_every_operation(org: Bulk1) -> None:
    def work() -> tuple[list[Any], list[Any]]:
        contacts = _simple(org).Contact
        made = list(contacts.insert(list(_people(5)), batch_size=2))
        ids = [{"Id": one["id"]} for one in made]
        contacts.update([{**one, "Title": "Dr"} for one in ids[:2]], use_serial=True)
        contacts.upsert([{"Ext__c": "A-9", "LastName": "Nine"}], "Ext__c")
        contacts.delete(ids[2:3])
        contacts.hard_delete(ids[3:4])
        soql = "SELECT LastName, Title FROM Contact ORDER BY LastName"
        return list(contacts.query(soql)), list(contacts.query_all(soql))

    found, everything = await to_thread(work)
    shown = [(row["LastName"], row["Title"]) for row in found]
    assert shown == [("N0", "Dr"), ("N1", "Dr"), ("N4", None), ("Nine", None)]
    assert [row["LastName"] for row in everything] == ["N0", "N1", "N2", "N4", "Nine"]


async def test_simple_salesforce_joins_results_with_the_request(org: Bulk1) -> None:
    def work() -> list[Any]:
        data = [{"LastName": "Berg", "Ext__c": "A"}, {"FirstName": "Ada"}]
        return list(_simple(org).Contact.insert(data, include_detailed_results=True))

    good, bad = await to_thread(work)
    assert (good["success"], good["LastName"]) == (True, "Berg")
    assert (bad["success"], bad["errors"][0]["fields"], bad["FirstName"]) == (False, ["LastName"], "Ada")


async def test_simple_salesforce_cuts_batches_by_size(org: Bulk1) -> None:
    def work() -> int:
        data = [{"LastName": "x" * 80, "Description": "y" * 30_000} for _ in range(400)]
        results = list(_simple(org).submit_dml("Contact", "insert", data, batch_size="auto"))
        return sum(one["success"] for one in results)

    assert await to_thread(work) == 400
    assert len({entry.request for entry in await org.control.ledger()}) == 2


async def test_the_habits_of_sfbulk_together(org: Bulk1) -> None:
    """Lower-case root, a double slash, a comma in the type, and every batch asked for ``Completed`` or ``Failed``."""
    base = f"{org.url}//services/async/59.0"
    asked = "<operation>insert</operation><object>Contact</object><contentType>CSV</contentType>"
    job_type, data_type = {"content-type": "application/xml"}, {"content-type": "text/csv, charset=UTF-8"}
    body = f'<jobinfo xmlns="{NAMESPACE}">{asked}</jobinfo>'
    job = field((await org.http.post(f"{base}/job", content=body, headers=job_type)).text, "id")
    body = "LastName\nBerg"
    added = await org.http.post(f"{base}/job/{job}/batch", content=body, headers=data_type)
    batch = field(added.text, "id")
    closed = f'<jobinfo xmlns="{NAMESPACE}"><state>Closed</state></jobinfo>'
    await org.http.post(f"{base}/job/{job}", content=closed, headers=data_type)
    assert re.findall(r"<state>(\w+)", (await org.http.get(f"{base}/job/{job}/batch")).text) == ["Completed"]
    assert len(rows((await org.http.get(f"{base}/job/{job}/batch/{batch}/result")).text)) == 1


async def test_the_habits_of_sfbulkapi_together(org: Bulk1) -> None:
    """White space before the declaration, lower-case objects, and a job found again by its id."""
    body = "\n   " + job_xml(operation="query", object="user", contentType="CSV")
    made = await org.http.post("/job", content=body, headers={"content-type": "application/xml"})
    job = field(made.text, "id")
    await org.add(job, "SELECT Username FROM user")
    assert field((await org.http.get(f"/job/{job}")).text, "object") == "User"
    [batch] = re.findall(r"<id>(\w+)", (await org.http.get(f"/job/{job}/batch")).text)
    path = f"/job/{job}/batch/{batch}/result"
    result = field((await org.http.get(path)).text, "result")
    assert ["loader@example.com"] in rows((await org.http.get(f"{path}/{result}")).text)
