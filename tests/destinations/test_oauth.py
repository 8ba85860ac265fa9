"""Tokens: when and how often one is asked for, and the effect of a refusal."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import pytest_asyncio

from sluice.destinations.contract import BatchError, Unavailable
from sluice.destinations.http import send, unavailable_from
from sluice.destinations.oauth import RESEND_CHECK, Token, TokenAuth
from sluice.setting_types import Secret
from tests.destinations.http_server import client, put

SECRET = "s3cret-of-the-application"


class Vendor:
    """A vendor that gives out tokens t1, t2, … and accepts only the one that ``accepted`` names."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.expires_in: object = 3600
        self.accepted = ""
        self.token_answer: httpx.Response | Exception | None = None
        self.forms: list[str] = []
        self.asked = asyncio.Event()
        self.slow = asyncio.Event()
        self.slow.set()
        form: dict[str, str | Secret] = {
            "grant_type": "client_credentials",
            "client_id": "app",
            "client_secret": Secret(SECRET),
        }
        self.http = client(auth=TokenAuth("http://vendor.test/token", form), handler=self.answer)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.counts[request.url.path] += 1
        if request.url.path == "/token":
            self.forms.append(request.content.decode())
            self.asked.set()
            await self.slow.wait()
            if isinstance(self.token_answer, Exception):
                raise self.token_answer
            if self.token_answer is not None:
                return self.token_answer
            self.accepted = f"t{self.counts['/token']}"
            return httpx.Response(200, json={"access_token": self.accepted, "expires_in": self.expires_in})
        good = request.headers["authorization"] == f"Bearer {self.accepted}"
        return httpx.Response(200 if good else 401, content=request.content)

    async def put(self) -> httpx.Response:
        return await put(self.http)


@pytest_asyncio.fixture(name="vendor")
async def _vendor() -> AsyncIterator[Vendor]:
    vendor = Vendor()
    async with vendor.http:
        yield vendor


async def test_a_token_is_asked_for_once_and_used_again(vendor: Vendor) -> None:
    assert (await vendor.put()).status_code == 200
    assert (await vendor.put()).status_code == 200
    assert vendor.counts == {"/token": 1, "/groups": 2}
    assert vendor.forms == [f"grant_type=client_credentials&client_id=app&client_secret={SECRET}"]


async def test_many_requests_at_once_ask_for_one_token(vendor: Vendor) -> None:
    vendor.slow.clear()
    async with asyncio.TaskGroup() as group:
        writes = [group.create_task(vendor.put()) for _ in range(50)]
        await vendor.asked.wait()
        vendor.slow.set()
    assert {write.result().status_code for write in writes} == {200}
    assert vendor.counts == {"/token": 1, "/groups": 50}


