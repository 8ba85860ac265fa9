"""Errors of BlueConic: which are its own by their shape."""

from typing import Any

import httpx
import pytest

from sluice.destinations.blueconic.errors import error_from, is_own_error, read_error_from
from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Unavailable

REQUEST = httpx.Request("PUT", "http://acme.test/rest/v2/groups")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"code": 400, "message": "Bad Request", "errors": [{"field": "x", "message": "y"}]}),
        (404, {"code": 404, "message": "Not Found"}),
        (400, {"error": {"status": 400, "message": "no"}}),
    ],
)
def test_an_error_that_names_its_status_in_json_is_blueconics_own(status: int, body: Any) -> None:
    assert is_own_error(httpx.Response(status, json=body))


@pytest.mark.parametrize("status", [401, 403, 429, 501, 503])
def test_so_is_one_without_a_body_where_none_is_declared(status: int) -> None:
    assert is_own_error(httpx.Response(status))


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(httpx.Response(404), id="404 without a body"),
        pytest.param(httpx.Response(502), id="502 without a body"),
        pytest.param(httpx.Response(404, text="404 page not found"), id="text"),
        pytest.param(httpx.Response(503, html="<html>"), id="a page"),
        pytest.param(httpx.Response(404, text='{"code":404,"message":"Not Found"}'), id="JSON that is called text"),
        pytest.param(httpx.Response(404, json={"message": "no Route matched"}), id="a gateway's JSON"),
        pytest.param(httpx.Response(503, json={"code": 404}), id="another status"),
        pytest.param(httpx.Response(404, json={"code": "404"}), id="a status as text"),
        pytest.param(httpx.Response(404, json={"error": "not found"}), id="no status"),
        pytest.param(httpx.Response(404, json=[404]), id="an array"),
        pytest.param(
            httpx.Response(404, content=b"[" * 5000, headers={"content-type": "application/json"}), id="nested"
        ),
    ],
)
def test_no_other_is(response: httpx.Response) -> None:
    assert not is_own_error(response)


@pytest.mark.parametrize(
    ("response", "reason", "overloaded"),
    [
        pytest.param(httpx.Response(500), "500", False, id="500"),
        pytest.param(httpx.Response(502, headers={"retry-after": "5"}), "502", False, id="502"),
        pytest.param(httpx.Response(504), "504", True, id="504"),
        pytest.param(httpx.Response(408), "408", True, id="408"),
        pytest.param(httpx.Response(200), "no-answer", False, id="200"),
    ],
)
def test_an_answer_that_settles_nothing_says_how_to_hold(
    response: httpx.Response, reason: str, overloaded: bool
) -> None:
    response.request = REQUEST
    error = error_from(response)
    assert isinstance(error, Ambiguous)
    assert (error.reason, error.overloaded) == (reason, overloaded)
    assert error.retry_after_s == (5.0 if "retry-after" in response.headers else None)
    read = read_error_from(response)
    assert isinstance(read, Unavailable)
    assert (read.reason, read.retry_after_s, read.overloaded) == (reason, error.retry_after_s, overloaded)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Misconfigured), (404, Misconfigured), (301, Misconfigured), (503, Unavailable)]
)
def test_an_answer_to_a_read_is_never_ambiguous(status: int, kind: type[BatchError]) -> None:
    error = read_error_from(httpx.Response(status, request=REQUEST))
    assert isinstance(error, kind)
    if isinstance(error, Misconfigured):
        assert error.http_status == status
