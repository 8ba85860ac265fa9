"""VendorAnswers: which answers are the vendor's own, and what they tell."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from sluice.destinations.vendor_answers import VendorAnswers, is_json
from tests.support.instant_clock import instantly, now_s

TOLD_AT = datetime(2026, 1, 2, 12, tzinfo=UTC)
DATE = {"date": "Fri, 02 Jan 2026 12:00:00 GMT"}
API = httpx.Request("GET", "http://vendor.test/groups", headers={"authorization": "Bearer t"})
TOKEN = httpx.Request("POST", "http://vendor.test/token")


def never(_: httpx.Response) -> bool:
    return False


def always(_: httpx.Response) -> bool:
    return True


@pytest.mark.parametrize(
    ("header", "response", "is_own_error", "own"),
    [
        pytest.param(None, httpx.Response(200, json=[]), never, True, id="JSON"),
        pytest.param(None, httpx.Response(200, html="<html>"), always, False, id="a page"),
        pytest.param(None, httpx.Response(204), always, False, id="nothing"),
        pytest.param(None, httpx.Response(404, json={}), never, False, id="an error of another shape"),
        pytest.param(None, httpx.Response(404, text="no"), always, True, id="an error of the vendor's shape"),
        pytest.param("x-node", httpx.Response(200, html="", headers={"X-Node": "7"}), never, True, id="the header"),
        pytest.param("x-node", httpx.Response(200, json=[]), always, False, id="without the header"),
        pytest.param("X-Node: 7", httpx.Response(404, headers={"x-node": " 7"}), never, True, id="the value"),
        pytest.param("x-node:7", httpx.Response(404, headers={"x-node": "8"}), always, False, id="another value"),
    ],
)
def test_an_answer_is_the_vendors_own(
    header: str | None, response: httpx.Response, is_own_error: Callable[[httpx.Response], bool], own: bool
) -> None:
    assert VendorAnswers(header, is_own_error).are_own(response) == own


@pytest.mark.parametrize(
    ("content_type", "json"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/problem+json", True),
        ("text/json", False),
        ("text/html", False),
        ("", False),
    ],
)
def test_json_is_known_by_its_media_type(content_type: str, json: bool) -> None:
    assert is_json(httpx.Response(200, headers={"content-type": content_type})) == json


@instantly
async def test_the_vendor_is_heard_and_its_clock_known_by_its_own_answers_alone() -> None:
    answers = VendorAnswers(None, never)
    await answers.note(httpx.Response(503, html="<html>", headers=DATE, request=API))
    assert (answers.vendor_at, answers.heard_at_s) == (None, float("-inf"))
    await answers.note(httpx.Response(200, json={}, headers=DATE, request=TOKEN))
    assert (answers.vendor_at, answers.heard_at_s) == (TOLD_AT, float("-inf"))
    await answers.note(httpx.Response(200, json={}, request=API))
    assert (answers.vendor_at, answers.heard_at_s) == (TOLD_AT, now_s())


async def test_of_two_clocks_of_the_vendor_the_last_counts_even_if_it_is_behind() -> None:
    answers = VendorAnswers(None, never)
    for hour in (13, 12):
        headers = {"date": f"Fri, 02 Jan 2026 {hour}:00:00 GMT"}
        await answers.note(httpx.Response(200, json={}, headers=headers, request=API))
    assert answers.vendor_at == TOLD_AT
