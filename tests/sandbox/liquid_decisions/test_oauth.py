"""Tokens and communities as liquid_decisions.md §2 has them."""

import base64
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from sandbox.http.routing import Route
from sandbox.liquid_decisions.faults import NoCommunity
from sandbox.liquid_decisions.settings import Settings, User
from tests.sandbox.liquid_decisions.service import BASE, LOGIN, ROUTES, Service, service

TWO_COMMUNITIES = Settings(communities=("ACME", "GLOBEX"), users=(User(communities=("ACME",)),))


async def test_a_password_gets_a_bearer_token_that_looks_like_a_uuid(liquid: Service) -> None:
    answer = await liquid.post("oauth2/token", **LOGIN)
    granted = answer.json()
    assert (answer.status_code, list(granted)) == (200, ["access_token", "token_type", "expires_in"])
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 3600)
    assert [len(part) for part in granted["access_token"].split("-")] == [8, 4, 4, 4, 12]


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        pytest.param({"password": "wrong"}, 400, "invalid_grant", id="§2 invalid_grant, password"),
        pytest.param({"username": "nobody"}, 400, "invalid_grant", id="§2 invalid_grant, username"),
        pytest.param({"grant_type": "client_credentials"}, 400, "unsupported_grant_type", id="§2 another grant"),
        pytest.param({"grant_type": "authorization_code"}, 400, "unsupported_grant_type", id="§2 authorization code"),
        pytest.param({"grant_type": ""}, 400, "invalid_request", id="§2 invalid_request, no grant_type"),
        pytest.param({"username": ""}, 400, "invalid_request", id="§2 invalid_request, no username"),
        pytest.param({"password": ""}, 400, "invalid_request", id="§2 invalid_request, no password"),
        pytest.param({"scope": "community=NONE"}, 400, "invalid_scope", id="§2 invalid_scope, unknown community"),
        pytest.param({"scope": "two words"}, 400, "invalid_scope", id="§2 invalid_scope, bare words"),
        pytest.param({"scope": "community=GLOBEX"}, 403, "access_denied", id="§11 community not allowed for user"),
        pytest.param({"client_secret": "wrong"}, 401, "invalid_client", id="§2 invalid_client, secret"),
        pytest.param({"client_id": "wrong"}, 401, "invalid_client", id="§2 invalid_client, id"),
    ],
)
async def test_a_refused_token_request_says_why(fields: dict[str, str], status: int, error: str) -> None:
    async with service(TWO_COMMUNITIES) as liquid:
        answer = await liquid.post("oauth2/token", **{**LOGIN, **fields})
    refusal = answer.json()
    assert (answer.status_code, list(refusal)) == (status, ["error", "error_description"])
    assert refusal["error"] == error


@pytest.mark.parametrize("without", [("client_id", "client_secret"), ("client_secret",)])
async def test_absent_client_credentials_are_accepted(liquid: Service, without: tuple[str, ...]) -> None:
    """§2: the Java example omits both."""
    answer = await liquid.post("oauth2/token", **{name: value for name, value in LOGIN.items() if name not in without})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        pytest.param(b"sandbox:sandbox-secret", 200, id="right"),
        pytest.param(b"sandbox:wrong", 401, id="wrong"),
        pytest.param(b"\xff", 401, id="unreadable"),
    ],
)
async def test_client_credentials_are_as_rfc_6749_has_them(liquid: Service, credentials: bytes, status: int) -> None:
    headers = {"authorization": f"Basic {base64.b64encode(credentials).decode()}"}
    answer = await liquid.http.post(f"{BASE}/oauth2/token", data=LOGIN, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("scope", "community"),
    [
        pytest.param("community=ACME", "ACME", id="§2 as all code sends it"),
        pytest.param("community=ACME deviceId=d-1", "ACME", id="§2 with a deviceId"),
        pytest.param("ACME", "ACME", id="§2 a bare word"),
        pytest.param("hardwareId=1 hardwareName=My iPad Air community=ACME", "ACME", id="§2 blanks inside a value"),
        pytest.param("deviceId=d-1", None, id="§2 no community"),
        pytest.param("", None, id="§2 no scope"),
    ],
)
async def test_the_scope_names_the_community(liquid: Service, scope: str, community: str | None) -> None:
    headers = {"authorization": f"Bearer {await liquid.token(scope=scope)}"}
    answer = await liquid.http.post(f"{BASE}/oauth2/tokenInfo", headers=headers)
    me = "sandbox@example.com"
    assert answer.json() == {"userId": me, "authenticatedUserId": me, "community": community}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(one.path, id=name)
        for name, one in ROUTES.items()
        if "/oauth2/" not in one.path and one.method == "POST"
    ],
)
async def test_a_token_without_a_community_is_a_400_for_data(liquid: Service, path: str) -> None:
    """§2 [assumed]."""
    headers = {"authorization": f"Bearer {await liquid.token(scope='')}"}
    answer = await liquid.http.post(path, headers=headers)
    assert (answer.status_code, "community" in answer.json()["error_description"]) == (400, True)


