"""Answers that refuse a request as a whole: every row of salesforce_bulk.md §3.11, §4.3 and §12."""

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Refused, Unavailable
from sluice.destinations.salesforce.errors import (
    QUOTA_WAIT_S,
    is_code,
    read_error_of,
    unavailable_of,
    write_error,
)
from sluice.destinations.salesforce.vendor_errors import read_error

SESSION = "00DX0000000ABCD!AQ4AQ.example"
BULK1 = "https://acme.my.salesforce.com/services/async/26.0/job"
BULK2 = "https://acme.my.salesforce.com/services/data/v26.0/jobs/ingest"
HTML = b"<html><title>Down for Maintenance</title></html>"


def bulk1(code: str, message: str = "no", status: int = 400) -> httpx.Response:
    content = f"<error><exceptionCode>{code}</exceptionCode><exceptionMessage>{message}</exceptionMessage></error>"
    request = httpx.Request("POST", BULK1, headers={"x-sfdc-session": SESSION})
    return httpx.Response(status, content=content, request=request)


def bulk1_json(code: str, message: str = "no", status: int = 400) -> httpx.Response:
    content = {"exceptionCode": code, "exceptionMessage": message}
    return httpx.Response(status, json=content, request=httpx.Request("POST", BULK1))


def bulk2(code: str, status: int = 400, message: str = "no") -> httpx.Response:
    request = httpx.Request("POST", BULK2, headers={"authorization": f"Bearer {SESSION}"})
    return httpx.Response(status, json=[{"errorCode": code, "message": message}], request=request)


def bare(status: int, content: bytes = HTML, **headers: str) -> httpx.Response:
    return httpx.Response(status, content=content, headers=headers, request=httpx.Request("POST", BULK1))


def of_write(response: httpx.Response, *, may_be_repeated: bool = False) -> BatchError:
    return write_error(response, is_own=read_error(response) is not None, may_be_repeated=may_be_repeated)


def of_read(response: httpx.Response) -> BatchError:
    return read_error_of(response, is_own=read_error(response) is not None)


