"""Bearer tokens and scopes as in blueconic.md §2 and §7."""

import pytest

from sandbox.blueconic.endpoints import ENDPOINTS, Endpoint
from tests.sandbox.blueconic.tenants import Tenant

PROTECTED = [endpoint for endpoint in ENDPOINTS if endpoint.scope]
EACH_PROTECTED = pytest.mark.parametrize("endpoint", PROTECTED, ids=lambda one: f"§1 {one.method} {one.path}")


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Basic c2FuZGJveDpzYW5kYm94"])
async def test_without_a_token_every_call_is_an_empty_401(blueconic: Tenant, authorization: str) -> None:
    answer = await blueconic.http.get("/groupTypes", headers={"authorization": authorization})
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@EACH_PROTECTED
async def test_every_call_but_those_for_tokens_needs_one(blueconic: Tenant, endpoint: Endpoint) -> None:
    answer = await blueconic.http.request(endpoint.method, endpoint.path, headers={"authorization": ""})
    assert (answer.status_code, answer.content) == (401, b"")


async def test_a_token_dies_when_its_lifetime_is_over(blueconic: Tenant) -> None:
    await blueconic.control.advance(3590)
    assert (await blueconic.http.get("/groupTypes")).status_code == 200
    await blueconic.control.advance(10)
    assert (await blueconic.http.get("/groupTypes")).status_code == 401


@EACH_PROTECTED
async def test_a_token_without_the_scope_is_refused_by_a_declared_status(blueconic: Tenant, endpoint: Endpoint) -> None:
    others = sorted({str(one.scope) for one in PROTECTED} - {endpoint.scope})
    token = await blueconic.token(scope=" ".join(others))
    headers = {"authorization": f"Bearer {token}"}
    answer = await blueconic.http.request(endpoint.method, endpoint.path, headers=headers)
    assert (answer.status_code, answer.content) == (403 if 403 in endpoint.statuses else 401, b"")
    assert "insufficient_scope" in answer.headers["www-authenticate"]


@EACH_PROTECTED
async def test_the_documented_scope_is_enough(blueconic: Tenant, endpoint: Endpoint) -> None:
    token = await blueconic.token(scope=str(endpoint.scope))
    headers = {"authorization": f"Bearer {token}"}
    answer = await blueconic.http.request(endpoint.method, endpoint.path, headers=headers)
    assert answer.status_code in endpoint.statuses
    assert answer.status_code not in (401, 403)