@pytest.mark.parametrize("call", [pytest.param("setCommunity", id="§1"), pytest.param("setProperties", id="§2")])
async def test_a_community_can_be_bound_later(liquid: Service, call: str) -> None:
    headers = {"authorization": f"Bearer {await liquid.token(scope='')}"}
    path = f"{BASE}/items/updates"
    refused = await liquid.http.post(path, data={"itemType": "Account"}, headers=headers)
    bound = await liquid.http.post(f"{BASE}/oauth2/{call}", data={"community": "ACME"}, headers=headers)
    answer = await liquid.http.post(path, data={"itemType": "Account"}, headers=headers)
    assert (refused.status_code, bound.status_code, answer.status_code) == (400, 200, 200)


@pytest.mark.parametrize(
    ("call", "fields", "status"),
    [
        pytest.param("setCommunity", {}, 400, id="§2 setCommunity without one"),
        pytest.param("setCommunity", {"community": "NONE"}, 400, id="§2 unknown community"),
        pytest.param("setCommunity", {"community": "GLOBEX"}, 403, id="§11 community not allowed"),
        pytest.param("setProperties", {"hardwareName": "My iPad"}, 200, id="§2 setProperties without one"),
    ],
)
async def test_binding_a_community_has_its_answers(call: str, fields: dict[str, str], status: int) -> None:
    async with service(TWO_COMMUNITIES) as liquid:
        assert (await liquid.post(f"oauth2/{call}", **fields)).status_code == status


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        pytest.param(None, 200, id="§2 200 valid"),
        pytest.param("Bearer nonsense", 401, id="§2 401 not valid"),
        pytest.param("", 401, id="§2 no token"),
        pytest.param("Basic c2FuZGJveA==", 401, id="§2 no bearer"),
    ],
)
async def test_validate_says_whether_a_token_is_good(liquid: Service, authorization: str | None, status: int) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    assert (await liquid.http.get(f"{BASE}/oauth2/validate", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("method", "path"),
    [pytest.param(one.method, one.path, id=name) for name, one in ROUTES.items() if name not in ("token", "{file}")],
)
async def test_without_a_token_every_call_is_a_401(liquid: Service, method: str, path: str) -> None:
    answer = await liquid.http.request(method, path, headers={"authorization": ""})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_a_token_dies_when_its_lifetime_is_over(liquid: Service) -> None:
    await liquid.control.advance(3590)
    assert (await liquid.http.get(f"{BASE}/oauth2/validate")).status_code == 200
    await liquid.control.advance(20)
    assert (await liquid.http.get(f"{BASE}/oauth2/validate")).status_code == 401


async def test_every_session_can_be_expired(liquid: Service) -> None:
    await liquid.token()
    assert await liquid.control.expire_tokens() == 2
    assert (await liquid.http.get(f"{BASE}/oauth2/validate")).status_code == 401


async def test_a_refresh_token_works_once_when_switched_on() -> None:
    async with service(Settings(sends_refresh_token=True)) as liquid:
        granted = (await liquid.post("oauth2/token", **LOGIN)).json()
        form = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
        first = await liquid.post("oauth2/token", **form)
        second = await liquid.post("oauth2/token", **form)
        headers = {"authorization": f"Bearer {first.json()['access_token']}"}
        info = await liquid.http.post(f"{BASE}/oauth2/tokenInfo", headers=headers)
    assert info.json()["community"] == "ACME"
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/ls/api/items/upsert", 405, id="§1 POST for everything"),
        pytest.param("POST", "/ls/api/oauth2/validate", 405, id="§1 except validate"),
        pytest.param("POST", "/ls/api/batch/list", 404, id="§1 no call lists jobs"),
        pytest.param("POST", "/ls/api/ACME/items/upsert", 404, id="§1 no tenant in the path"),
        pytest.param("POST", "/ls/api/items/upsert/", 404, id="no trailing slash"),
        pytest.param("POST", "/ls/api/transactions/submit", 404, id="§1 seen but not needed"),
    ],
)
async def test_other_methods_and_paths_are_not_there(liquid: Service, method: str, path: str, status: int) -> None:
    answer = await liquid.http.request(method, path)
    assert (answer.status_code, list(answer.json())) == (status, ["error", "error_description"])