TABLE = [
    pytest.param(bulk1("InvalidSessionId"), Unavailable, Unavailable, id="§3.11 InvalidSessionId"),
    pytest.param(bulk1("InvalidJob"), Refused, Refused, id="§3.11 InvalidJob"),
    pytest.param(bulk1("InvalidJobState"), Refused, Refused, id="§3.11 InvalidJobState"),
    pytest.param(bulk1("InvalidBatch"), Refused, Refused, id="§3.11 InvalidBatch"),
    pytest.param(
        bulk1("ClientInputError", "Failed to read request. Exceeded max size limit of 10000000"),
        Refused,
        Refused,
        id="§3.11 ClientInputError, size",
    ),
    pytest.param(bulk1("ClientInputError"), Unavailable, Ambiguous, id="§3.11 ClientInputError, otherwise"),
    pytest.param(bulk1("ExceededQuota"), Unavailable, Unavailable, id="§3.11 ExceededQuota"),
    pytest.param(bulk1("FeatureNotEnabled"), Misconfigured, Misconfigured, id="§3.11 FeatureNotEnabled"),
    pytest.param(bulk1("InvalidEntity"), Refused, Refused, id="§3.11 InvalidEntity"),
    pytest.param(bulk1("InvalidOperation"), Misconfigured, Misconfigured, id="§3.11 InvalidOperation"),
    pytest.param(bulk1("InvalidUrl"), Misconfigured, Misconfigured, id="§3.11 InvalidUrl"),
    pytest.param(bulk1("InvalidXML"), Misconfigured, Misconfigured, id="§3.11 InvalidXML"),
    pytest.param(bulk1("InvalidXml"), Misconfigured, Misconfigured, id="§3.11 InvalidXml"),
    pytest.param(bulk1("UnsupportedContentType"), Misconfigured, Misconfigured, id="§3.11 UnsupportedContentType"),
    pytest.param(bulk1("InvalidVersion"), Misconfigured, Misconfigured, id="§3.11 InvalidVersion"),
    pytest.param(bulk1("HttpsRequired"), Misconfigured, Misconfigured, id="§3.11 HttpsRequired"),
    pytest.param(bulk1("InvalidUser"), Misconfigured, Misconfigured, id="§3.11 InvalidUser"),
    pytest.param(bulk1("Timeout"), Unavailable, Ambiguous, id="§3.11 Timeout"),
    pytest.param(bulk1("InternalServerError", status=500), Unavailable, Ambiguous, id="§3.11 InternalServerError"),
    pytest.param(bulk1("Unknown", status=500), Unavailable, Ambiguous, id="§3.11 Unknown"),
    pytest.param(bulk1("Gone", status=410), Misconfigured, Misconfigured, id="§3.11 Gone"),
    pytest.param(bulk1_json("InvalidBatch"), Refused, Refused, id="§3.11 as JSON"),
    pytest.param(bulk1("SomethingNew"), Refused, Refused, id="a code that the document does not name"),
    pytest.param(bare(502), Unavailable, Ambiguous, id="§3.11 502 of a proxy"),
    pytest.param(bare(503, b""), Unavailable, Ambiguous, id="§3.11 503 without a body"),
    pytest.param(bare(504), Unavailable, Ambiguous, id="§3.11 504 of a proxy"),
    pytest.param(bulk2("INVALIDJOB"), Refused, Refused, id="§4.3 INVALIDJOB"),
    pytest.param(bulk2("INVALIDJOBSTATE"), Refused, Refused, id="§4.3 INVALIDJOBSTATE"),
    pytest.param(bulk2("INVALIDBATCH"), Refused, Refused, id="§4.3 INVALIDBATCH"),
    pytest.param(bulk2("API_ERROR"), Refused, Refused, id="§4.3 API_ERROR"),
    pytest.param(bulk2("JSON_PARSER_ERROR"), Refused, Refused, id="§4.3 JSON_PARSER_ERROR"),
    pytest.param(bulk2("INVALIDENTITY"), Refused, Refused, id="§4.3 INVALIDENTITY"),
    pytest.param(bulk2("FEATURENOTENABLED"), Misconfigured, Misconfigured, id="§4.3 FEATURENOTENABLED"),
    pytest.param(
        bulk2("CLIENTINPUTERROR", message="Exceeded max size limit of 150000000"),
        Refused,
        Refused,
        id="§4.3 CLIENTINPUTERROR, size",
    ),
    pytest.param(bulk2("CLIENTINPUTERROR"), Unavailable, Ambiguous, id="§4.3 CLIENTINPUTERROR, otherwise"),
    pytest.param(bulk2("EXCEEDEDQUOTA"), Unavailable, Unavailable, id="§4.3 EXCEEDEDQUOTA"),
    pytest.param(bulk2("INVALID_SESSION_ID", 401), Unavailable, Unavailable, id="§4.3 401"),
    pytest.param(bulk2("REQUEST_LIMIT_EXCEEDED", 403), Unavailable, Unavailable, id="§4.3 REQUEST_LIMIT_EXCEEDED"),
    pytest.param(bulk2("INSUFFICIENT_ACCESS", 403), Misconfigured, Misconfigured, id="§4.3 403 otherwise"),
    pytest.param(bulk2("NOT_FOUND", 404), Refused, Refused, id="§4.3 404"),
    pytest.param(bulk2("METHOD_NOT_ALLOWED", 405), Misconfigured, Misconfigured, id="§4.3 405"),
    pytest.param(bulk2("VERSION_MISMATCH", 409), Misconfigured, Misconfigured, id="§4.3 409"),
    pytest.param(bulk2("GONE", 410), Misconfigured, Misconfigured, id="§4.3 410"),
    pytest.param(bulk2("UNKNOWN_EXCEPTION", 500), Unavailable, Ambiguous, id="§4.3 500"),
    pytest.param(bulk2("SERVER_UNAVAILABLE", 503), Unavailable, Ambiguous, id="§4.3 503"),
    pytest.param(bulk2("STORAGE_LIMIT_EXCEEDED"), Unavailable, Unavailable, id="§12 STORAGE_LIMIT_EXCEEDED"),
    pytest.param(bare(200), Unavailable, Ambiguous, id="a success of a proxy"),
    pytest.param(bare(408), Unavailable, Ambiguous, id="408"),
    pytest.param(bare(400), Misconfigured, Ambiguous, id="400 of a proxy"),
    pytest.param(bare(401), Unavailable, Ambiguous, id="401 of a proxy"),
    pytest.param(bare(403), Misconfigured, Ambiguous, id="403 of a proxy"),
    pytest.param(bare(404), Misconfigured, Ambiguous, id="404 of a proxy proves nothing"),
    pytest.param(bare(413), Misconfigured, Ambiguous, id="413 of a proxy"),
    pytest.param(bare(429), Unavailable, Ambiguous, id="§3.11 429 of a gateway"),
    pytest.param(bare(301, location="https://new.test/"), Misconfigured, Misconfigured, id="§13.16 moved"),
    pytest.param(bare(303, location="https://new.test/"), Misconfigured, Ambiguous, id="see other"),
]


