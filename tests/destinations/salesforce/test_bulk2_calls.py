"""Calls of Bulk API 2.0: paths and bodies, and what cannot be read."""

import httpx
import msgspec
import pytest

from sluice.destinations.contract import Ambiguous, Misconfigured, Refused, Unavailable
from sluice.destinations.salesforce.bulk2_calls import Bulk2Calls
from sluice.destinations.salesforce.job_targets import Target
from tests.destinations.salesforce.bulk2_texts import JOB, NOT_FOUND, job, rest_error, table
from tests.destinations.salesforce.offline import Answer, calls
from tests.support.factories import send_now

BASE = "https://acme.my.salesforce.com/services/data/v59.0/jobs/ingest"
TARGET = Target("Case", "upsert", "Ext__c")


def bulk2(answer: Answer | httpx.Response, requests: list[httpx.Request] | None = None) -> Bulk2Calls:
    return Bulk2Calls(calls(answer, requests))


@pytest.mark.parametrize("status", [200, 201])
async def test_a_job_is_made(status: int) -> None:
    """§4.1: 200, tolerate 201"""
    requests: list[httpx.Request] = []
    answer = httpx.Response(status, content=job().content, headers={"content-type": "application/json;charset=UTF-8"})
    assert await bulk2(answer, requests).create_job(TARGET, "01Q000000000001", send_now) == JOB
    [request] = requests
    assert (request.method, str(request.url)) == ("POST", BASE)
    assert request.headers["authorization"].startswith("Bearer ")
    assert request.headers["content-type"] == "application/json"
    assert msgspec.json.decode(request.content) == {
        "object": "Case",
        "operation": "upsert",
        "externalIdFieldName": "Ext__c",
        "contentType": "CSV",
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
        "assignmentRuleId": "01Q000000000001",
    }


async def test_a_job_is_filled_started_and_aborted() -> None:
    """§4.1"""
    requests: list[httpx.Request] = []
    api = bulk2(lambda request: httpx.Response(201) if request.method == "PUT" else job(), requests)
    await api.put(JOB, b"Id\n1", send_now)
    await api.start(JOB, send_now)
    await api.abort(JOB)
    assert [(one.method, str(one.url).removeprefix(BASE), one.content) for one in requests] == [
        ("PUT", f"/{JOB}/batches", b"Id\n1"),
        ("PATCH", f"/{JOB}", b'{"state":"UploadComplete"}'),
        ("PATCH", f"/{JOB}", b'{"state":"Aborted"}'),
    ]
    assert requests[0].headers["content-type"] == "text/csv; charset=UTF-8"


async def test_a_job_has_counts_and_words() -> None:
    """§4.1"""
    failed = job("Failed", processed=251, failed=4, errorMessage="InvalidBatch : Field name not found : Foo")
    info = await bulk2(failed).job(JOB)
    assert (info.state, info.number_records_processed, info.number_records_failed) == ("Failed", 251, 4)
    assert info.error_message == "InvalidBatch : Field name not found : Foo"
    assert info.batch_key() == "Contact/upsert/Ext__c"


@pytest.mark.parametrize("answer", [table('"Ext__c"\n"A-1"\n'), table(""), httpx.Response(204)])
async def test_results_come_in_pieces_or_not_at_all(answer: httpx.Response) -> None:
    """§4.1, §13 row 4"""
    requests: list[httpx.Request] = []
    async with bulk2(answer, requests).results(JOB, "successfulResults") as pieces:
        found = b"".join([piece async for piece in pieces])
    assert found == answer.content
    assert str(requests[0].url) == f"{BASE}/{JOB}/successfulResults/"


@pytest.mark.parametrize("content", [b"", b"<", b"[]", b"{}", b'{"id": "../x", "state": "Open"}'])
async def test_an_answer_that_is_no_job_is_an_outage(content: bytes) -> None:
    answer = httpx.Response(200, content=content, headers={"content-type": "application/json"})
    for call in (bulk2(answer).job(JOB), bulk2(answer).create_job(TARGET, "", send_now)):
        with pytest.raises(Unavailable, match="cannot be read"):
            await call
    with pytest.raises(Ambiguous, match="cannot be read"):
        await bulk2(answer).start(JOB, send_now)


async def test_a_job_that_is_not_there_is_refused_and_a_missing_api_is_for_a_person() -> None:
    """§4.3: the one is about a job, the other about all"""
    for call in (bulk2(NOT_FOUND).job(JOB), bulk2(NOT_FOUND).abort(JOB), bulk2(NOT_FOUND).start(JOB, send_now)):
        with pytest.raises(Refused):
            await call
    with pytest.raises(Misconfigured, match="`api_version`"):
        await bulk2(NOT_FOUND).create_job(TARGET, "", send_now)
    with pytest.raises(Refused, match="INVALIDJOB"):
        await bulk2(rest_error("INVALIDJOB")).create_job(TARGET, "", send_now)
