"""Calls and the meaning of their answers, at each status of bloom_growth.md §10, §14 and §15."""

import asyncio

import httpx
import pytest

from sluice.destinations.bloom_growth.destination import BloomGrowth
from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Refused, Unavailable
from sluice.events import RecordEvent
from tests.destinations.bloom_growth.offline import (
    EMPTY,
    ME,
    PAGE,
    Answer,
    answering,
    body,
    issue,
    item_of,
    made,
    paths,
    scripted,
    write,
)
from tests.support.fake_calls import FakeCalls
from tests.support.instant_clock import turn

CREATE, UPDATE, READ = issue(), issue("update", "7", title="B"), issue("delete", "7")
CALLS = {"create": "POST issues/create", "update": "PUT issues/7", "read": "GET issues/7"}
EVENTS = {"create": CREATE, "update": UPDATE, "read": READ}


def refusal(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"Message": "because"}, headers=headers)


def page(status: int) -> httpx.Response:
    return httpx.Response(status, html="<html><h1>Sorry</h1>")


async def failure(destination: BloomGrowth, event: RecordEvent, refs: dict[str, str] | None = None) -> BatchError:
    with pytest.raises(BatchError) as error:
        await write(destination, event, refs or {})
    return error.value


@pytest.mark.parametrize(
    ("answer", "create", "update", "read"),
    [
        pytest.param(refusal(400), Refused, Refused, Refused, id="400"),
        pytest.param(page(400), Ambiguous, Refused, Refused, id="a proxy's 400"),
        pytest.param(refusal(401), Unavailable, Unavailable, Unavailable, id="401"),
        pytest.param(refusal(403), Refused, Refused, Refused, id="403"),
        pytest.param(page(403), Ambiguous, Refused, Refused, id="a firewall's 403"),
        pytest.param(refusal(404), Refused, Refused, Refused, id="404"),
        pytest.param(page(404), Ambiguous, Refused, Refused, id="404 of an ingress"),
        pytest.param(refusal(405), Refused, Refused, Refused, id="405"),
        pytest.param(refusal(408), Ambiguous, Ambiguous, Unavailable, id="408"),
        pytest.param(refusal(409), Refused, Refused, Refused, id="409"),
        pytest.param(refusal(413), Refused, Refused, Refused, id="413"),
        pytest.param(refusal(415), Refused, Refused, Refused, id="415"),
        pytest.param(refusal(422), Refused, Refused, Refused, id="422"),
        pytest.param(refusal(429), Unavailable, Unavailable, Unavailable, id="429"),
        pytest.param(page(429), Ambiguous, Unavailable, Unavailable, id="a proxy's 429"),
        pytest.param(refusal(500), Ambiguous, Ambiguous, Unavailable, id="500"),
        pytest.param(refusal(502), Ambiguous, Ambiguous, Unavailable, id="502"),
        pytest.param(refusal(503), Ambiguous, Unavailable, Unavailable, id="503"),
        pytest.param(refusal(504), Ambiguous, Ambiguous, Unavailable, id="504"),
        pytest.param(page(302), Ambiguous, Refused, Refused, id="302 that stays"),
        pytest.param(PAGE, Ambiguous, Refused, Refused, id="a page that stays"),
        pytest.param(httpx.ReadTimeout(""), Ambiguous, Ambiguous, Unavailable, id="no answer"),
        pytest.param(httpx.ReadError(""), Ambiguous, Ambiguous, Unavailable, id="reset"),
        pytest.param(httpx.ConnectError(""), Unavailable, Unavailable, Unavailable, id="refused connection"),
        pytest.param(httpx.PoolTimeout(""), Unavailable, Unavailable, Unavailable, id="not sent"),
    ],
)
async def test_each_answer_has_its_meaning(
    answer: Answer, create: type[BatchError], update: type[BatchError], read: type[BatchError]
) -> None:
    destination = answering(scripted(dict.fromkeys(CALLS.values(), answer)))
    found = {name: type(await failure(destination, event)) for name, event in EVENTS.items()}
    assert found == {"create": create, "update": update, "read": read}


async def test_a_create_needs_json_with_an_id() -> None:
    for answer in (
        EMPTY,
        httpx.Response(200, json={}),
        httpx.Response(200, json={"Id": 0}),
        httpx.Response(200, json=[]),
    ):
        error = await failure(answering(scripted({CALLS["create"]: answer})), CREATE)
        assert isinstance(error, Ambiguous)
        assert error.refusal is None


async def test_a_create_answered_by_a_page_twice_is_refused_if_it_was_not_applied() -> None:
    destination = answering(scripted({CALLS["create"]: PAGE}))
    item = item_of(CREATE)
    calls = FakeCalls(item)
    with pytest.raises(Ambiguous) as first:
        await destination.write_item(item, calls)
    with pytest.raises(Ambiguous) as second:
        await destination.write_item(item, calls)
    assert (first.value.refusal, type(second.value.refusal)) == (None, Refused)