@pytest.mark.parametrize(("response", "read", "written"), TABLE)
def test_each_answer_has_its_meaning(
    response: httpx.Response, read: type[BatchError], written: type[BatchError]
) -> None:
    assert (type(of_read(response)), type(of_write(response))) == (read, written)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        pytest.param(bare(400), Refused, id="400"),
        pytest.param(bare(403), Misconfigured, id="403"),
        pytest.param(bare(429), Unavailable, id="429"),
        pytest.param(bare(503), Ambiguous, id="503"),
    ],
)
def test_a_proxys_answer_is_taken_at_its_word_where_items_may_be_repeated(
    response: httpx.Response, expected: type[BatchError]
) -> None:
    error = of_write(response, may_be_repeated=True)
    assert type(error) is expected
    assert error.may_be_at_work


@pytest.mark.parametrize(
    "response", [bulk1("ExceededQuota"), bulk2("EXCEEDEDQUOTA"), bulk2("REQUEST_LIMIT_EXCEEDED", 403)]
)
def test_a_used_up_budget_is_waited_for(response: httpx.Response) -> None:
    error = of_write(response)
    assert isinstance(error, Unavailable)
    assert (error.reason, error.retry_after_s) == ("quota", QUOTA_WAIT_S)


@pytest.mark.parametrize(
    ("response", "advice"),
    [
        pytest.param(bulk1("Gone", status=410), "does not serve version 26.0 any more: set `api_version`", id="1.0"),
        pytest.param(bulk2("UNSUPPORTED_API_VERSION", 410), "does not serve version 26.0", id="2.0"),
        pytest.param(bare(410), "does not serve version 26.0", id="no body"),
        pytest.param(bulk1("FeatureNotEnabled"), "Bulk API Hard Delete", id="hard delete"),
        pytest.param(bulk1("InvalidUser"), "API Enabled", id="user"),
        pytest.param(bulk2("INSUFFICIENT_ACCESS", 403), "API Enabled", id="403"),
        pytest.param(bare(302, location="https://new.test/x"), "points to https://new.test/x", id="moved"),
    ],
)
def test_a_person_is_told_what_to_do(response: httpx.Response, advice: str) -> None:
    error = of_write(response, may_be_repeated=True)
    assert isinstance(error, Misconfigured)
    assert advice in str(error)


@pytest.mark.parametrize("code", ["InvalidJobState", "INVALIDJOBSTATE"])
def test_a_refusal_keeps_its_code(code: str) -> None:
    error = of_read(bulk1(code))
    assert isinstance(error, Refused)
    assert (error.code, error.http_status) == (code, 400)
    assert is_code(error, "InvalidJob", "InvalidJobState")
    assert not is_code(error, "InvalidJob")


@pytest.mark.parametrize("response", [bulk1("X", SESSION), bulk2("X", 400, SESSION)])
def test_no_message_repeats_the_session(response: httpx.Response) -> None:
    assert SESSION not in str(of_write(response))
    plain = httpx.Response(502, content=SESSION.encode(), request=response.request)
    assert SESSION not in str(of_write(plain))


def test_the_wait_of_a_busy_vendor_is_kept() -> None:
    lost = of_write(bare(503, b"", **{"retry-after": "9"}))
    outage = unavailable_of(lost)
    assert (outage.reason, outage.retry_after_s, outage.overloaded) == ("503", 9.0, True)
    assert unavailable_of(Refused("X", "no")).reason == "no-answer"
