"""Calls of Bulk API 1.0: paths and bodies, and what cannot be read."""

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Unavailable
from sluice.destinations.salesforce.bulk1_calls import Bulk1Calls, JobOrder
from sluice.destinations.salesforce.uploads import digest
from sluice.destinations.salesforce.xml_answers import parse_xml
from tests.destinations.salesforce.bulk1_texts import BATCH, JOB, batch_xml, batches_xml, job_xml
from tests.destinations.salesforce.offline import Answer, calls, error, xml
from tests.support.factories import send_now

BASE = "https://acme.my.salesforce.com/services/async/59.0"
TABLE = b"Ext__c,LastName\nA-1,Berg"


def bulk1(answer: Answer | httpx.Response, requests: list[httpx.Request] | None = None) -> Bulk1Calls:
    return Bulk1Calls(calls(answer, requests), "CSV")


async def test_a_job_is_made_with_its_fields_in_order() -> None:
    """§3.3"""
    requests: list[httpx.Request] = []
    order = JobOrder("upsert", "Case", "Ext__c", "Serial", "01Q000000000001", "CSV")
    assert await bulk1(xml(job_xml(), 201), requests).create_job(order, send_now) == JOB
    [request] = requests
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/job")
    assert request.headers["content-type"] == "application/xml; charset=UTF-8"
    assert list(parse_xml(request.content).texts().items()) == [
        ("operation", "upsert"),
        ("object", "Case"),
        ("externalIdFieldName", "Ext__c"),
        ("concurrencyMode", "Serial"),
        ("assignmentRuleId", "01Q000000000001"),
        ("contentType", "CSV"),
    ]


async def test_a_job_has_no_field_that_is_empty() -> None:
    """§3.3: externalIdFieldName is refused for all but an upsert"""
    requests: list[httpx.Request] = []
    await bulk1(xml(job_xml(), 201), requests).create_job(JobOrder("insert", "Contact"), send_now)
    assert "externalIdFieldName" not in parse_xml(requests[0].content).texts()


@pytest.mark.parametrize(("verb", "state"), [("close_job", "Closed"), ("abort_job", "Aborted")])
async def test_a_job_is_ended_by_its_state_alone(verb: str, state: str) -> None:
    """§3.4"""
    requests: list[httpx.Request] = []
    assert (await getattr(bulk1(xml(job_xml(state)), requests), verb)(JOB)).state == state
    assert str(requests[0].url) == f"{BASE}/job/{JOB}"
    assert parse_xml(requests[0].content).texts() == {"state": state}


async def test_a_batch_is_added() -> None:
    """§3.5"""
    requests: list[httpx.Request] = []
    assert await bulk1(xml(batch_xml(), 201), requests).add_batch(JOB, TABLE, send_now) == BATCH
    [request] = requests
    assert (str(request.url), request.content) == (f"{BASE}/job/{JOB}/batch", TABLE)
    assert request.headers["content-type"] == "text/csv; charset=UTF-8"


async def test_a_batch_is_asked_for_alone_and_with_all() -> None:
    """§3.6"""
    requests: list[httpx.Request] = []
    assert (await bulk1(xml(batch_xml("InProgress")), requests).batch(JOB, BATCH)).state == "InProgress"
    assert [one.id for one in await bulk1(xml(batches_xml(batch_xml())), requests).batches(JOB)] == [BATCH]
    assert [str(request.url) for request in requests] == [f"{BASE}/job/{JOB}/batch/{BATCH}", f"{BASE}/job/{JOB}/batch"]


async def test_what_was_sent_is_known_again_by_its_digest() -> None:
    """§3.6"""
    requests: list[httpx.Request] = []
    answer = httpx.Response(200, headers={"content-type": "text/csv"}, content=TABLE)
    assert await bulk1(answer, requests).request_digest(JOB, BATCH) == digest(TABLE)
    assert str(requests[0].url) == f"{BASE}/job/{JOB}/batch/{BATCH}/request"


async def test_results_are_streamed() -> None:
    """§3.7"""
    requests: list[httpx.Request] = []
    org = bulk1(httpx.Response(200, headers={"content-type": "text/csv"}, content=TABLE), requests)
    async with org.results(JOB, BATCH) as pieces:
        assert b"".join([piece async for piece in pieces]) == TABLE
    assert str(requests[0].url) == f"{BASE}/job/{JOB}/batch/{BATCH}/result"


@pytest.mark.parametrize(
    ("answer", "made", "added"),
    [
        pytest.param(xml("<other/>", 201), Unavailable, Ambiguous, id="another answer"),
        pytest.param(httpx.Response(201), Unavailable, Ambiguous, id="no answer at all"),
        pytest.param(error("InternalServerError", status=500), Unavailable, Ambiguous, id="§8 500"),
        pytest.param(error("ExceededQuota"), Unavailable, Unavailable, id="§3.11 quota"),
        pytest.param(error("FeatureNotEnabled"), Misconfigured, Misconfigured, id="§3.11 no Bulk API"),
    ],
)
async def test_a_lost_job_is_an_outage_and_a_lost_batch_is_ambiguous(
    answer: httpx.Response, made: type[BatchError], added: type[BatchError]
) -> None:
    """§8"""
    with pytest.raises(made):
        await bulk1(answer).create_job(JobOrder("insert", "Contact"), send_now)
    with pytest.raises(added):
        await bulk1(answer).add_batch(JOB, TABLE, send_now)


@pytest.mark.parametrize("verb", ["job", "batches", "close_job"])
async def test_an_answer_that_cannot_be_read_is_an_outage(verb: str) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        await getattr(bulk1(xml("<other/>")), verb)(JOB)
