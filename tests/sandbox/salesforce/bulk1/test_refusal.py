"""Every request-level error of salesforce_bulk.md §3.11, in the job's format. Ids name its rows."""

import gzip
from collections.abc import Awaitable, Callable
from typing import get_args

import httpx
import pytest

from sandbox.faults.fault import Status
from sandbox.salesforce.bulk1.faults import RefuseCall
from sandbox.salesforce.bulk1.refusal import ExceptionCode
from sandbox.salesforce.faults import FailBatch, NearlyUsedUp, RefuseRows
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.bulk1.client import (
    ADMIN,
    CSV,
    JSON,
    LIMITED,
    XML,
    Bulk1,
    bulk1_org,
    error,
    field,
    job_xml,
)

Trouble = Callable[[Bulk1], Awaitable[httpx.Response]]
ROWS = "LastName\nBerg"
CUT_OFF = gzip.compress(b"LastName\nBerg\n")[:-9]
MERGE, CONTENT = job_xml(operation="merge", object="Contact"), job_xml(operation="insert", object="ContentBody")
BODIES = {"CSV": (ROWS, CSV), "JSON": ('[{"LastName": "Berg"}]', JSON)}


def _get(path: str) -> Trouble:
    return lambda org: org.http.get(path)


def _get_as(session: str) -> Trouble:
    return lambda org: org.http.get("/job/750", headers={"X-SFDC-Session": session})


def _get_of_version(version: str) -> Trouble:
    return lambda org: org.http.get(f"{org.url}/services/async/{version}/job/750")


def _post_job(content: str, content_type: str = XML) -> Trouble:
    return lambda org: org.http.post("/job", content=content, headers={"content-type": content_type})


def _add_encoded(body: str | bytes, encoding: str = "identity") -> Trouble:
    """Add a batch to a new job."""

    async def trouble(org: Bulk1) -> httpx.Response:
        return await org.post_batch(await org.create(), body, **{"content-encoding": encoding})

    return trouble


async def _expired_session(org: Bulk1) -> httpx.Response:
    await org.control.advance(7_201)
    return await org.http.get("/job/750")


async def _closed_job(org: Bulk1) -> httpx.Response:
    job = await org.create()
    await org.change(job, "Closed")
    return await org.post_batch(job, ROWS)


async def _bad_state_change(org: Bulk1) -> httpx.Response:
    job = await org.create()
    await org.change(job, "Aborted")
    return await org.change(job, "Closed")


async def _unknown_batch(org: Bulk1) -> httpx.Response:
    return await org.http.get(f"/job/{await org.create()}/batch/751X00000000001IAA")


async def _batch_of_another_job(org: Bulk1) -> httpx.Response:
    batch = await org.add(await org.create(), ROWS)
    return await org.http.get(f"/job/{await org.create()}/batch/{batch}")


async def _result_of_a_failed_batch(org: Bulk1) -> httpx.Response:
    job = await org.create()
    return await org.http.get(f"/job/{job}/batch/{await org.add(job, 'Foo')}/result")


async def _no_such_result(org: Bulk1) -> httpx.Response:
    job = await org.create()
    batch = await org.add(job, ROWS)
    return await org.http.get(f"/job/{job}/batch/{batch}/result/752X00000000001IAA")


async def _batches_used_up(org: Bulk1) -> httpx.Response:
    await org.control.add_fault(NearlyUsedUp(batches_left=0))
    return await org.post_batch(await org.create(), ROWS)


async def _calls_used_up(org: Bulk1) -> httpx.Response:
    await org.control.add_fault(NearlyUsedUp(api_requests_left=0))
    return await org.http.get("/job/750")


async def _no_hard_delete(org: Bulk1) -> httpx.Response:
    content = job_xml(operation="hardDelete", object="Contact")
    return await org.http.post("/job", content=content, headers={"content-type": XML, **org.session(LIMITED)})


async def _job_of_another_user(org: Bulk1) -> httpx.Response:
    return await org.post_batch(await org.create(), ROWS, **org.session(ADMIN))


