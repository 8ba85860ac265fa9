"""Arbitrary input: each endpoint answers with a documented status, never with an error of the sandbox."""

import json
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.bloom_growth.endpoints import Endpoint
from sandbox.bloom_growth.vendor import BloomGrowth
from tests.sandbox.bloom_growth.tenants import LOGIN, BloomTenant, bloom_tenant

ENDPOINTS = BloomGrowth().endpoints
DOCUMENTED = {200, 400, 403, 404, 415}
EVERY_ENDPOINT = pytest.mark.parametrize(
    "endpoint", ENDPOINTS, ids=lambda one: f"{one.row} {one.method} {one.path[1:]}"
)
TYPES = st.sampled_from(["application/json", "text/json", "application/x-www-form-urlencoded", "text/plain", ""])
NAMES = ["title", "Title", "meetingid", "ownerId", "accountableUserId", "ForId", "notes", "details", "dueDate"]
NAMES += ["completion", "compartment", "complete", "addSelf", "value"]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(["2026-01-01", "9999-12-31T23:59:59-23:59", "0001-01-01", "OnTrack", "LongTerm", "true", "\ud800"]),
    st.sampled_from([518_334, 349_524, 28_471_978, 2**63, -(2**63)]),
    st.lists(st.integers(), max_size=2),
)
QUERIES = ["include_resolved", "INCLUDE_CLOSED", "include_origin", "INCLUDE_ARCHIVE", "includePermission"]
QUERIES += ["status", "term"]
IDS = st.sampled_from(["518334", "349524", "28471978", "61930442", "5265048", "2118705", "903611", "1", "0"])


@pytest_asyncio.fixture(scope="module", name="app")
async def _app() -> AsyncIterator[BloomTenant]:
    async with bloom_tenant() as found:
        yield found


def _path(endpoint: Endpoint, segment: str) -> str:
    """Encode every byte of the segment, so that no client treats ``.`` as a folder."""
    encoded = "".join(f"%{byte:02X}" for byte in segment.encode()) or "x"
    return endpoint.path[1:].format_map(dict.fromkeys(("mid", "uid", "id", "week"), encoded))


@EVERY_ENDPOINT
@given(segment=st.text() | IDS, query=st.binary(), body=st.binary(), content_type=TYPES)
@settings(max_examples=20, deadline=None)
async def test_arbitrary_bytes_get_a_documented_status(
    app: BloomTenant, endpoint: Endpoint, segment: str, query: bytes, body: bytes, content_type: str
) -> None:
    path = f"{_path(endpoint, segment)}?{quote(query)}"
    headers = {"content-type": content_type}
    answer = await app.http.request(endpoint.method, path, content=body, headers=headers)
    assert answer.status_code in DOCUMENTED


@EVERY_ENDPOINT
@given(segment=IDS, members=st.dictionaries(st.sampled_from(NAMES) | st.text(), VALUES, max_size=6))
@settings(max_examples=20, deadline=None)
async def test_arbitrary_members_get_a_documented_status(
    app: BloomTenant, endpoint: Endpoint, segment: str, members: dict[str, object]
) -> None:
    body, headers = json.dumps(members).encode(), {"content-type": "application/json"}
    answer = await app.http.request(endpoint.method, _path(endpoint, segment), content=body, headers=headers)
    assert answer.status_code in DOCUMENTED


@EVERY_ENDPOINT
@given(arguments=st.dictionaries(st.sampled_from(QUERIES), st.text() | st.sampled_from(["true", "%", "%%a"])))
@settings(max_examples=10, deadline=None)
async def test_arbitrary_arguments_get_a_documented_status(
    app: BloomTenant, endpoint: Endpoint, arguments: dict[str, str]
) -> None:
    answer = await app.http.request(endpoint.method, _path(endpoint, "349524"), params=arguments)
    assert answer.status_code in DOCUMENTED


@given(form=st.dictionaries(st.sampled_from([*LOGIN, "scope"]) | st.text(), st.text()), body=st.binary())
@settings(max_examples=50, deadline=None)
async def test_arbitrary_grants_get_a_documented_status(app: BloomTenant, form: dict[str, str], body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert (await app.http.post(f"{app.url}/Token", data={**LOGIN, **form})).status_code in (200, 400)
    assert (await app.http.post(f"{app.url}/Token", content=body, headers=headers)).status_code in (200, 400)


async def test_any_authorization_header_is_taken_or_refused(app: BloomTenant) -> None:
    for header in (b"", b"Bearer", b"Bearer \xff", b"\xff", b"Basic ="):
        headers = {b"authorization": header}
        assert (await app.http.get("users/mine", headers=headers)).status_code == 401


async def test_the_tenant_still_answers_after_all_of_it(app: BloomTenant) -> None:
    assert (await app.get("users/mine"))["Name"] == "Alex Morgan"
    assert len(await app.control.ledger()) > 0
