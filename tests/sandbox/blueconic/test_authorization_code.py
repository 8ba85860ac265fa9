"""The authorization code flow as in blueconic.md §2."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sandbox.blueconic.settings import Settings
from tests.sandbox.blueconic.tenants import ALLOWED, Tenant, tenant

BACK = "https://app.example/back"


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
        pytest.param({"code_challenge": _challenge("v" * 43), "code_challenge_method": "S256"}, id="§2: S256"),
        pytest.param({"code_challenge": "v" * 43}, id="§2: the method defaults to PLAIN"),
        pytest.param({"code_challenge": "v" * 43, "code_challenge_method": "plain"}, id="§2: PLAIN, in any case"),
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
        pytest.param({"code_verifier": "another"}, id="§2: wrong verifier"),
        pytest.param({"code": "made-up"}, id="§2: unknown code"),
        pytest.param({"redirect_uri": "https://elsewhere.example"}, id="§2: another redirect URI"),
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
        pytest.param({"code_challenge": ""}, "invalid_request", id="§2: PKCE is enforced"),
        pytest.param({"code_challenge_method": "S512"}, "invalid_request", id="§2: unknown challenge method"),
        pytest.param({"response_type": "token"}, "unsupported_response_type", id="§2: another response type"),
    ],
)
async def test_an_authorization_that_fails_tells_the_redirect_uri(fields: dict[str, str], error: str) -> None:
    async with tenant(Settings(redirect_uri=BACK)) as app:
        assert await _code(app, **fields) == error


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"client_id": "nobody", "redirect_uri": BACK}, id="§2: unknown client"),
        pytest.param({"client_id": "sandbox", "redirect_uri": f"{BACK}/"}, id="§2: a redirect URI that only resembles"),
    ],
)
async def test_an_authorization_with_nowhere_to_go_is_a_400(fields: dict[str, str]) -> None:
    async with tenant(Settings(redirect_uri=BACK)) as app:
        assert (await app.http.get("/oauth/authorize", params=fields)).status_code == 400
