"""What BlueConic answers and what becomes of it: statuses, states, matching. blueconic.md §3 to §7."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.destinations import open_destination
from sluice.destinations.blueconic.destination import LIMITS, BlueConic
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import Ambiguous, BatchError, Destination, Misconfigured, Refused, Unavailable
from sluice.events import Operation, RecordEvent
from sluice.flow.outcome import Fate, Outcome
from sluice.setting_types import Secret
from tests.support.factories import encode_batch, record, send_now

SETTINGS = BlueConicSettings(url="http://acme.test", client_id="app", client_secret=Secret("s"))
TOKEN = httpx.Response(200, json={"access_token": "T", "token_type": "Bearer", "expires_in": 3600})
LOST_ITEM = Outcome(Fate.AMBIGUOUS, "no-result", "the answer has no single result for it", None, 200)

Answer = Callable[[httpx.Request], httpx.Response]


def tenant(answer: Answer | httpx.Response, settings_: BlueConicSettings = SETTINGS) -> BlueConic:
    """A tenant that gives out tokens and else answers as ``answer`` says."""

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/rest/v2/oauth/token":
            return TOKEN
        return answer if isinstance(answer, httpx.Response) else answer(request)

    return BlueConic(settings_, transport=httpx.MockTransport(respond))


async def write(answer: Answer | httpx.Response, events: Sequence[RecordEvent]) -> Sequence[Outcome]:
    destination = tenant(answer)
    return await destination.write(encode_batch(destination, events), send_now)


def results(*made: dict[str, Any], status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=msgspec.json.encode(made))


def companies(count: int) -> list[RecordEvent]:
    return [record(key=f"c-{row}") for row in range(count)]


def created(row: int, **changes: Any) -> dict[str, Any]:
    made = {"groupId": f"c-{row}", "groupTypeId": "company", "state": "CREATED", "identifier": f"0-{row}", **changes}
    return {name: value for name, value in made.items() if value is not None}


def test_it_is_a_destination_of_the_table() -> None:
    destination: Destination = open_destination(SETTINGS)
    assert destination.limits == LIMITS


async def test_a_batch_is_one_request_with_an_array() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return results(created(0), created(1))

    await write(answer, companies(2))
    (request,) = requests
    assert (request.method, str(request.url)) == ("PUT", "http://acme.test/rest/v2/groups")
    assert request.headers["content-type"] == request.headers["accept"] == "application/json"
    assert request.headers["authorization"] == "Bearer T"
    assert [entry["identifier"] for entry in json.loads(request.content)] == ["0-0", "0-1"]


@pytest.mark.parametrize("url", ["http://acme.test", "http://acme.test/", "http://acme.test/rest/v2"])
async def test_the_path_of_the_api_may_be_left_out(url: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return results(created(0)) if str(request.url) == "http://acme.test/rest/v2/groups" else httpx.Response(404)

    destination = tenant(answer, msgspec.structs.replace(SETTINGS, url=url))
    assert (await destination.write(encode_batch(destination, companies(1)), send_now))[0].fate == "delivered"


async def test_objectives_are_checked_for_profiles_only() -> None:
    queries: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        queries.append(request.url.query.decode())
        return results({"state": "CREATED", "identifier": "0-0"})

    destination = tenant(answer, msgspec.structs.replace(SETTINGS, objective_ids=("news", "ads")))
    await destination.write(encode_batch(destination, [record("profile")]), send_now)
    await destination.write(encode_batch(destination, companies(1)), send_now)
    assert queries == ["objectiveIds=news%2Cads", ""]


async def test_a_full_batch_stays_within_its_bytes() -> None:
    sizes: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sizes.append(len(request.content))
        return results()

    destination = tenant(answer)
    made = encode_batch(destination, companies(3))
    await destination.write(made, send_now)
    # A window counts the commas between items; the limit leaves room for the brackets.
    assert sizes == [made.body_bytes + len("[]")]
    assert LIMITS.max_bytes + len("[]") == 4 * 1024 * 1024


@pytest.mark.parametrize(
    ("operation", "state", "fate", "warning"),
    [
        pytest.param("upsert", "CREATED", "delivered", None, id="upsert, created"),
        pytest.param("upsert", "MODIFIED", "delivered", None, id="upsert, modified"),
        pytest.param("upsert", "UNCHANGED", "skipped", None, id="upsert, unchanged"),
        pytest.param("upsert", "NOTFOUND", "rejected", None, id="upsert, not found makes no sense"),
        pytest.param("insert", "CREATED", "delivered", None, id="insert, created"),
        pytest.param("insert", "MODIFIED", "delivered", "existed already", id="insert of what was there"),
        pytest.param("insert", "UNCHANGED", "skipped", "existed already", id="insert of the same"),
        pytest.param("update", "MODIFIED", "delivered", None, id="update, modified"),
        pytest.param("update", "UNCHANGED", "skipped", None, id="update, unchanged"),
        pytest.param("update", "NOTFOUND", "skipped", None, id="update of nothing"),
        pytest.param("delete", "DELETED", "delivered", None, id="delete"),
        pytest.param("delete", "NOTFOUND", "skipped", None, id="delete of nothing"),
        pytest.param("upsert", "UNKNOWN_GROUP_TYPE", "rejected", None, id="unknown group type"),
        pytest.param("upsert", "SKIPPED", "rejected", None, id="skipped by the vendor"),
        pytest.param("upsert", "CONSENT_MISMATCH", "rejected", None, id="no consent"),
        pytest.param("upsert", "RESTRICTION_MISMATCH", "rejected", None, id="not in the segment"),
        pytest.param("upsert", "UNAUTHORIZED", "rejected", None, id="no right to personal data"),
        pytest.param("upsert", "created", "rejected", None, id="an unknown state, if only by its case"),
        pytest.param("upsert", "FROZEN_2", "rejected", None, id="an unknown state"),
    ],
)
@pytest.mark.parametrize("object_", ["group/company", "profile"])
async def test_a_state_becomes_a_fate(
    object_: str, operation: Operation, state: str, fate: str, warning: str | None
) -> None:
    answer = results({"state": state, "identifier": "0-0", "groupId": "c-1"})
    (outcome,) = await write(answer, [record(object_, operation)])
    assert (outcome.fate, outcome.code, outcome.record_id, outcome.warning) == (fate, state, "c-1", warning)


@pytest.mark.parametrize("state", ["UNKNOWN_GROUP_TYPE", "SKIPPED", "CONSENT_MISMATCH", "UNAUTHORIZED", "NOTFOUND"])
async def test_a_rejection_says_what_it_means(state: str) -> None:
    (outcome,) = await write(results(created(0, state=state)), [record()])
    assert outcome.message
    assert outcome.http_status == 200


async def test_objections_are_the_message_of_a_rejection_and_the_warning_of_a_success() -> None:
    errors = {"visits": ["not a number", "too long"], "tags": []}
    outcomes = await write(
        results(created(0, state="SKIPPED", validationErrors=errors), created(1, validationErrors=errors)), companies(2)
    )
    said = "visits: not a number, too long; tags: "
    assert [(outcome.fate, outcome.message, outcome.warning) for outcome in outcomes] == [
        ("rejected", said, None),
        ("delivered", "", said),
    ]


async def test_a_profiles_outcome_has_the_id_that_the_vendor_chose() -> None:
    (outcome,) = await write(
        results({"state": "CREATED", "identifier": "0-0", "profileId": "3f1c"}),
        [record("profile", key={"email": "j@x.test"})],
    )
    assert outcome == Outcome(Fate.DELIVERED, "CREATED", "", "3f1c")


@pytest.mark.parametrize(
    ("operation", "event", "fate", "code"),
    [
        pytest.param("insert", {"state": "SET"}, "delivered", "SET", id="set"),
        pytest.param("upsert", {"state": "CREATED"}, "delivered", "CREATED", id="created"),
        pytest.param("upsert", {"state": "MODIFIED"}, "delivered", "MODIFIED", id="modified"),
        pytest.param("delete", {"state": "DELETED"}, "delivered", "DELETED", id="deleted"),
        pytest.param("delete", {"state": "NOTFOUND"}, "skipped", "NOTFOUND", id="delete of nothing"),
        pytest.param("update", {"state": "NOTFOUND"}, "skipped", "NOTFOUND", id="update of nothing"),
        pytest.param("upsert", {"state": "NOTFOUND"}, "rejected", "NOTFOUND", id="upsert, not found"),
        pytest.param("insert", {"state": "REJECTED"}, "rejected", "REJECTED", id="rejected"),
        pytest.param("insert", {"state": "ODD"}, "rejected", "ODD", id="an unknown state"),
        pytest.param("insert", {"state": 7}, "ambiguous", "no-result", id="no state"),
        pytest.param("insert", None, "ambiguous", "no-result", id="no result"),
        pytest.param("insert", "SET", "ambiguous", "no-result", id="no object"),
    ],
)
async def test_an_events_own_state_becomes_its_fate(operation: Operation, event: object, fate: str, code: str) -> None:
    profile = {"state": "MODIFIED", "identifier": "0-0", "profileId": "p-1", "timeline": [event] if event else []}
    (outcome,) = await write(results(profile), [record("timeline/order", operation, {"email": "x", "id": "o-1"})])
    assert (outcome.fate, outcome.code) == (fate, code)


@pytest.mark.parametrize(
    ("operation", "fate"),
    [
        pytest.param("insert", "rejected", id="an insert would be lost"),
        pytest.param("upsert", "rejected", id="an upsert would be lost"),
        pytest.param("update", "skipped", id="nothing to update"),
        pytest.param("delete", "skipped", id="nothing to delete"),
    ],
)
async def test_an_event_of_a_profile_that_is_not_there(operation: Operation, fate: str) -> None:
    answer = results({"state": "NOTFOUND", "identifier": "0-0"})
    (outcome,) = await write(answer, [record("timeline/order", operation, {"email": "x", "id": "o-1"})])
    assert (outcome.fate, outcome.code) == (fate, "NOTFOUND")


async def test_a_rejected_event_says_why() -> None:
    why = "#/total_revenue/0: expected type: Number, found: String"
    event = {"id": "o-1", "identifier": "0-0", "state": "REJECTED", "validationErrors": [why]}
    answer = results({"state": "MODIFIED", "identifier": "0-0", "timeline": [event]})
    (outcome,) = await write(answer, [record("timeline/order", "insert", "p-1")])
    assert outcome == Outcome(Fate.REJECTED, "REJECTED", why, "o-1", 200)


DONE = [f"c-{row}" for row in range(3)]


@pytest.mark.parametrize(
    ("answers", "record_ids"),
    [
        pytest.param([created(0), created(1), created(2)], DONE, id="in order"),
        pytest.param([created(2), created(0), created(1)], DONE, id="shuffled"),
        pytest.param([created(1), created(0)], ["c-0", "c-1", None], id="one is missing"),
        pytest.param([], [None, None, None], id="all are missing"),
        pytest.param([created(row, identifier=None) for row in (2, 0, 1)], DONE, id="by type and id"),
        pytest.param(
            [created(row, identifier=None, groupId=f"company_c-{row}") for row in (2, 0, 1)],
            [f"company_c-{row}" for row in range(3)],
            id="by the joined form",
        ),
        pytest.param(
            [created(row, identifier=None, groupId=f"company_c-{row}", groupTypeId=None) for row in (2, 0, 1)],
            [f"company_c-{row}" for row in range(3)],
            id="by the joined form without a type",
        ),
        pytest.param([created(0), created(1, identifier=None), created(2)], DONE, id="one without identifier"),
        pytest.param([created(0), created(1, identifier="9-9"), created(2)], ["c-0", None, "c-2"], id="a stranger's"),
        pytest.param(
            [created(row, identifier=None, groupTypeId="person") for row in range(3)],
            [None, None, None],
            id="of another type",
        ),
        pytest.param([created(0), created(0), created(1), created(2)], DONE, id="one twice, agreeing"),
        pytest.param(
            [created(0), created(0, state="SKIPPED"), created(1), created(2)], [None, "c-1", "c-2"], id="one disputed"
        ),
    ],
)
async def test_results_are_matched_to_their_entries(
    answers: list[dict[str, Any]], record_ids: list[str | None]
) -> None:
    outcomes = await write(results(*answers), companies(3))
    assert [outcome.record_id for outcome in outcomes] == record_ids
    assert all(outcome == LOST_ITEM for outcome in outcomes if outcome.record_id is None)


async def test_bare_states_are_matched_by_position_if_there_are_as_many_as_entries() -> None:
    bare = [{"state": "CREATED"}, {"state": "SKIPPED"}]
    assert [outcome.code for outcome in await write(results(*bare), companies(2))] == ["CREATED", "SKIPPED"]
    assert list(await write(results(*bare), companies(3))) == [LOST_ITEM] * 3
    mixed = results(bare[0], created(1, identifier=None))
    assert [outcome.fate for outcome in await write(mixed, companies(2))] == ["ambiguous", "delivered"]


async def test_profiles_are_matched_by_identifier_only() -> None:
    events = [record("profile", key="p-0"), record("profile", key={"email": "x"})]
    found = [{"state": "MODIFIED", "profileId": "p-0"}, {"state": "CREATED", "profileId": "p-1"}]
    assert list(await write(results(*found), events)) == [LOST_ITEM] * 2
    assert list(await write(results({"state": "CREATED"}, {"state": "CREATED"}), events)) == [LOST_ITEM] * 2


async def test_a_joined_form_that_could_be_two_groups_is_neither() -> None:
    events = [record("group/a", key="b_c"), record("group/a_b", key="c")]
    answer = results({"state": "CREATED", "groupId": "a_b_c"}, {"state": "CREATED", "groupTypeId": "x"})
    assert list(await write(answer, events)) == [LOST_ITEM] * 2


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(created(0, groupId=5), id="an id that is a number"),
        pytest.param(created(0, state=["CREATED"]), id="a state that is a list"),
        pytest.param("CREATED", id="no object"),
        pytest.param({"identifier": "0-0"}, id="no state"),
        pytest.param({"identifier": "0-0", "state": ""}, id="an empty state"),
        pytest.param({"identifier": "0-0", "state": None}, id="a null state"),
    ],
)
async def test_a_result_that_cannot_be_read_costs_only_its_own_item(odd: Any) -> None:
    outcomes = await write(results(odd, created(1)), companies(2))
    assert [outcome.fate for outcome in outcomes] == ["ambiguous", "delivered"]


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


async def test_retry_after_is_passed_on() -> None:
    with pytest.raises(Unavailable) as error:
        await write(httpx.Response(429, headers={"retry-after": "3"}), companies(1))
    assert (error.value.retry_after_s, error.value.overloaded) == (3.0, True)


async def test_of_a_413_with_results_the_rest_is_sent_anew() -> None:
    outcomes = await write(results(created(0), created(1, state="SKIPPED"), status=413), companies(4))
    assert [(outcome.fate, outcome.code) for outcome in outcomes] == [
        ("delivered", "CREATED"),
        ("rejected", "SKIPPED"),
        ("retryable", "413"),
        ("retryable", "413"),
    ]


async def test_of_a_413_with_results_a_missing_one_is_ambiguous() -> None:
    outcomes = await write(results(created(0), created(2), created(1, identifier="x"), status=413), companies(4))
    assert [outcome.fate for outcome in outcomes] == ["delivered", "ambiguous", "delivered", "retryable"]


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
    assert await tenant(response).check() == said


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
        await tenant(response).check()


async def test_without_a_token_nothing_is_written() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/rest/v2/oauth/token"
        return httpx.Response(401, json={"error": "invalid_client"})

    destination = BlueConic(SETTINGS, transport=httpx.MockTransport(answer))
    with pytest.raises(Unavailable, match="gave no token but 401: invalid_client; check the client id and secret"):
        await destination.write(encode_batch(destination, companies(1)), send_now)


def test_an_address_that_is_none_is_a_misconfiguration() -> None:
    with pytest.raises(Misconfigured, match=r"expected an address such as https://acme\.blueconic\.net as url"):
        BlueConic(msgspec.structs.replace(SETTINGS, url="http://acme:https"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["CREATED", "0-0", "c-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
RESULT = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ["state", "identifier", "groupId", "groupTypeId", "profileId", "validationErrors", "timeline"], JSON
    ),
)
BODIES = st.binary() | JSON.map(msgspec.json.encode) | st.lists(RESULT | JSON, max_size=4).map(msgspec.json.encode)
EVENTS = (companies(2), [record("profile")], [record("timeline/order", "insert")])


@settings(deadline=None)
@given(status=st.sampled_from([200, 413]) | st.integers(200, 599), body=BODIES, events=st.sampled_from(EVENTS))
async def test_any_answer_is_an_outcome_per_item_or_a_batch_error(
    status: int, body: bytes, events: list[RecordEvent]
) -> None:
    try:
        outcomes = await write(httpx.Response(status, content=body), events)
    except BatchError:
        return
    assert len(outcomes) == len(events)
    assert all(outcome.code for outcome in outcomes)
