"""Recovery after an ambiguous step, and the view of the other APIs. salesforce_bulk.md §8, §1, §9."""

import re

import httpx
import pytest

from sandbox.faults.fault import DropAfter, DropBefore
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.bulk1.client import CSV, JSON, XML, Bulk1, bulk1_org, field, job_xml

LIST = "/services/data/v59.0/jobs/ingest?jobType=Classic"


async def _dropped(org: Bulk1, fault: DropAfter | DropBefore, path: str, content: str, content_type: str) -> None:
    """Make a call that is never answered."""
    await org.control.add_fault(fault)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await org.http.post(path, content=content, headers={"content-type": content_type})


async def test_a_create_that_timed_out_left_an_open_job_without_batches(org: Bulk1) -> None:
    content = job_xml(operation="insert", object="Contact", contentType="CSV")
    await _dropped(org, DropAfter(), "/job", content, XML)
    [orphan] = (await org.http.get(f"{org.url}{LIST}")).json()["records"]
    assert (orphan["state"], orphan["jobType"]) == ("Open", "Classic")
    assert "<batchInfoList" in (await org.http.get(f"/job/{orphan['id']}/batch")).text
    assert (await org.change(orphan["id"], "Aborted")).status_code == 200


async def test_a_batch_that_timed_out_is_known_by_its_request(org: Bulk1) -> None:
    job = await org.create()
    await org.add(job, "LastName\nBerg")
    await _dropped(org, DropAfter(), f"/job/{job}/batch", "LastName\nLind", CSV)
    listed = re.findall(r"<id>(\w+)</id>", (await org.http.get(f"/job/{job}/batch")).text)
    requests = [(await org.http.get(f"/job/{job}/batch/{batch}/request")).text for batch in listed]
    assert requests == ["LastName\nBerg", "LastName\nLind"]
    assert len(await org.control.ledger()) == 2


async def test_a_batch_that_never_arrived_is_not_there(org: Bulk1) -> None:
    job = await org.create()
    await _dropped(org, DropBefore(), f"/job/{job}/batch", "LastName\nLind", CSV)
    assert (await org.info(job))["numberBatchesTotal"] == "0"
    assert await org.control.ledger() == []


@pytest.mark.parametrize("state", [pytest.param("Closed", id="close"), pytest.param("Aborted", id="abort")])
async def test_a_change_that_timed_out_can_be_repeated(org: Bulk1, state: str) -> None:
    job = await org.create()
    await _dropped(org, DropAfter(), f"/job/{job}", f'{{"state": "{state}"}}', JSON)
    assert (await org.info(job))["state"] == state
    assert (await org.change(job, state)).status_code == 200


async def test_there_is_no_list_of_jobs_but_that_of_bulk_2(org: Bulk1) -> None:
    job = await org.create(content_type="JSON")
    assert field((await org.http.get("/job")).text, "exceptionCode") == "InvalidOperation"
    [listed] = (await org.http.get(f"{org.url}{LIST}")).json()["records"]
    shown = {name: listed[name] for name in ("id", "operation", "object", "contentType", "apiVersion")}
    assert shown == {"id": job, "operation": "insert", "object": "Contact", "contentType": "JSON", "apiVersion": 59.0}


async def test_batches_count_against_the_limits_that_the_org_shows(org: Bulk1) -> None:
    await org.load("insert", "LastName", "Berg")
    found = (await org.http.get(f"{org.url}/services/data/v59.0/limits")).json()
    assert found["DailyBulkApiBatches"] == {"Max": 15_000, "Remaining": 14_999}


async def test_batches_of_both_apis_count_together() -> None:
    """§7 Batches per rolling 24 h, 1.0 and 2.0 together"""
    async with bulk1_org(Settings(daily_batches=2)) as org:
        await org.load("insert", "LastName", "Berg")
        ingest = f"{org.url}/services/data/v59.0/jobs/ingest"
        job = '{"object": "Contact", "operation": "insert"}'
        parts = {"job": (None, job), "content": ("content", "LastName\nLind")}
        assert (await org.http.post(ingest, files=parts)).status_code == 200
        refused = await org.post_batch(await org.create(), "LastName\nFalk")
        assert field(refused.text, "exceptionCode") == "ExceededQuota"


async def test_query_jobs_are_listed_with_queries_to_be_cleaned_up(org: Bulk1) -> None:
    """§10 Listing and cleaning up open jobs: ``jobs/query``, then abort"""
    job = await org.create("query")
    [listed] = (await org.http.get(f"{org.url}/services/data/v59.0/jobs/query?jobType=Classic")).json()["records"]
    assert (listed["id"], listed["state"]) == (job, "Open")
    assert (await org.http.get(f"{org.url}{LIST}")).json()["records"] == []
    assert (await org.change(job, "Aborted")).status_code == 200
