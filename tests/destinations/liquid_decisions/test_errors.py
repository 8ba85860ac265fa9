"""Errors: what each status means, and whose answer it is."""

from typing import Any

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, Misconfigured, Refused, Unavailable, http_status
from sluice.destinations.liquid_decisions.errors import error_from, is_own_error, is_own_success, read_error_from

REQUEST = httpx.Request("POST", "http://liquid.test/ls/api/items/upsert")


def _answer(status: int, **content: Any) -> httpx.Response:
    return httpx.Response(status, request=REQUEST, **content)


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (400, Refused, "400"),
        (413, Refused, "413"),
        (422, Refused, "422"),
        (401, Unavailable, "auth"),
        (403, Unavailable, "auth"),
        (408, Unavailable, "408"),
        (429, Unavailable, "429"),
        (503, Unavailable, "503"),
        (302, Misconfigured, 302),
        (404, Misconfigured, 404),
        (405, Misconfigured, 405),
        (500, Ambiguous, "500"),
        (502, Ambiguous, "502"),
        (504, Ambiguous, "504"),
        (200, Ambiguous, "no-answer"),
    ],
)
def test_each_status_has_its_meaning(status: int, kind: type, word: object) -> None:
    error = error_from(_answer(status, json={"error": "e", "error_description": "why"}, headers={"retry-after": "7"}))
    assert type(error) is kind
    found = (
        error.code
        if isinstance(error, Refused)
        else error.http_status
        if isinstance(error, Misconfigured)
        else error.reason
    )
    assert found == word
    assert "why" in str(error)
    if isinstance(error, Unavailable):
        assert error.retry_after_s == 7


def test_what_is_lost_of_a_read_is_an_outage() -> None:
    lost = read_error_from(Ambiguous("lost", reason=http_status(500), retry_after_s=3.0, overloaded=True))
    assert isinstance(lost, Unavailable)
    assert (lost.reason, lost.retry_after_s, lost.overloaded) == ("500", 3.0, True)
    refused = Refused("400", "bad", 400)
    assert read_error_from(refused) is refused


@pytest.mark.parametrize(
    ("response", "own"),
    [
        pytest.param(_answer(400, json={"error": "bad"}), True, id="its shape"),
        pytest.param(_answer(400, json={"message": "bad"}), False, id="other JSON"),
        pytest.param(_answer(503, text="<html>"), False, id="a page"),
        pytest.param(_answer(503), True, id="nothing, where it may have nothing to say"),
        pytest.param(_answer(404), False, id="nothing, where that would prove something"),
    ],
)
def test_own_errors_are_told_by_their_shape(response: httpx.Response, own: bool) -> None:
    assert is_own_error(response) is own


@pytest.mark.parametrize(("text", "own"), [('{"count":1}', True), (" [", True), ("<html>", False), ("", False)])
def test_own_successes_are_json(text: str, own: bool) -> None:
    assert is_own_success(_answer(200, text=text)) is own
