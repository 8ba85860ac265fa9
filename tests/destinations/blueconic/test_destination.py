"""Requests to BlueConic, and the meaning of each answer as a whole. blueconic.md §1, §2, §6, §7."""

import json
from collections import Counter
from urllib.parse import parse_qsl

import httpx
import msgspec
import pytest

from sluice.destinations import open_destination
from sluice.destinations.blueconic.destination import LIMITS, BlueConic
from sluice.destinations.contract import Ambiguous, BatchError, Destination, Misconfigured, Refused, Unavailable
from sluice.events import Key, Operation, RecordEvent
from tests.destinations.blueconic.offline import ABSENT, SETTINGS, answering, companies, created, results, write
from tests.support.factories import NOON, encode_batch, record, send_now


def test_it_is_a_destination_of_the_table() -> None:
    destination = open_destination(SETTINGS)
    assert isinstance(destination, Destination)
    assert destination.limits == LIMITS


async def test_a_batch_is_one_request_with_an_array() -> None:
    requests: list[httpx.Request] = []
    destination = answering(results(created(0), created(1)), requests=requests)
    await destination.write(encode_batch(destination, companies(2)), send_now)
    (request,) = requests
    assert (request.method, str(request.url)) == ("PUT", "http://acme.test/rest/v2/groups")
    assert request.headers["content-type"] == request.headers["accept"] == "application/json"
    assert request.headers["authorization"] == "Bearer T"
    assert [entry["identifier"] for entry in json.loads(request.content)] == ["0-0", "0-1"]


@pytest.mark.parametrize("url", ["http://acme.test", "http://acme.test/", "http://acme.test/rest/v2"])
async def test_the_path_of_the_api_may_be_left_out(url: str) -> None:
    requests: list[httpx.Request] = []
    destination = answering(results(created(0)), msgspec.structs.replace(SETTINGS, url=url), requests=requests)
    (outcome,) = await destination.write(encode_batch(destination, companies(1)), send_now)
    assert [str(request.url) for request in requests] == ["http://acme.test/rest/v2/groups"]
    assert outcome.fate == "delivered"


async def test_objectives_are_checked_for_profiles_only() -> None:
    requests: list[httpx.Request] = []
    settings = msgspec.structs.replace(SETTINGS, objective_ids=("news", "ads"))
    destination = answering(results({"state": "CREATED", "identifier": "0-0"}), settings, requests=requests)
    await destination.write(encode_batch(destination, [record("profile")]), send_now)
    await destination.write(encode_batch(destination, companies(1)), send_now)
    assert [request.url.query for request in requests] == [b"objectiveIds=news%2Cads", b""]


async def test_a_full_batch_stays_within_its_bytes() -> None:
    requests: list[httpx.Request] = []
    destination = answering(results(), requests=requests)
    made = encode_batch(destination, companies(3))
    await destination.write(made, send_now)
    # A window counts the commas between items; the limit leaves room for the brackets.
    assert [len(request.content) for request in requests] == [made.body_bytes + len("[]")]
    assert LIMITS.max_bytes + len("[]") == 4 * 1024 * 1024


