"""Arbitrary input: each endpoint answers with a status that it declares, never with an error of the sandbox."""

import json
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.blueconic.endpoints import ENDPOINTS, Endpoint
from sandbox.blueconic.settings import Segment, Settings
from tests.sandbox.blueconic.tenants import ALLOWED, Tenant, tenant

EVERY_ENDPOINT = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"§1 {one.method} {one.path}")
BULK = pytest.mark.parametrize("path", ["/groups", "/profiles"])
NAMES = ["groupTypeId", "groupId", "strategy", "identifier", "properties", "profileId", "matching", "timeline"]
NAMES += ["id", "data"]
WORDS = st.sampled_from(["company", "order", "UPSERT", "UPDATE", "DELETE", "SET", "INCREMENT", "email", "p", "", "1"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=6),
    max_leaves=30,
)
RULES = st.lists(
    st.fixed_dictionaries(
        {"id": WORDS | st.text(max_size=3), "values": st.lists(WORDS | st.text(max_size=3), max_size=3)},
        optional={"strategy": st.sampled_from(["SET", "ADD", "SET_IF_EMPTY", "INCREMENT", "REMOVE", "SUM"])},
    ),
    max_size=3,
)
DATA = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from(["total_revenue", "product", "p"])},
        optional={
            "values": st.lists(WORDS | st.integers() | st.lists(st.fixed_dictionaries({"id": WORDS}), max_size=2)),
            "strategy": st.sampled_from(["SET", "ADD", "SET_IF_EMPTY", "UPSERT", "UPDATE", "DELETE"]),
        },
    ),
    max_size=3,
)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {"eventTypeId": st.sampled_from(["order", "visit"])},
        optional={
            "id": WORDS,
            "date": st.sampled_from(["", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "x"]),
            "strategy": st.sampled_from(["SET", "UPSERT", "UPDATE", "DELETE"]),
            "data": DATA,
        },
    ),
    max_size=3,
)
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"strategy": st.sampled_from(["UPSERT", "UPDATE", "DELETE"])},
        optional={
            "groupTypeId": WORDS,
            "groupId": st.text(max_size=3),
            "profileId": st.text(max_size=3),
            "identifier": st.text(max_size=3),
            "matching": st.lists(st.lists(st.fixed_dictionaries({"id": WORDS, "value": WORDS}), max_size=2)),
            "properties": RULES,
            "timeline": EVENTS,
        },
    ),
    max_size=5,
)


@pytest_asyncio.fixture(scope="module", name="app")
async def _app() -> AsyncIterator[Tenant]:
    async with tenant(Settings(segments=(Segment(id="x", property="p", value="1"),))) as found:
        yield found


async def _status(app: Tenant, endpoint: Endpoint, segment: str, query: bytes, body: bytes, form: bool) -> int:
    """Return the status of a call. Every byte of the segment is encoded: no client must treat ``.`` as a folder."""
    encoded = "".join(f"%{byte:02X}" for byte in segment.encode()) or "x"
    path = endpoint.path.format_map(dict.fromkeys(("grouptype", "group", "profileId", "segment"), encoded))
    headers = {"content-type": "application/x-www-form-urlencoded" if form else "application/json"}
    answer = await app.http.request(endpoint.method, f"{path}?{quote(query)}", content=body, headers=headers)
    return answer.status_code


@EVERY_ENDPOINT
@given(segment=st.text(), query=st.binary(), body=st.binary(), form=st.booleans())
@settings(max_examples=30, deadline=None)
async def test_arbitrary_bytes_get_a_declared_status(
    app: Tenant, endpoint: Endpoint, segment: str, query: bytes, body: bytes, form: bool
) -> None:
    assert await _status(app, endpoint, segment, query, body, form) in endpoint.statuses


@EVERY_ENDPOINT
@given(
    name=st.sampled_from(
        ["cursor", "count", "properties", "expand", "eventCount", "fromDate", "property", "value", "objectiveIds"]
    ),
    value=st.text() | st.sampled_from(["*", "1", "0", "-1", "x", "²", "9" * 400, "0001-01-01"]),
)
@settings(max_examples=30, deadline=None)
async def test_any_arguments_get_a_declared_status(app: Tenant, endpoint: Endpoint, name: str, value: str) -> None:
    path = endpoint.path.replace("{grouptype}", "company").replace("{group}", "g").replace("{profileId}", "1")
    answer = await app.http.request(endpoint.method, path, params={name: value})
    assert answer.status_code in endpoint.statuses


@given(fields=st.dictionaries(st.sampled_from([*ALLOWED, "scope", "code", "token"]), st.text()))
@settings(max_examples=50, deadline=None)
async def test_arbitrary_forms_get_a_declared_status(app: Tenant, fields: dict[str, str]) -> None:
    for path in ("/oauth/token", "/oauth/revoke"):
        answer = await app.http.post(path, data={**ALLOWED, **fields})
        assert answer.status_code in (200, 400, 401)


@BULK
@given(value=JSON)
@settings(max_examples=100, deadline=None)
async def test_arbitrary_json_is_taken_or_refused(app: Tenant, path: str, value: object) -> None:
    answer = await app.http.put(path, content=json.dumps(value).encode())
    assert answer.status_code in (200, 400)


@BULK
@given(entries=ENTRIES)
@settings(max_examples=100, deadline=None)
async def test_well_formed_entries_get_a_result_each(app: Tenant, path: str, entries: list[dict[str, object]]) -> None:
    answer = await app.http.put(path, content=json.dumps(entries).encode())
    assert (answer.status_code, len(answer.json())) == (200, len(entries))


async def test_any_authorization_header_is_taken_or_refused(app: Tenant) -> None:
    for header in (b"", b"Bearer", b"Bearer \xff", b"Basic", b"Basic \xff", b"Basic =", b"Basic /////w=="):
        headers = {b"authorization": header}
        assert (await app.http.get("/groupTypes", headers=headers)).status_code == 401
        answer = await app.http.post("/oauth/token", data={"grant_type": "client_credentials"}, headers=headers)
        assert answer.status_code in (400, 401)
