"""The list of jobs: page by page, and nowhere else."""

from datetime import UTC, datetime

import httpx
import pytest

from sluice.destinations.contract import Unavailable
from sluice.destinations.salesforce.job_list import ListedJob, listed_jobs
from tests.destinations.salesforce.bulk2_texts import rest_error
from tests.destinations.salesforce.offline import Answer, calls

LISTED = {
    "id": "750X00000000JOBIAA",
    "operation": "upsert",
    "object": "Contact",
    "createdById": "005X0000000USERAAA",
    "createdDate": "2024-11-21T09:28:59.000+0000",
    "state": "Closed",
    "externalIdFieldName": "Ext__c",
    "apiVersion": 59.0,
    "jobType": "Classic",
}
NEXT = "/services/data/v59.0/jobs/ingest?queryLocator=abc"


async def listed(answer: Answer | httpx.Response, requests: list[httpx.Request]) -> list[ListedJob]:
    return [job async for job in listed_jobs(calls(answer, requests), "Classic")]


async def test_all_pages_are_read() -> None:
    """§4.1"""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        page = NEXT if len(requests) == 1 else None
        return httpx.Response(200, json={"done": page is None, "records": [LISTED], "nextRecordsUrl": page})

    [first, second] = await listed(answer, requests)
    assert first == second
    assert (first.batch_key(), first.state) == ("Contact/upsert/Ext__c", "Closed")
    assert first.created_date == datetime(2024, 11, 21, 9, 28, 59, tzinfo=UTC)
    assert [request.url.raw_path.decode() for request in requests] == [
        "/services/data/v59.0/jobs/ingest?jobType=Classic",
        NEXT,
    ]


def test_a_key_that_the_list_lacks_is_filled_in() -> None:
    job = ListedJob(id="750X00000000JOBIAA", object="Contact", operation="upsert")
    assert (job.batch_key(), job.batch_key("Ext__c")) == ("Contact/upsert", "Contact/upsert/Ext__c")


async def test_a_page_elsewhere_is_not_read() -> None:
    requests: list[httpx.Request] = []
    page = {"records": [LISTED], "nextRecordsUrl": "https://evil.test/services/data/v59.0/jobs"}
    assert len(await listed(httpx.Response(200, json=page), requests)) == 1
    assert len(requests) == 1


async def test_a_list_that_is_refused_is_asked_for_again() -> None:
    with pytest.raises(Unavailable, match="cannot list jobs"):
        await listed(rest_error("API_ERROR"), [])


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"records": [{"id": "../x"}]}'])
async def test_a_list_that_cannot_be_read_is_an_outage(content: bytes) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        await listed(httpx.Response(200, content=content), [])