@pytest.mark.parametrize(
    ("response", "error", "code"),
    [
        pytest.param(httpx.Response(400, json={"code": 400, "message": "Bad"}), Refused, "400", id="400"),
        pytest.param(httpx.Response(413, text="<h1>too large</h1>"), Refused, "413", id="413 of a proxy"),
        pytest.param(results(status=413), Refused, "413", id="413 with no result"),
        pytest.param(httpx.Response(422), Refused, "422", id="422"),
        pytest.param(httpx.Response(401), Unavailable, "auth", id="401 twice"),
        pytest.param(httpx.Response(403), Unavailable, "auth", id="403"),
        pytest.param(httpx.Response(429, headers={"retry-after": "3"}), Unavailable, "429", id="429"),
        pytest.param(httpx.Response(503), Unavailable, "503", id="503"),
        pytest.param(httpx.Response(302, headers={"location": "http://x.test"}), Misconfigured, "", id="302"),
        pytest.param(httpx.Response(404), Misconfigured, "", id="404"),
        pytest.param(httpx.Response(405), Misconfigured, "", id="405"),
        pytest.param(httpx.Response(415), Misconfigured, "", id="415"),
        pytest.param(httpx.Response(408), Ambiguous, "", id="408"),
        pytest.param(httpx.Response(500), Ambiguous, "", id="500"),
        pytest.param(httpx.Response(502, text="<html>Bad Gateway</html>"), Ambiguous, "", id="502"),
        pytest.param(httpx.Response(504), Ambiguous, "", id="504"),
        pytest.param(httpx.Response(202), Ambiguous, "", id="202"),
        pytest.param(httpx.Response(204), Ambiguous, "", id="204"),
        pytest.param(httpx.Response(200), Ambiguous, "", id="200 without a body"),
        pytest.param(httpx.Response(200, content=b'[{"state":"CREA'), Ambiguous, "", id="200 cut in the middle"),
        pytest.param(httpx.Response(200, content=b"<html>"), Ambiguous, "", id="200 with html"),
        pytest.param(httpx.Response(200, json={"results": []}), Ambiguous, "", id="200 with an object"),
        pytest.param(httpx.Response(200, content=b"\xff\xff"), Ambiguous, "", id="200 with bytes"),
        pytest.param(httpx.Response(200, content=b"[" * 5000), Ambiguous, "", id="200 nested beyond reason"),
        pytest.param(httpx.ConnectError("refused"), Unavailable, "connect", id="refused connection"),
        pytest.param(httpx.ReadTimeout("late"), Ambiguous, "", id="no answer in time"),
        pytest.param(httpx.ReadError("reset"), Ambiguous, "", id="reset"),
        pytest.param(httpx.RemoteProtocolError("cut"), Ambiguous, "", id="cut answer"),
    ],
)
async def test_an_answer_without_results_is_one_fate_for_all(
    response: httpx.Response | httpx.RequestError, error: type[BatchError], code: str
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        if isinstance(response, httpx.RequestError):
            raise response
        return response

    with pytest.raises(error) as raised:
        await write(answer, companies(2))
    match raised.value:
        case Refused(code=given) | Unavailable(reason=given):
            assert given == code
    assert str(raised.value)


PAGE = "<html><h1>Sorry</h1></html>"
INCREMENT = record(data={"visits": {"increment": 1}})


@pytest.mark.parametrize(
    ("response", "reason", "refusal"),
    [
        pytest.param(httpx.Response(503, html=PAGE, headers={"retry-after": "7"}), "503", None, id="503"),
        pytest.param(httpx.Response(503, json={"message": "no upstream"}), "503", None, id="503 of a gateway, in JSON"),
        pytest.param(httpx.Response(429, text="slow down"), "429", None, id="429"),
        pytest.param(httpx.Response(401, html=PAGE), "auth", None, id="401"),
        pytest.param(httpx.Response(403, html=PAGE), "auth", None, id="403 of a firewall"),
        pytest.param(httpx.Response(400, html=PAGE), "400", Refused, id="400"),
        pytest.param(httpx.Response(400), "400", Refused, id="400 without a body"),
        pytest.param(httpx.Response(413, html=PAGE), "413", Refused, id="413"),
        pytest.param(httpx.Response(302, headers={"location": "/login"}), "302", Misconfigured, id="302"),
        pytest.param(httpx.Response(404, text="404 page not found"), "404", Misconfigured, id="404 of an ingress"),
        pytest.param(httpx.Response(404), "404", Misconfigured, id="404 without a body"),
        pytest.param(httpx.Response(405, html=PAGE), "405", Misconfigured, id="405"),
        pytest.param(httpx.Response(502, html=PAGE), "502", None, id="502"),
        pytest.param(httpx.Response(504, html=PAGE), "504", None, id="504"),
    ],
)
async def test_a_refusal_that_may_be_a_proxys_proves_nothing_for_an_increment(
    response: httpx.Response, reason: str, refusal: type[BatchError] | None
) -> None:
    with pytest.raises(Ambiguous) as error:
        await write(response, [record(key="c-2"), INCREMENT])
    assert error.value.reason == reason
    assert error.value.retry_after_s == (7.0 if reason == "503" and "retry-after" in response.headers else None)
    assert isinstance(error.value.refusal, refusal or type(None))
    assert error.value.may_be_at_work


@pytest.mark.parametrize(
    ("response", "error"),
    [
        pytest.param(httpx.Response(503, html=PAGE), Unavailable, id="503"),
        pytest.param(httpx.Response(413, html=PAGE), Refused, id="413"),
        pytest.param(httpx.Response(404, html=PAGE), Misconfigured, id="404"),
    ],
)
async def test_what_may_be_repeated_may_still_be_at_work_after_a_proxys_refusal(
    response: httpx.Response, error: type[BatchError]
) -> None:
    with pytest.raises(error) as raised:
        await write(response, companies(1))
    assert raised.value.may_be_at_work


@pytest.mark.parametrize(
    ("response", "error"),
    [
        pytest.param(httpx.Response(400, json={"code": 400, "message": "Bad"}), Refused, id="400"),
        pytest.param(httpx.Response(503), Unavailable, id="503 without a body"),
        pytest.param(httpx.Response(429, json={"error": {"status": 429}}), Unavailable, id="429"),
        pytest.param(httpx.Response(404, json={"code": 404, "message": "Not Found"}), Misconfigured, id="404"),
    ],
)
async def test_blueconics_own_refusal_proves_that_nothing_was_applied(
    response: httpx.Response, error: type[BatchError]
) -> None:
    with pytest.raises(error) as raised:
        await write(response, [INCREMENT])
    assert not raised.value.may_be_at_work


@pytest.mark.parametrize(
    ("event", "unauthorized", "sent"),
    [
        pytest.param(record(), httpx.Response(401, html=PAGE), 2, id="what may be repeated"),
        pytest.param(INCREMENT, httpx.Response(401), 2, id="an increment that BlueConic refused"),
        pytest.param(INCREMENT, httpx.Response(401, html=PAGE), 1, id="an increment that a proxy may have refused"),
    ],
)
async def test_after_a_401_a_write_is_sent_again_only_if_it_cannot_have_been_applied(
    event: RecordEvent, unauthorized: httpx.Response, sent: int
) -> None:
    requests: list[httpx.Request] = []
    destination = answering(unauthorized, requests=requests)
    with pytest.raises((Ambiguous, Unavailable)):
        await destination.write(encode_batch(destination, [event]), send_now)
    assert len(requests) == sent


async def test_blueconics_clock_is_known_before_the_first_write_and_a_proxys_is_not_taken_for_it() -> None:
    dates = {"ours": "Fri, 02 Jan 2026 12:00:00 GMT", "theirs": "Fri, 02 Jan 2026 15:00:00 GMT"}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            return httpx.Response(503, html=PAGE, headers={"date": dates["theirs"]})
        return httpx.Response(200, json={"groupTypes": []}, headers={"date": dates["ours"]})

    destination = answering(answer)
    assert destination.vendor_at is None
    with pytest.raises(Unavailable):
        await destination.check()
    assert destination.vendor_at == NOON


async def test_retry_after_is_passed_on() -> None:
    with pytest.raises(Unavailable) as error:
        await write(httpx.Response(429, headers={"retry-after": "3"}), companies(1))
    assert (error.value.retry_after_s, error.value.overloaded) == (3.0, True)


async def test_an_expired_token_is_renewed_and_the_batch_sent_once_more() -> None:
    counts: Counter[str] = Counter()

    def answer(request: httpx.Request) -> httpx.Response:
        counts[request.url.path] += 1
        return results(created(0)) if counts[request.url.path] == 2 else httpx.Response(401)

    (outcome,) = await write(answer, companies(1))
    assert outcome.fate == "delivered"
    assert counts == {"/rest/v2/groups": 2}


@pytest.mark.parametrize(
    ("response", "said"),
    [
        pytest.param(
            httpx.Response(200, json={"groupTypes": [{"id": "company"}, {"id": "airport"}], "count": 2}),
            "BlueConic at acme.test accepts our credentials; group types: company, airport",
            id="group types",
        ),
        pytest.param(
            httpx.Response(200, json={"groupTypes": []}),
            "BlueConic at acme.test accepts our credentials; group types: none",
            id="none",
        ),
        pytest.param(
            httpx.Response(404),
            "BlueConic at acme.test accepts our credentials; it is too old to list its group types (R98 and later do)",
            id="before R98",
        ),
    ],
)
async def test_a_check_says_what_answered(response: httpx.Response, said: str) -> None:
    assert await answering(lambda request: response if request.method == "GET" else results()).check() == said


@pytest.mark.parametrize(
    ("absent", "header", "warned"),
    [
        pytest.param(ABSENT, None, False, id="an error of BlueConic's shape"),
        pytest.param(httpx.Response(404), None, True, id="no body"),
        pytest.param(httpx.Response(404, headers={"x-node": "7"}), "x-node", False, id="no body, but the header"),
        pytest.param(httpx.Response(403), None, False, id="the application may not read groups"),
    ],
)
async def test_a_check_warns_of_a_404_that_may_be_anybodys(
    absent: httpx.Response, header: str | None, warned: bool
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/groupTypes"):
            return httpx.Response(200, json={"groupTypes": [{"id": "a b"}]})
        return absent if request.url.path.startswith("/rest/v2/groups/a b/") else results()

    destination = answering(answer, msgspec.structs.replace(SETTINGS, own_answer_header=header))
    assert ("`own_answer_header`" in await destination.check()) == warned


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(httpx.ReadError("reset"), "reads get through and writes do not: lost the answer", id="reset"),
        pytest.param(httpx.Response(503, html=PAGE), "503", id="a proxy's 503"),
        pytest.param(httpx.Response(502, html=PAGE), "502", id="502"),
        pytest.param(httpx.Response(405, html=PAGE), "405", id="405"),
        pytest.param(httpx.Response(403, html=PAGE), "403", id="403 of a firewall"),
        pytest.param(results(), None, id="nothing was written"),
        pytest.param(httpx.Response(400, json={"code": 400}), None, id="an empty array is refused"),
        pytest.param(httpx.Response(403), None, id="the application writes profiles only"),
    ],
)
async def test_a_check_sees_that_writes_get_through(
    answer: httpx.Response | httpx.ReadError, error: str | None
) -> None:
    sent: list[bytes] = []

    def respond(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"groupTypes": []})
        sent.append(request.content)
        if isinstance(answer, httpx.ReadError):
            raise answer
        return answer

    check = answering(respond).check()
    if error is None:
        assert (await check).endswith("group types: none")
    else:
        with pytest.raises((Unavailable, Misconfigured), match=error):
            await check
    assert sent == [b"[]"]


