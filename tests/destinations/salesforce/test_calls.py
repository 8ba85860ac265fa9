"""Calls: what they send, what a lost or refused one is worth, and what they learn by the way."""

import gzip
from datetime import UTC, datetime

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Refused, Unavailable
from sluice.destinations.salesforce.calls import CSV, Calls, Effect
from sluice.destinations.vendor_jobs import Quota
from tests.destinations.salesforce.logins import SESSION
from tests.destinations.salesforce.offline import calls, error, xml

BATCH = "/services/async/59.0/job/750/batch"
UPLOAD = "/services/data/v59.0/jobs/ingest/750/batches"
TABLE = b"Ext__c,LastName\n" + b"A-1,Berg\n" * 500
LIMITS = httpx.Response(200, json={"DailyBulkApiBatches": {"Max": 15000, "Remaining": 14000}})


def refuse() -> None:
    raise Unavailable("frozen", "too late")


async def post(org: Calls, effect: Effect = "once") -> httpx.Response:
    return await org.write("POST", BATCH, TABLE, CSV, effect=effect)


async def test_a_write_has_its_body_and_type() -> None:
    requests: list[httpx.Request] = []
    org = calls(xml("<batchInfo/>", 201), requests)
    assert (await post(org)).status_code == 201
    [request] = requests
    assert (request.method, str(request.url)) == ("POST", f"https://acme.my.salesforce.com{BATCH}")
    assert (request.content, request.headers["content-type"]) == (TABLE, CSV)
    assert request.headers["x-sfdc-session"] == SESSION
    assert "content-encoding" not in request.headers


@pytest.mark.parametrize(
    ("path", "body", "packed"),
    [
        pytest.param(BATCH, TABLE, True, id="§3.1 a batch of 1.0"),
        pytest.param(BATCH, b"x" * 100, False, id="a small one"),
        pytest.param(UPLOAD, TABLE, False, id="2.0, whose document says nothing of it"),
    ],
)
async def test_requests_are_compressed_where_that_is_documented(path: str, body: bytes, packed: bool) -> None:
    requests: list[httpx.Request] = []
    org = calls(xml("<batchInfo/>", 201), requests, compress=True)
    await org.write("PUT", path, body, CSV, effect="once")
    [request] = requests
    assert (request.headers.get("content-encoding") == "gzip") == packed
    assert (gzip.decompress(request.content) if packed else request.content) == body


async def test_a_call_without_a_body_has_no_type() -> None:
    requests: list[httpx.Request] = []
    await calls(httpx.Response(204), requests).write("DELETE", UPLOAD, effect="nothing")
    assert "content-type" not in requests[0].headers


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        pytest.param("nothing", Unavailable, id="nothing"),
        pytest.param("repeatable", Ambiguous, id="repeatable"),
        pytest.param("once", Ambiguous, id="once"),
    ],
)
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.ReadError("reset"), id="lost"),
        pytest.param(httpx.Response(502, content=b"<html>"), id="502"),
        pytest.param(httpx.Response(200, headers={"content-type": "text/html"}, content=b"<html>"), id="a page"),
        pytest.param(error("ClientInputError"), id="§3.11 ClientInputError"),
    ],
)
async def test_a_lost_answer_is_worth_what_the_call_may_have_done(
    answer: httpx.Response | Exception, effect: Effect, expected: type[BatchError]
) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(expected):
        await post(calls(respond), effect)


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        pytest.param("nothing", Unavailable, id="nothing"),
        pytest.param("repeatable", Unavailable, id="repeatable"),
        pytest.param("once", Ambiguous, id="once"),
    ],
)
async def test_a_429_by_a_gateway_proves_nothing_for_what_must_not_be_repeated(
    effect: Effect, expected: type[BatchError]
) -> None:
    with pytest.raises(expected):
        await post(calls(httpx.Response(429)), effect)


@pytest.mark.parametrize(("effect", "sent"), [("nothing", 2), ("repeatable", 2), ("once", 1)])
async def test_a_401_by_a_proxy_does_not_repeat_a_write(effect: Effect, sent: int) -> None:
    requests: list[httpx.Request] = []
    with pytest.raises(BatchError):
        await post(calls(httpx.Response(401, content=b"<html>"), requests), effect)
    assert len(requests) == sent


