"""Calls: each is sent once, and raises what its answer means."""

from datetime import UTC, datetime

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Refused, Unavailable
from tests.destinations.liquid_decisions.offline import Answer, Offline, json, lose

BAD = json({"error": "bad"}, 400)
NO_COMMUNITY = json({"userId": "ann"})
PAGE = httpx.Response(503, text="<html>")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(BAD, Refused, id="400"),
        pytest.param(json({"error": "gone"}, 404), Misconfigured, id="its own 404"),
        pytest.param(httpx.Response(404, text="<html>"), Unavailable, id="another's 404"),
        pytest.param(httpx.Response(400, text="<html>"), Unavailable, id="another's 400"),
        pytest.param(httpx.Response(200, text="<html>"), Unavailable, id="a page"),
        pytest.param(json({}, 500), Unavailable, id="500"),
        pytest.param(lose, Unavailable, id="lost"),
    ],
)
async def test_a_read_can_be_asked_again(answer: Answer, kind: type[BatchError]) -> None:
    with pytest.raises(BatchError) as error:
        await Offline({"status": answer}).calls.read("batch/status", {})
    assert type(error.value) is kind


@pytest.mark.parametrize(
    ("answer", "safe", "unsafe"),
    [
        pytest.param(BAD, Refused, Refused, id="400"),
        pytest.param(json({"error": "busy"}, 503), Unavailable, Unavailable, id="its own 503"),
        pytest.param(PAGE, Unavailable, Ambiguous, id="another's 503"),
        pytest.param(httpx.Response(400, text="<html>"), Refused, Ambiguous, id="another's 400"),
        pytest.param(httpx.Response(200, text="<html>"), Ambiguous, Ambiguous, id="a page"),
        pytest.param(json({}, 502), Ambiguous, Ambiguous, id="502"),
        pytest.param(lose, Ambiguous, Ambiguous, id="lost"),
    ],
)
async def test_a_write_that_must_not_be_repeated_trusts_nobody_else(
    answer: Answer, safe: type[BatchError], unsafe: type[BatchError]
) -> None:
    for may_be_repeated, kind in ((True, safe), (False, unsafe)):
        with pytest.raises(BatchError) as error:
            await Offline({"upsert": answer}).calls.write(b"[]", may_be_repeated=may_be_repeated, check=None)
        assert type(error.value) is kind


async def test_400_may_mean_that_the_token_has_no_community() -> None:
    offline = Offline({"upsert": BAD, "tokenInfo": NO_COMMUNITY})
    with pytest.raises(Misconfigured, match="setCommunity"):
        await offline.calls.write(b"[]", may_be_repeated=True, check=None)


async def test_a_token_is_asked_about_once() -> None:
    offline = Offline({"upsert": BAD})
    calls = offline.calls
    for _ in range(3):
        with pytest.raises(Refused):
            await calls.write(b"[]", may_be_repeated=True, check=None)
    assert len(offline.made("tokenInfo")) == 1


async def test_a_token_that_cannot_be_asked_about_is_an_outage() -> None:
    with pytest.raises(Unavailable, match="whether the token has a community is not known"):
        await Offline({"upsert": BAD, "tokenInfo": lose}).calls.write(b"[]", may_be_repeated=True, check=None)


@pytest.mark.parametrize("answer", [lose, httpx.Response(200, text="[1]"), json({"error": "e"}, 400)])
async def test_a_user_is_told_or_an_error(answer: Answer) -> None:
    with pytest.raises((Unavailable, Misconfigured)):
        await Offline({"tokenInfo": answer}).calls.user()


async def test_the_vendors_time_is_in_its_own_answers() -> None:
    offline = Offline({"upsert": [PAGE, json({"count": 0})]})
    calls = offline.calls
    assert calls.vendor_at is None
    await calls.user()
    assert calls.vendor_at == datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
