"""Endpoints that exist and that do not: blueconic.md §1, row by row."""

from typing import Any

import httpx
import pytest

from sandbox.faults.fault import Status
from tests.sandbox.blueconic.tenants import Tenant, group, rule

BULK = (200, 400, 401, 403, 413, 429, 503)
TABLE: list[tuple[str, str, str, str | None, tuple[int, ...]]] = [
    ("POST", "/oauth/token", "getToken", None, (200, 400, 401, 503)),
    ("POST", "/oauth/revoke", "revokeToken", None, (200, 400, 401, 503)),
    ("GET", "/oauth/authorize", "startAuthorizationCodeFlow", None, (302, 303, 400, 503)),
    ("PUT", "/groups", "createUpdateDeleteGroups", "write:groups", BULK),
    ("GET", "/groups/{grouptype}/{group}", "getOneGroupOfGroupType", "read:groups", (200, 401, 404, 408, 503)),
    ("GET", "/groups/{grouptype}", "getAllGroupsByGroupType", "read:groups", (200, 400, 401, 404, 503)),
    ("GET", "/groupTypes", "getAllGroupTypes", "read:group-types", (200, 401, 503)),
    ("PUT", "/profiles", "createUpdateDeleteProfiles", "write:profiles", BULK),
    ("GET", "/profiles/{profileId}", "getOneProfile", "read:profiles", (200, 401, 404, 408, 503)),
    ("GET", "/profiles", "searchProfiles", "read:profiles", (200, 400, 401, 408, 501, 503)),
    ("GET", "/segments/{segment}/profiles", "getAllProfilesOfSegment", "read:segments", (200, 400, 401, 404, 503)),
    ("GET", "/profileProperties", "getAllProfileOrGroupProperties", "read:profile-properties", (200, 401, 503)),
    ("GET", "/timelineEventTypes", "getTimelineEventTypes", "read:timeline-event-types", (200, 401, 403, 503)),
]
"""The document's own table, written out again so that a difference in the sandbox's table fails."""


@pytest.mark.parametrize(
    ("method", "path", "operation", "scope", "statuses"),
    [pytest.param(*row, id=f"§1 {row[0]} {row[1]}") for row in TABLE],
)
async def test_a_tenant_declares_each_endpoint_as_the_document_does(
    blueconic: Tenant, method: str, path: str, operation: str, scope: str | None, statuses: tuple[int, ...]
) -> None:
    declared = (await blueconic.http.get("/openapi.json")).json()["paths"][path][method.lower()]
    assert declared["operationId"] == operation
    assert declared["security"] == ([{"oauth2": [scope]}] if scope else [])
    assert sorted(declared["responses"]) == [str(status) for status in statuses]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param(method, path, status, id=f"§1 {method} {path} {status}")
        for method, path, _, _, statuses in TABLE
        for status in (408, 503)
        if status in statuses
    ],
)
async def test_a_busy_tenant_answers_without_a_body(blueconic: Tenant, method: str, path: str, status: int) -> None:
    await blueconic.control.add_fault(Status(status=status, method=method))
    answer = await blueconic.http.request(method, path)
    assert (answer.status_code, answer.content) == (status, b"")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/groupTypes", id="§1 base URL: /rest/v2 only"),
        pytest.param("/rest/groupTypes", id="§9 v1 is retired"),
        pytest.param("/rest/v2/timelineEvents", id="§1 timeline events: no endpoint of their own"),
        pytest.param("/rest/v2/jobs", id="§1 bulk style: no job, no status URL"),
    ],
)
async def test_what_the_document_does_not_have_is_a_404(blueconic: Tenant, path: str) -> None:
    assert (await blueconic.http.put(f"{blueconic.url}{path}", json=[])).status_code == 404


@pytest.mark.parametrize("path", ["/groups/company/g", "/profiles/p"])
@pytest.mark.parametrize("method", [pytest.param(one, id=f"§1 single: {one}") for one in ("POST", "PUT", "DELETE")])
async def test_single_objects_are_only_read(blueconic: Tenant, method: str, path: str) -> None:
    await blueconic.put_groups(group("g"))
    await blueconic.put_profiles({"profileId": "p", "strategy": "UPSERT"})
    assert (await blueconic.http.request(method, path)).status_code == 405
    assert (await blueconic.http.get(path)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/groups/company/g", id="§1 read back: GET /groups/{grouptype}/{group}"),
        pytest.param("/groups/company", id="§1 read back: GET /groups/{grouptype}"),
        pytest.param("/profiles/p", id="§1 read back: GET /profiles/{profileId}"),
        pytest.param("/profiles?property=email&value=a", id="§1 read back: GET /profiles?property=&value="),
    ],
)
async def test_what_was_written_is_read_back_as_json(blueconic: Tenant, path: str) -> None:
    rules = [rule("SET", "a", name="email")]
    await blueconic.put_groups(group("g"))
    await blueconic.put_profiles({"profileId": "p", "strategy": "UPSERT", "properties": rules})
    answer = await blueconic.http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert '"id":"g"' in answer.text or '"id":"p"' in answer.text


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"content": b'{"groupId":"a"}\n{"groupId":"b"}\n'}, id="§1 bulk style: no NDJSON"),
        pytest.param({"files": {"file": b"[]"}}, id="§1 bulk style: no multipart"),
    ],
)
async def test_a_bulk_body_is_one_json_array(blueconic: Tenant, fields: dict[str, Any]) -> None:
    assert (await blueconic.http.put("/groups", **fields)).status_code == 400


async def test_atomicity_is_per_entry_not_per_request(blueconic: Tenant) -> None:
    results = await blueconic.put_groups(group("a"), group("b", group_type="compny"), group(""), group("d"))
    assert [result["state"] for result in results] == ["CREATED", "UNKNOWN_GROUP_TYPE", "SKIPPED", "CREATED"]
    assert (await blueconic.http.get("/groups/company/d")).status_code == 200


async def test_there_is_no_api_key(blueconic: Tenant) -> None:
    async with httpx.AsyncClient(base_url=blueconic.http.base_url, trust_env=False, verify=False) as stranger:
        assert (await stranger.get("/groupTypes", headers={"x-api-key": "sandbox-secret"})).status_code == 401


async def test_there_is_no_idempotency_key(blueconic: Tenant) -> None:
    entry = {**group("g"), "properties": [rule("INCREMENT", "1")]}
    for _ in range(2):
        await blueconic.http.put("/groups", json=[entry], headers={"idempotency-key": "k1"})
    assert (await blueconic.group("g"))["p"] == ["2"]


@pytest.mark.parametrize("body", [b"[]", b"{"])
async def test_no_response_header_beyond_those_of_http(blueconic: Tenant, body: bytes) -> None:
    answer = await blueconic.http.put("/groups", content=body, headers={"accept-encoding": "identity"})
    assert set(answer.headers) == {"content-type", "content-length", "date"}
