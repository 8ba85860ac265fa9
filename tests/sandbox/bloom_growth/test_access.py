"""Access by users to objects, at every endpoint. bloom_growth.md §2, §10, §13.4."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.bloom_growth.endpoints import Endpoint
from sandbox.bloom_growth.vendor import BloomGrowth
from tests.sandbox.bloom_growth.tenants import BloomTenant, bloom_tenant

ENDPOINTS = BloomGrowth().endpoints
BODY = {"title": "t", "complete": True, "value": 1, "meetingId": 1}
KINDS = {
    "/issues/": "issues",
    "/todo/": "todos",
    "/todo/notes/": "todos",
    "/rocks/": "rocks",
    "/headline/": "headlines",
    "/measurables/": "measurables",
}


def _params(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("endpoint", endpoints, ids=lambda one: f"{one.row} {one.method} {one.path[1:]}")


@pytest_asyncio.fixture(scope="module", name="app")
async def _app() -> AsyncIterator[BloomTenant]:
    async with bloom_tenant() as found:
        yield found


def _path(endpoint: Endpoint, ids: dict[str, int]) -> str:
    """Return the path with every id of the other organization."""
    kind = next((name for part, name in KINDS.items() if f"{part}{{id}}" in endpoint.path), "issues")
    found = {"mid": ids["meeting"], "uid": ids["user"], "id": ids[kind], "week": 1}
    return endpoint.path[1:].format_map(found)


@_params(ENDPOINTS)
async def test_every_endpoint_wants_a_token(app: BloomTenant, endpoint: Endpoint) -> None:
    path = endpoint.path[1:].format_map({"mid": 1, "uid": 1, "id": 1, "week": 1})
    answer = await app.http.request(endpoint.method, path, json=BODY, headers={"authorization": "Bearer x"})
    assert answer.status_code == 401


@_params([one for one in ENDPOINTS if "{" in one.path])
async def test_an_unknown_id_is_a_404(app: BloomTenant, endpoint: Endpoint) -> None:
    path = endpoint.path[1:].format_map({"mid": 1, "uid": 1, "id": 1, "week": 1})
    answer = await app.http.request(endpoint.method, path, json=BODY)
    assert (answer.status_code, list(answer.json())) == (404, ["Message"])


@_params([one for one in ENDPOINTS if "{" in one.path])
async def test_what_belongs_to_another_organization_is_a_403(app: BloomTenant, endpoint: Endpoint) -> None:
    answer = await app.http.request(endpoint.method, _path(endpoint, await app.other_organization_ids()), json=BODY)
    assert (answer.status_code, list(answer.json())) == (403, ["Message"])


@pytest.mark.parametrize(("user", "status"), [("unknown", 404), ("theirs", 403)])
async def test_an_owner_must_be_of_the_organization(app: BloomTenant, user: str, status: int) -> None:
    meeting = await app.meeting()
    owner = 1 if user == "unknown" else (await app.other_organization_ids())["user"]
    calls = [
        ("issues/create", {"title": "t", "meetingid": meeting, "ownerid": owner}),
        (f"L10/{meeting}/todos", {"title": "t", "accountableUserId": owner}),
        (f"L10/{meeting}/rocks", {"title": "t", "accountableUserId": owner}),
        (f"L10/{meeting}/headlines", {"title": "t", "ownerId": owner}),
    ]
    assert [await app.status("POST", path, body) for path, body in calls] == [status] * 4


@pytest.mark.parametrize("row", [pytest.param(row, id=f"§3.{row}") for row in range(1, 35) if row != 14])
def test_every_row_of_the_document_has_an_endpoint(row: int) -> None:
    assert f"§3.{row}" in {endpoint.row for endpoint in ENDPOINTS}