@pytest.mark.parametrize("route", ROUTES.values(), ids=[f"§1 {name}" for name in ROUTES])
async def test_every_call_answers_json(liquid: Service, route: Route) -> None:
    """§1 [assumed], for any call: the scripts parse bodies without a look at status and type."""
    answer = await liquid.http.request(route.method, route.path)
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json(), dict)


async def test_a_form_that_is_labelled_json_is_read_as_a_form(liquid: Service) -> None:
    headers = {"content-type": "application/json"}
    answer = await liquid.http.post(f"{BASE}/items/updates", content=b"itemType=Account&max=5", headers=headers)
    assert answer.json() == {"items": [], "maxProcessedAt": 0, "lastId": None}


async def test_json_that_is_labelled_a_form_is_read_as_json(liquid: Service) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    body = json.dumps({"itemType": "Account", "max": 5, "lastId": None})
    answer = await liquid.http.post(f"{BASE}/items/updates", content=body, headers=headers)
    assert answer.status_code == 200
    upsert = await liquid.http.post(f"{BASE}/items/upsert", content=b"[]", headers=headers)
    assert upsert.json() == {"count": 0}


async def test_a_community_sees_nothing_of_another() -> None:
    async with service(Settings(communities=("ACME", "GLOBEX"))) as liquid:
        job = await liquid.imported([{"accountId": "a"}])
        await liquid.log_in(scope="community=GLOBEX")
        seen = await liquid.items()
        found = await liquid.post("batch/status", jobId=job["jobId"])
        sql = await liquid.post("data/sqlQuery", query="SELECT * FROM acme_entity_Account")
    assert (seen, found.status_code, sql.status_code) == ([], 404, 400)


async def test_a_token_may_come_without_the_community_of_its_scope(liquid: Service) -> None:
    """§15: 400 for data calls; ``tokenInfo`` tells."""
    await liquid.control.add_fault(NoCommunity())
    await liquid.log_in()
    refused = await liquid.post("items/updates", itemType="Account")
    info = (await liquid.post("oauth2/tokenInfo")).json()
    await liquid.log_in()
    assert (refused.status_code, info["community"]) == (400, None)
    assert (await liquid.post("items/updates", itemType="Account")).status_code == 200


async def test_every_answer_has_a_date_by_the_sandboxs_clock(liquid: Service) -> None:
    await liquid.control.advance(7200)
    answers = [
        await liquid.post("items/updates", itemType="Account"),
        await liquid.post("oauth2/token"),
        await liquid.http.get("/ls/exports/none"),
        await liquid.http.get("/nowhere"),
    ]
    assert [answer.status_code for answer in answers] == [401, 400, 404, 404]
    for answer in answers:
        ahead = parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)
        assert 7190 < ahead.total_seconds() < 7210