async def test_a_429_waits_as_asked_or_a_minute() -> None:
    for headers, wait_s in (({"retry-after": "7"}, 7.0), ({}, 60.0)):
        error = await failure(answering(scripted({CALLS["create"]: refusal(429, **headers)})), CREATE)
        assert isinstance(error, Unavailable)
        assert (error.reason, error.retry_after_s, error.overloaded) == ("429", wait_s, True)


async def test_the_vendors_words_are_in_the_message() -> None:
    error = await failure(answering(scripted({CALLS["update"]: refusal(404)})), UPDATE)
    assert isinstance(error, Refused)
    assert (error.code, error.http_status) == ("404", 404)
    assert str(error) == "PUT http://bloom.test/api/v1/issues/7 answered 404: because"


@pytest.mark.parametrize(
    ("probe", "holds"),
    [
        pytest.param(refusal(401), Unavailable, id="401"),
        pytest.param(refusal(403), Unavailable, id="403"),
        pytest.param(refusal(503), Unavailable, id="503"),
        pytest.param(page(302), Misconfigured, id="302"),
        pytest.param(PAGE, Misconfigured, id="a page"),
        pytest.param(refusal(404), Misconfigured, id="404"),
        pytest.param(httpx.Response(200, json={}), Misconfigured, id="nobody"),
        pytest.param(httpx.ReadTimeout(""), Unavailable, id="no answer"),
    ],
)
@pytest.mark.parametrize("answer", [pytest.param(refusal(403), id="after 403"), pytest.param(PAGE, id="after a page")])
async def test_a_probe_that_fails_holds_the_destination(
    probe: Answer, holds: type[BatchError], answer: httpx.Response
) -> None:
    script = {**dict.fromkeys(CALLS.values(), answer), "GET users/mine": probe}
    create, update, read = [await failure(answering(scripted(script)), event) for event in EVENTS.values()]
    # Behind a page the create may have been applied: it is listed before it is sent again.
    assert [type(one) for one in (create, update, read)] == [Ambiguous if answer is PAGE else holds, holds, holds]
    assert (update.may_be_at_work, read.may_be_at_work) == (answer is PAGE, False)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(PAGE, id="a page"),
        pytest.param(page(302), id="302"),
        pytest.param(page(400), id="a proxy's 400"),
        pytest.param(page(404), id="404 of an ingress"),
        pytest.param(httpx.Response(405), id="a bare 405"),
    ],
)
async def test_a_page_that_passes_meanwhile_harms_nobody(answer: httpx.Response) -> None:
    requests: list[httpx.Request] = []
    destination = answering(scripted({CALLS["update"]: [answer, EMPTY]}), requests=requests)
    assert (await write(destination, UPDATE)).code == "UPDATED"
    assert paths(requests) == ["PUT issues/7", "GET users/mine", "PUT issues/7"]


async def test_one_probe_serves_all_answers_that_came_before_it() -> None:
    requests: list[httpx.Request] = []
    all_asked = asyncio.Event()

    async def refuse_together() -> httpx.Response:
        if paths(requests).count(CALLS["update"]) == 5:
            all_asked.set()
        await all_asked.wait()
        return refusal(403)

    async def answer_slowly() -> httpx.Response:
        await turn()
        return httpx.Response(200, json=ME)

    def respond(request: httpx.Request) -> Answer:
        return refuse_together() if request.method == "PUT" else answer_slowly()

    destination = answering(respond, requests=requests)
    errors = await asyncio.gather(*(failure(destination, UPDATE) for _ in range(5)))
    assert [type(error) for error in errors] == [Refused] * 5
    # One was sent before the others' answers came, and says nothing of them.
    assert paths(requests).count("GET users/mine") == 2


async def test_pages_do_not_count_as_answers_of_the_vendor() -> None:
    item = item_of(UPDATE)
    calls = FakeCalls(item)
    with pytest.raises(Misconfigured) as error:
        await answering(scripted({CALLS["update"]: PAGE, "GET users/mine": PAGE})).write_item(item, calls)
    assert calls.made == len(calls.errors) == 2
    assert calls.errors[-1] is error.value


async def test_requests_are_as_the_vendors_clients_send_them() -> None:
    requests: list[httpx.Request] = []
    destination = answering(scripted({CALLS["create"]: made()}), requests=requests)
    await write(destination, issue(user_id=4, notes="n"))
    (request,) = requests
    assert body(request) == {"title": "Late trucks", "meetingId": 12, "ownerId": 4, "notes": "n"}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer key"
    assert request.headers["content-length"] == str(len(request.content))