@pytest.mark.parametrize(
    ("response", "error"),
    [
        pytest.param(httpx.Response(401), Unavailable, id="401"),
        pytest.param(httpx.Response(503), Unavailable, id="503"),
        pytest.param(httpx.Response(500), Unavailable, id="500"),
        pytest.param(httpx.Response(200, content=b"<html>"), Unavailable, id="html"),
        pytest.param(httpx.Response(400), Misconfigured, id="400"),
        pytest.param(httpx.Response(301), Misconfigured, id="301"),
    ],
)
async def test_a_check_that_fails_is_never_ambiguous(response: httpx.Response, error: type[BatchError]) -> None:
    with pytest.raises(error):
        await answering(response).check()


async def test_without_a_token_nothing_is_written() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/rest/v2/oauth/token"
        return httpx.Response(401, json={"error": "invalid_client"})

    destination = BlueConic(SETTINGS, transport=httpx.MockTransport(answer))
    with pytest.raises(Unavailable, match="gave no token but 401: invalid_client; check the client id and secret"):
        await destination.write(encode_batch(destination, companies(1)), send_now)


@pytest.mark.parametrize(
    ("scopes", "scope"),
    [
        pytest.param((), None, id="all that the application has"),
        pytest.param(("write:profiles", "read:groups"), "read:groups write:profiles", id="some"),
    ],
)
async def test_scopes_are_asked_for_if_configured(scopes: tuple[str, ...], scope: str | None) -> None:
    forms: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        forms.append(dict(parse_qsl(request.content.decode())))
        return httpx.Response(400, json={"error": "invalid_scope"})

    destination = BlueConic(msgspec.structs.replace(SETTINGS, scopes=scopes), transport=httpx.MockTransport(answer))
    with pytest.raises(Unavailable, match="gave no token but 400") as error:
        await destination.write(encode_batch(destination, companies(1)), send_now)
    credentials = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "s"}
    assert forms == [credentials if scope is None else credentials | {"scope": scope}]
    assert ("`scopes`" in str(error.value)) == bool(scopes)


OPERATIONS: tuple[Operation, ...] = ("update", "delete", "upsert")


@pytest.mark.parametrize(("missing", "fate"), [("skip", "skipped"), ("reject", "rejected")])
@pytest.mark.parametrize("object_", ["group/company", "profile", "timeline/order"])
async def test_an_update_of_nothing_is_rejected_if_asked(missing: str, fate: str, object_: str) -> None:
    answer = results(*({"state": "NOTFOUND", "identifier": f"0-{row}"} for row in range(3)))
    destination = answering(answer, msgspec.structs.replace(SETTINGS, missing_updates=missing))
    key: Key = {"profileId": "p", "id": "o"} if "/o" in object_ else "c-1"
    events = [record(object_, operation, key) for operation in OPERATIONS]
    outcomes = await destination.write(encode_batch(destination, events), send_now)
    assert [outcome.fate for outcome in outcomes] == [fate, "skipped", "rejected"]
    assert {(outcome.code, outcome.message) for outcome in outcomes} == {("NOTFOUND", "nothing of that key is there")}