async def test_many_requests_that_find_the_token_dead_ask_for_one(vendor: Vendor) -> None:
    await vendor.put()
    vendor.accepted = "none"
    answers = await asyncio.gather(*(vendor.put() for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert vendor.counts["/token"] == 2


async def test_a_refused_token_request_fails_all_that_wait_for_it_at_once(vendor: Vendor) -> None:
    vendor.token_answer = httpx.Response(401, json={"error": "invalid_client"})
    vendor.slow.clear()
    writes = [asyncio.create_task(vendor.put()) for _ in range(20)]
    await vendor.asked.wait()
    vendor.slow.set()
    errors = await asyncio.gather(*writes, return_exceptions=True)
    assert all(isinstance(error, Unavailable) for error in errors)
    assert vendor.counts == {"/token": 1}


async def test_after_a_401_the_same_request_is_sent_once_more_with_a_new_token(vendor: Vendor) -> None:
    await vendor.put()
    vendor.accepted = "another"
    answer = await vendor.put()
    assert (answer.status_code, answer.content) == (200, b"[]")
    assert vendor.counts == {"/token": 2, "/groups": 3}


async def test_a_request_that_does_not_trust_a_401_is_not_sent_again_and_the_next_has_a_new_token(
    vendor: Vendor,
) -> None:
    await vendor.put()
    vendor.accepted = "another"
    refusals: list[int] = []

    def distrust(response: httpx.Response) -> bool:
        refusals.append(response.status_code)
        return False

    request = vendor.http.build_request("PUT", "/groups", content=b"[]", extensions={RESEND_CHECK: distrust})
    assert (await send(vendor.http, request)).status_code == 401
    assert (refusals, vendor.counts) == ([401], {"/token": 1, "/groups": 2})
    assert (await vendor.put()).status_code == 200
    assert vendor.counts == {"/token": 2, "/groups": 3}


async def test_a_second_401_is_an_outage() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        counts[request.url.path] += 1
        return httpx.Response(200, json={"access_token": "t"}) if request.url.path == "/token" else httpx.Response(401)

    counts: Counter[str] = Counter()
    async with client(auth=TokenAuth("http://vendor.test/token", {}), handler=refuse) as http:
        outage = unavailable_from(await put(http))
    assert outage is not None
    assert outage.reason == "auth"
    assert counts == {"/token": 2, "/groups": 2}


@pytest.mark.parametrize(("expires_in", "asked"), [(3600, 1), ("3600", 1), (None, 1), (0, 2), (-5, 2)])
async def test_a_token_is_renewed_by_its_lifetime(vendor: Vendor, expires_in: object, asked: int) -> None:
    vendor.expires_in = expires_in
    await vendor.put()
    await vendor.put()
    assert vendor.counts["/token"] == asked


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(httpx.Response(400, json={"error": "unsupported_grant_type"}), "auth", id="400"),
        pytest.param(httpx.Response(401, json={"error": "invalid_client"}), "auth", id="401"),
        pytest.param(httpx.Response(403), "auth", id="403"),
        pytest.param(httpx.Response(404), "auth", id="404"),
        pytest.param(httpx.Response(500), "500", id="500"),
        pytest.param(httpx.Response(503, headers={"retry-after": "9"}), "503", id="503"),
        pytest.param(httpx.Response(429), "429", id="429"),
        pytest.param(httpx.Response(200, content=b"<html>"), "auth", id="200 that is not json"),
        pytest.param(httpx.Response(200, json={"error": "invalid_grant"}), "auth", id="200 without a token"),
        pytest.param(httpx.Response(200, json={"access_token": "a\nb"}), "auth", id="a token no header can carry"),
        pytest.param(httpx.Response(200, json={"access_token": 7}), "auth", id="a token that is no text"),
        pytest.param(httpx.Response(200, content=b"[" * 5000), "auth", id="nested beyond reason"),
        pytest.param(httpx.ConnectError("refused"), "connect", id="refused connection"),
        pytest.param(httpx.ReadTimeout("late"), "no-answer", id="no answer"),
        pytest.param(httpx.ReadError("reset"), "no-answer", id="reset"),
    ],
)
async def test_without_a_token_traffic_waits(vendor: Vendor, answer: httpx.Response | Exception, reason: str) -> None:
    vendor.token_answer = answer
    with pytest.raises(Unavailable) as error:
        await vendor.put()
    assert error.value.reason == reason
    assert vendor.counts["/groups"] == 0
    vendor.token_answer = None
    assert (await vendor.put()).status_code == 200


async def test_a_lost_answer_is_ambiguous_only_if_it_was_the_writes(vendor: Vendor) -> None:
    await vendor.put()
    vendor.accepted, vendor.token_answer = "another", httpx.ReadError("reset")
    with pytest.raises(Unavailable, match="no token"):
        await vendor.put()
    assert vendor.counts == {"/token": 2, "/groups": 2}


async def test_a_refusal_says_why_and_keeps_the_secret(vendor: Vendor) -> None:
    vendor.token_answer = httpx.Response(401, json={"error_description": f"no application has {SECRET}"})
    with pytest.raises(Unavailable, match=r"gave no token but 401: no application has \*\*\*; check") as error:
        await vendor.put()
    assert SECRET not in repr(error.value)


async def test_a_cancelled_request_lets_the_next_one_ask(vendor: Vendor) -> None:
    vendor.slow.clear()
    first = asyncio.create_task(vendor.put())
    await vendor.asked.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    vendor.slow.set()
    assert (await vendor.put()).status_code == 200


class SharedTokens(TokenAuth):
    """Tokens that another process may have got meanwhile."""

    def __init__(self) -> None:
        super().__init__("http://vendor.test/token", {})
        self.shared: Token | None = None
        self.kept: list[Token | BatchError] = []

    @asynccontextmanager
    async def login_turn(self, stale: Token | None) -> AsyncIterator[Token | None]:
        yield None if self.shared == stale else self.shared

    async def keep(self, found: Token | BatchError) -> None:
        self.kept.append(found)


async def test_a_token_that_somebody_else_has_got_is_used_and_else_one_is_asked_for_and_kept(vendor: Vendor) -> None:
    auth = SharedTokens()
    async with client(auth=auth, handler=vendor.answer) as http:
        auth.shared, vendor.accepted = Token("theirs", None), "theirs"
        assert (await put(http)).status_code == 200
        assert vendor.counts["/token"] == 0
        vendor.accepted = ""
        assert (await put(http)).status_code == 200
        assert auth.kept == [Token("t1", 3600)]
        auth.shared, vendor.accepted, vendor.token_answer = None, "", httpx.Response(400)
        with pytest.raises(Unavailable):
            await put(http)
        assert isinstance(auth.kept[1], Unavailable)