async def test_an_invalid_session_repeats_a_write_once() -> None:
    requests: list[httpx.Request] = []
    with pytest.raises(Unavailable) as outage:
        await post(calls(error("InvalidSessionId"), requests))
    assert (len(requests), outage.value.reason) == (2, "auth")


async def test_a_call_that_is_stopped_in_the_last_moment_raises_why() -> None:
    """The mock has no such moment; tests/destinations/test_http_attempts.py shows it on a socket."""
    requests: list[httpx.Request] = []
    org = calls(xml("<batchInfo/>", 201), requests)
    await org.write("POST", BATCH, TABLE, CSV, effect="once", check=refuse)
    assert requests[0].extensions["sluice.pre-send-check"] is refuse


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(error("InvalidBatch", "Records not processed"), Refused, id="a code"),
        pytest.param(httpx.Response(404, content=b"<html>"), Misconfigured, id="404 of a proxy"),
        pytest.param(httpx.Response(503), Unavailable, id="503"),
        pytest.param(httpx.Response(200, headers={"content-type": "text/html"}), Unavailable, id="a page"),
    ],
)
async def test_a_read_raises_what_its_answer_means(answer: httpx.Response, expected: type[BatchError]) -> None:
    with pytest.raises(expected):
        await calls(answer).get(BATCH)
    with pytest.raises(expected):
        await read_all(calls(answer))


async def test_a_description_is_found_or_known_to_be_absent() -> None:
    """§13, row 15"""
    absent = httpx.Response(404, json=[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])
    requests: list[httpx.Request] = []
    assert await calls(httpx.Response(200, content=b"{}"), requests).find("sobjects/Contact/describe") == b"{}"
    assert requests[0].url.path == "/services/data/v59.0/sobjects/Contact/describe"
    assert await calls(absent).find("sobjects/Foo/describe") is None
    with pytest.raises(Misconfigured):
        await calls(httpx.Response(404, content=b"<html>")).find("sobjects/Contact/describe")
    with pytest.raises(Unavailable):
        await calls(error("SomethingNew")).find("sobjects/Contact/describe")


async def read_all(org: Calls) -> bytes:
    async with org.stream(f"{BATCH}/751/result", max_bytes=10_000) as pieces:
        return b"".join([piece async for piece in pieces])


async def test_a_result_is_streamed() -> None:
    requests: list[httpx.Request] = []
    assert await read_all(calls(httpx.Response(200, content=TABLE), requests)) == TABLE
    assert requests[0].headers["accept-encoding"] == "gzip"


async def test_a_result_that_is_too_long_is_an_outage() -> None:
    with pytest.raises(Unavailable, match="longer than 10000 bytes"):
        await read_all(calls(httpx.Response(200, content=TABLE * 3)))


async def test_the_vendors_clock_is_taken_from_its_own_answers() -> None:
    org = calls(xml("<jobInfo/>", date="Thu, 01 Jan 2026 12:00:00 GMT"))
    assert org.vendor_at is None
    await org.get(BATCH)
    assert org.vendor_at == datetime(2026, 1, 1, 12, tzinfo=UTC)


async def test_budgets_are_read_seldom_and_after_a_refusal() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        return LIMITS if request.url.path.endswith("/limits") else error("ExceededQuota", "ApiBatchItems Limit")

    org = calls(answer, requests)
    await org.read_quotas()
    await org.read_quotas()
    assert [request.url.path for request in requests] == ["/services/data/v59.0/limits"]
    assert org.quotas == {"DailyBulkApiBatches": Quota(14000, 15000)}
    with pytest.raises(Unavailable) as outage:
        await post(org)
    assert outage.value.reason == "quota"
    await org.read_quotas()
    assert len(requests) == 3


async def test_budgets_that_nobody_tells_are_not_asked_for_again_and_again() -> None:
    requests: list[httpx.Request] = []
    body = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "no"}]
    org = calls(httpx.Response(403, json=body, headers={"sforce-limit-info": "api-usage=15001/15000"}), requests)
    await org.read_quotas()
    await org.read_quotas()
    assert len(requests) == 1
    assert org.quotas == {"DailyApiRequests": Quota(0, 15000)}
