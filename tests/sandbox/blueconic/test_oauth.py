"""Tokens as in blueconic.md §2."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sandbox.blueconic.endpoints import ENDPOINTS, Endpoint
from sandbox.blueconic.settings import Settings
from tests.sandbox.blueconic.tenants import ALLOWED, Tenant, tenant

BACK = "https://app.example/back"


async def test_client_credentials_get_a_bearer_token_and_no_refresh_token(blueconic: Tenant) -> None:
    answer = await blueconic.http.post("/oauth/token", data=ALLOWED)
    granted = answer.json()
    assert (answer.status_code, list(granted)) == (200, ["access_token", "token_type", "expires_in"])
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 3600)


async def test_basic_credentials_are_taken_in_place_of_form_fields(blueconic: Tenant) -> None:
    answer = await blueconic.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=("sandbox", "sandbox-secret")
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        pytest.param(
            {"grant_type": "password"}, 400, "unsupported_grant_type", id="§2 token error: unsupported_grant_type"
        ),
        pytest.param({"grant_type": ""}, 400, "invalid_request", id="§2 form fields: no grant_type"),
        pytest.param({"client_secret": "wrong"}, 401, "invalid_client", id="§2 token error: wrong secret"),
        pytest.param({"client_id": "nobody"}, 401, "invalid_client", id="§2 token error: unknown client"),
        pytest.param({"client_secret": ""}, 401, "invalid_client", id="§2 token error: no secret"),
        pytest.param({"scope": "read:groups write:everything"}, 400, "invalid_scope", id="§2 scope: not registered"),
        pytest.param(
            {"grant_type": "refresh_token"}, 400, "unauthorized_client", id="§2 refresh token: a flow not registered"
        ),
    ],
)
async def test_a_refused_token_request_says_why(
    blueconic: Tenant, fields: dict[str, str], status: int, error: str
) -> None:
    answer = await blueconic.http.post("/oauth/token", data={**ALLOWED, **fields})
    refusal = answer.json()
    assert (answer.status_code, list(refusal)) == (status, ["error", "error_description"])
    assert refusal["error"] == error


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param(
            "application/json", b'{"grant_type":"client_credentials"}', id="§2 form fields: a body that is no form"
        ),
        pytest.param(
            "application/x-www-form-urlencoded", b"client_id=a&client_id=b", id="§2 form fields: a field sent twice"
        ),
    ],
)
async def test_a_malformed_token_request_is_invalid(blueconic: Tenant, content_type: str, body: bytes) -> None:
    answer = await blueconic.http.post("/oauth/token", content=body, headers={"content-type": content_type})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("", id="§7 401: no header"),
        pytest.param("Bearer nonsense", id="§7 401: unknown token"),
        pytest.param("Basic c2FuZGJveDpzYW5kYm94", id="§7 401: credentials in place of a token"),
    ],
)
async def test_without_a_token_every_call_is_an_empty_401(blueconic: Tenant, authorization: str) -> None:
    answer = await blueconic.http.get("/groupTypes", headers={"authorization": authorization})
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param(one.method, one.path, id=f"§2 use: {one.method} {one.path}")
        for one in ENDPOINTS
        if one.scope is not None
    ],
)
async def test_every_call_but_those_for_tokens_needs_one(blueconic: Tenant, method: str, path: str) -> None:
    answer = await blueconic.http.request(method, path, headers={"authorization": ""})
    assert (answer.status_code, answer.content) == (401, b"")


async def test_a_token_dies_when_its_lifetime_is_over(blueconic: Tenant) -> None:
    await blueconic.control.advance(3590)
    assert (await blueconic.http.get("/groupTypes")).status_code == 200
    await blueconic.control.advance(10)
    assert (await blueconic.http.get("/groupTypes")).status_code == 401


@pytest.mark.parametrize(
    ("fields", "status", "alive"),
    [
        pytest.param({}, 200, False, id="§2 revoke: a revoked token is dead"),
        pytest.param({"token_type_hint": "access_token"}, 200, False, id="§2 revoke: the hint is taken"),
        pytest.param({"client_secret": "wrong"}, 401, True, id="§2 revoke: only its application may revoke it"),
        pytest.param({"token": ""}, 400, True, id="§2 revoke: no token named"),
        pytest.param({"token": "unknown"}, 200, True, id="§2 revoke: an unknown token is revoked already"),
    ],
)
async def test_revocation(blueconic: Tenant, fields: dict[str, str], status: int, alive: bool) -> None:
    token = await blueconic.token()
    answer = await blueconic.http.post("/oauth/revoke", data={**ALLOWED, "token": token, **fields})
    read = await blueconic.http.get("/groupTypes", headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, read.status_code == 200) == (status, alive)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({}, 200, id="§2 scope: absent is all registered scopes"),
        pytest.param(
            {"scope": "read:group-types read:groups"}, 200, id="§2 scope: space-separated, as the MCP server sends it"
        ),
        pytest.param({"scope": "read:groups"}, 401, id="§2 scope: a subset is no more than that"),
    ],
)
async def test_a_token_has_the_scopes_that_were_asked_for(
    blueconic: Tenant, fields: dict[str, str], status: int
) -> None:
    headers = {"authorization": f"Bearer {await blueconic.token(**fields)}"}
    assert (await blueconic.http.get("/groupTypes", headers=headers)).status_code == status


PROTECTED = [endpoint for endpoint in ENDPOINTS if endpoint.scope]


@pytest.mark.parametrize("endpoint", [pytest.param(one, id=f"§1 {one.method} {one.path}") for one in PROTECTED])
async def test_a_token_without_the_scope_is_refused_by_a_declared_status(blueconic: Tenant, endpoint: Endpoint) -> None:
    others = sorted({str(one.scope) for one in PROTECTED} - {endpoint.scope})
    token = await blueconic.token(scope=" ".join(others))
    headers = {"authorization": f"Bearer {token}"}
    answer = await blueconic.http.request(endpoint.method, endpoint.path, headers=headers)
    assert (answer.status_code, answer.content) == (403 if 403 in endpoint.statuses else 401, b"")
    assert "insufficient_scope" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("endpoint", [pytest.param(one, id=f"§1 {one.method} {one.path}") for one in PROTECTED])
async def test_the_documented_scope_is_enough(blueconic: Tenant, endpoint: Endpoint) -> None:
    token = await blueconic.token(scope=str(endpoint.scope))
    headers = {"authorization": f"Bearer {token}"}
    answer = await blueconic.http.request(endpoint.method, endpoint.path, headers=headers)
    assert answer.status_code in endpoint.statuses
    assert answer.status_code not in (401, 403)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def _code(app: Tenant, **fields: str) -> str:
    asked = {
        "response_type": "code",
        "client_id": "sandbox",
        "redirect_uri": BACK,
        "code_challenge": "plain-verifier",
        "state": "s1",
        **fields,
    }
    answer = await app.http.get("/oauth/authorize", params=asked)
    assert answer.status_code == 302
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["state"] == ["s1"]
    return query.get("code", query.get("error", [""]))[0]


async def _exchange(app: Tenant, **fields: str) -> httpx.Response:
    return await app.http.post(
        "/oauth/token", data={**ALLOWED, "grant_type": "authorization_code", "redirect_uri": BACK, **fields}
    )


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(
            {"code_challenge": _challenge("v" * 43), "code_challenge_method": "S256"}, id="§2 authorization code: S256"
        ),
        pytest.param({"code_challenge": "v" * 43}, id="§2 authorization code: the method defaults to PLAIN"),
        pytest.param(
            {"code_challenge": "v" * 43, "code_challenge_method": "plain"},
            id="§2 authorization code: PLAIN, in any case",
        ),
    ],
)
async def test_a_code_gets_a_token_by_the_verifier_of_its_challenge(fields: dict[str, str]) -> None:
    async with tenant(Settings(redirect_uri=BACK)) as app:
        granted = (await _exchange(app, code=await _code(app, **fields), code_verifier="v" * 43)).json()
        headers = {"authorization": f"Bearer {granted['access_token']}"}
        assert (await app.http.get("/groupTypes", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"code_verifier": "another"}, id="§2 authorization code: wrong verifier"),
        pytest.param({"code": "made-up"}, id="§2 authorization code: unknown code"),
        pytest.param({"redirect_uri": "https://elsewhere.example"}, id="§2 authorization code: another redirect URI"),
    ],
)
async def test_a_code_is_worth_nothing_with_a_wrong_part(fields: dict[str, str]) -> None:
    async with tenant(Settings(redirect_uri=BACK)) as app:
        right = {"code": await _code(app), "code_verifier": "plain-verifier"}
        answer = await _exchange(app, **{**right, **fields})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_a_code_works_once_and_not_for_long() -> None:
    async with tenant(Settings(redirect_uri=BACK)) as app:
        first, late = await _code(app), await _code(app)
        statuses = [(await _exchange(app, code=first, code_verifier="plain-verifier")).status_code for _ in range(2)]
        await app.control.advance(61)
        statuses.append((await _exchange(app, code=late, code_verifier="plain-verifier")).status_code)
        assert statuses == [200, 400, 400]


async def test_refresh_tokens_rotate_and_the_used_one_dies() -> None:
    async with tenant(Settings(redirect_uri=BACK)) as app:
        granted = (await _exchange(app, code=await _code(app), code_verifier="plain-verifier")).json()
        form = {**ALLOWED, "grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
        first = await app.http.post("/oauth/token", data=form)
        again = await app.http.post("/oauth/token", data=form)
        assert (first.status_code, again.status_code) == (200, 400)
        assert first.json()["refresh_token"] != granted["refresh_token"]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        pytest.param({"code_challenge": ""}, "invalid_request", id="§2 authorization code: PKCE is enforced"),
        pytest.param(
            {"code_challenge_method": "S512"}, "invalid_request", id="§2 authorization code: unknown challenge method"
        ),
        pytest.param(
            {"response_type": "token"}, "unsupported_response_type", id="§2 authorization code: another response type"
        ),
    ],
)
async def test_an_authorization_that_fails_tells_the_redirect_uri(fields: dict[str, str], error: str) -> None:
    async with tenant(Settings(redirect_uri=BACK)) as app:
        assert await _code(app, **fields) == error


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"client_id": "nobody", "redirect_uri": BACK}, id="§2 authorization code: unknown client"),
        pytest.param(
            {"client_id": "sandbox", "redirect_uri": f"{BACK}/"},
            id="§2 authorization code: a redirect URI that only resembles",
        ),
    ],
)
async def test_an_authorization_with_nowhere_to_go_is_a_400(fields: dict[str, str]) -> None:
    async with tenant(Settings(redirect_uri=BACK)) as app:
        assert (await app.http.get("/oauth/authorize", params=fields)).status_code == 400