@pytest.mark.parametrize(
    ("trouble", "code", "message"),
    [
        pytest.param(_get_as("wrong"), "InvalidSessionId", "Invalid session id", id="InvalidSessionId wrong"),
        pytest.param(_expired_session, "InvalidSessionId", "Invalid session id", id="InvalidSessionId expired"),
        pytest.param(_get_as(""), "InvalidSessionId", "Unable to find session id", id="InvalidSessionId missing"),
        pytest.param(_get("/job/750X00000000JOBIAA"), "InvalidJob", None, id="InvalidJob unknown id"),
        pytest.param(_bad_state_change, "InvalidJobState", None, id="InvalidJobState bad state change"),
        pytest.param(
            _closed_job,
            "InvalidJobState",
            "Failed to create batch, since the Job is not Open. Current job state is 'Closed'",
            id="InvalidJobState batch added to a job not open",
        ),
        pytest.param(_unknown_batch, "InvalidBatch", None, id="InvalidBatch unknown batch"),
        pytest.param(_batch_of_another_job, "InvalidBatch", None, id="InvalidBatch of another job"),
        pytest.param(_result_of_a_failed_batch, "InvalidBatch", "Records not processed", id="InvalidBatch unprocessed"),
        pytest.param(_no_such_result, "InvalidBatch", "Records not found for this batch", id="InvalidBatch no result"),
        pytest.param(
            _add_encoded(b"x" * 10_000_001),
            "ClientInputError",
            "Failed to read request. Exceeded max size limit of 10000000",
            id="ClientInputError over 10,000,000 bytes",
        ),
        pytest.param(_add_encoded(CUT_OFF, "gzip"), "ClientInputError", None, id="ClientInputError body cut off"),
        pytest.param(_add_encoded(ROWS, "gzip"), "ClientInputError", None, id="ClientInputError no gzip"),
        pytest.param(_add_encoded(""), "ClientInputError", None, id="ClientInputError empty body"),
        pytest.param(_batches_used_up, "ExceededQuota", "ApiBatchItems Limit exceeded.", id="ExceededQuota batches"),
        pytest.param(_calls_used_up, "ExceededQuota", "TotalRequests Limit exceeded.", id="ExceededQuota calls"),
        pytest.param(_no_hard_delete, "FeatureNotEnabled", None, id="FeatureNotEnabled hardDelete"),
        pytest.param(_post_job(CONTENT), "InvalidEntity", None, id="InvalidEntity"),
        pytest.param(_post_job(MERGE), "InvalidOperation", None, id="InvalidOperation"),
        pytest.param(_get("/jobs"), "InvalidUrl", None, id="InvalidUrl"),
        pytest.param(_post_job("<jobInfo"), "InvalidXML", None, id="InvalidXML"),
        pytest.param(_post_job("x", "text/plain"), "UnsupportedContentType", None, id="UnsupportedContentType"),
        pytest.param(_add_encoded(ROWS, "br"), "UnsupportedContentType", None, id="UnsupportedContentType encoding"),
        pytest.param(_get_of_version("99.0"), "InvalidVersion", None, id="InvalidVersion"),
        pytest.param(_job_of_another_user, "InvalidUser", None, id="InvalidUser job made by another user"),
        pytest.param(_get_of_version("26.0"), "Gone", None, id="Gone"),
    ],
)
async def test_request_level_errors(org: Bulk1, trouble: Trouble, code: str, message: str | None) -> None:
    answer = await trouble(org)
    assert answer.status_code == (410 if code == "Gone" else 400)
    assert answer.headers["content-type"] == XML
    assert field(answer.text, "exceptionCode") == code
    assert answer.text == error(code, message or field(answer.text, "exceptionMessage"))


async def test_an_unparsable_job_is_an_invalid_job(org: Bulk1) -> None:
    answer = await org.http.post("/job", content="{", headers={"content-type": JSON, "accept": "*/*"})
    found = answer.json()
    assert (answer.status_code, found["exceptionCode"]) == (400, "InvalidJob")
    assert found["exceptionMessage"].startswith("Unable to parse Job")


async def test_nothing_works_while_bulk_is_off() -> None:
    async with bulk1_org(Settings(bulk_enabled=False)) as org:
        answer = await org.post_job("?")
        assert (answer.status_code, field(answer.text, "exceptionCode")) == (400, "FeatureNotEnabled")


@pytest.mark.parametrize(("scheme", "status"), [("https", 201), ("http", 400)])
async def test_https_may_be_required(scheme: str, status: int) -> None:
    async with bulk1_org(Settings(https_required=True)) as org:
        content = job_xml(operation="insert", object="Contact")
        headers = {"content-type": XML, "x-forwarded-proto": scheme}
        answer = await org.http.post("/job", content=content, headers=headers)
        assert (answer.status_code, "HttpsRequired" in answer.text) == (status, status == 400)


@pytest.mark.parametrize("code", [pytest.param(code, id=code) for code in get_args(ExceptionCode)])
@pytest.mark.parametrize("content_type", [pytest.param("CSV", id="in XML"), pytest.param("JSON", id="in JSON")])
async def test_any_code_can_be_had_and_nothing_is_applied(org: Bulk1, code: ExceptionCode, content_type: str) -> None:
    job = await org.create(content_type=content_type)
    await org.control.add_fault(RefuseCall(code=code, message="asked for"))
    body, sent = BODIES[content_type]
    answer = await org.post_batch(job, body, sent)
    assert answer.status_code == {"InternalServerError": 500, "Unknown": 500, "Gone": 410, "NOT_FOUND": 404}.get(
        code, 400
    )
    found = answer.json()["exceptionCode"] if content_type == "JSON" else field(answer.text, "exceptionCode")
    assert found == code
    assert await org.control.ledger() == []


@pytest.mark.parametrize("code", ["Timeout", "TooManyLockFailure"])
async def test_codes_inside_a_state_message(org: Bulk1, code: str) -> None:
    job = await org.create()
    await org.control.add_fault(FailBatch(code=code, message="asked for"))
    batch = await org.add(job, ROWS)
    assert (await org.info(job, batch))["stateMessage"] == f"{code} : asked for"


async def test_too_many_lock_failures_inside_a_row_error(org: Bulk1) -> None:
    await org.control.add_fault(RefuseRows(status_code="TooManyLockFailure", message="Too many lock failure"))
    text = await org.load("insert", "LastName", "Berg", "Lind")
    assert text.splitlines()[1] == '"","false","false","TooManyLockFailure:Too many lock failure:--"'


async def test_a_refused_batch_for_a_closed_job_still_counts() -> None:
    async with bulk1_org(Settings(daily_batches=2)) as org:
        closed = await org.create()
        await org.change(closed, "Closed")
        await org.post_batch(closed, ROWS)
        job = await org.create()
        assert (await org.post_batch(job, ROWS)).status_code == 201
        assert field((await org.post_batch(job, ROWS)).text, "exceptionCode") == "ExceededQuota"


@pytest.mark.parametrize("status", [pytest.param(status, id=f"§3.11 HTML {status}") for status in (502, 503, 504)])
async def test_an_edge_may_answer_in_html(org: Bulk1, status: int) -> None:
    job = await org.create()
    await org.control.add_fault(Status(status=status, body="<html></html>", content_type="text/html"))
    answer = await org.post_batch(job, ROWS)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html")
    assert await org.control.ledger() == []
