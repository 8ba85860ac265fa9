"""Tokens as in blueconic.md §2."""

import pytest

from tests.sandbox.blueconic.tenants import ALLOWED, Tenant


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
        pytest.param({"grant_type": "password"}, 400, "unsupported_grant_type", id="§2 token error: unknown grant"),
        pytest.param({"grant_type": ""}, 400, "invalid_request", id="§2 form fields: no grant_type"),
        pytest.param({"client_secret": "wrong"}, 401, "invalid_client", id="§2 token error: wrong secret"),
        pytest.param({"client_id": "nobody"}, 401, "invalid_client", id="§2 token error: unknown client"),
        pytest.param({"client_secret": ""}, 401, "invalid_client", id="§2 token error: no secret"),
        pytest.param({"scope": "read:groups write:everything"}, 400, "invalid_scope", id="§2 scope: not registered"),
        pytest.param({"grant_type": "refresh_token"}, 400, "unauthorized_client", id="§2 refresh: not registered"),
    ],
)
async def test_a_refused_request_says_why(blueconic: Tenant, fields: dict[str, str], status: int, error: str) -> None:
    answer = await blueconic.http.post("/oauth/token", data={**ALLOWED, **fields})
    refusal = answer.json()
    assert (answer.status_code, list(refusal)) == (status, ["error", "error_description"])
    assert refusal["error"] == error


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("application/json", b'{"grant_type":"client_credentials"}', id="§2 form fields: no form"),
        pytest.param("application/x-www-form-urlencoded", b"client_id=a&client_id=b", id="§2 form fields: sent twice"),
    ],
)
async def test_a_malformed_token_request_is_invalid(blueconic: Tenant, content_type: str, body: bytes) -> None:
    answer = await blueconic.http.post("/oauth/token", content=body, headers={"content-type": content_type})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


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
        pytest.param({"scope": "read:group-types read:groups"}, 200, id="§2 scope: spaces, as of the MCP server"),
        pytest.param({"scope": "read:groups"}, 401, id="§2 scope: a subset is no more than that"),
    ],
)
async def test_a_token_has_the_scopes_asked_for(blueconic: Tenant, fields: dict[str, str], status: int) -> None:
    headers = {"authorization": f"Bearer {await blueconic.token(**fields)}"}
    assert (await blueconic.http.get("/groupTypes", headers=headers)).status_code == status
