"""Arbitrary bytes, which each endpoint answers without a failure of the sandbox; no job is stuck."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.http.routing import Route
from sandbox.liquid_decisions.settings import Settings
from tests.sandbox.liquid_decisions.service import BASE, JOB, LOGIN, ROUTES, Service, service

STATUSES = (200, 400, 401, 403, 404, 405, 410, 413)
TERMINAL = ("Completed", "Rejected", "Canceled", "Failed")
EVERY_ROUTE = pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
VALUES = "Account Order True false 0 -1 x ² application/json text/csv {} $x #"
WORDS = st.sampled_from([*VALUES.split(), "9" * 400])
FIELD_NAMES = """itemType processedAfter lastId max query faultBlocks tableType jobId jobName contentType merge
headerRow rowHeader template filters sqlQuery notificationEmail grant_type scope community username refresh_token"""
FIELDS = st.dictionaries(st.sampled_from(FIELD_NAMES.split()), WORDS | st.text())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "headers": st.dictionaries(
                st.sampled_from(["category", "type", "action", "clientId"]),
                st.sampled_from(["entity", "Account", "Create", "Merge", "Update", "Delete"]) | JSON,
            ),
            "data": st.dictionaries(st.sampled_from(["accountId", "name", "h_id"]) | st.text(), JSON, max_size=4),
        }
    ),
    max_size=5,
)
SQL_WORDS = """SELECT * FROM acme_entity_Account WHERE h_id = 'x' ( ) , 1 UNION WITH x AS RECURSIVE ORDER BY random()
LIMIT sqlite_master PRAGMA ; DELETE"""
SQL = st.lists(st.sampled_from(SQL_WORDS.split()) | st.text(max_size=3), max_size=12).map(" ".join)


@pytest_asyncio.fixture(scope="module", name="app")
async def _app() -> AsyncIterator[Service]:
    async with service(Settings(sql_timeout_s=0.5)) as found:
        yield found


async def _ends(app: Service, answer: Any) -> bool:
    """Return whether the job, if there is one, comes to an end."""
    if answer.status_code != 200:
        return True
    return (await app.finished(answer.json()))["status"] in TERMINAL


@EVERY_ROUTE
@given(body=st.binary(), name=st.binary(max_size=20), is_multipart=st.booleans())
@settings(max_examples=30, deadline=None)
async def test_arbitrary_bytes_get_a_declared_status(
    app: Service, route: Route, body: bytes, name: bytes, is_multipart: bool
) -> None:
    path = route.path.replace("{file}", "".join(f"%{byte:02X}" for byte in name) or "x")
    headers = {"content-type": "multipart/form-data; boundary=B" if is_multipart else "application/json"}
    answer = await app.http.request(route.method, path, content=body, headers=headers)
    assert answer.status_code in STATUSES


@EVERY_ROUTE
@given(fields=FIELDS)
@settings(max_examples=30, deadline=None)
async def test_arbitrary_forms_get_a_declared_status(app: Service, route: Route, fields: dict[str, str]) -> None:
    answer = await app.http.request(route.method, route.path.replace("{file}", "x"), data={**fields})
    assert answer.status_code in STATUSES
    await app.log_in()  # The form may have been that of a token.


@given(fields=FIELDS)
@settings(max_examples=30, deadline=None)
async def test_arbitrary_logins_are_granted_or_refused(app: Service, fields: dict[str, str]) -> None:
    answer = await app.http.post(f"{BASE}/oauth2/token", data={**LOGIN, **fields})
    assert answer.status_code in (200, 400, 401)
    assert ("error" in answer.json()) == (answer.status_code != 200)


@given(value=JSON | RECORDS)
@settings(max_examples=100, deadline=None)
async def test_arbitrary_json_is_taken_or_refused(app: Service, value: object) -> None:
    answer = await app.http.post(f"{BASE}/items/upsert", content=json.dumps(value).encode())
    assert answer.status_code in (200, 400)
    assert (await app.post("data/sqlQuery", query="SELECT * FROM acme_entity_Account LIMIT 5")).status_code == 200


@given(items=RECORDS)
@settings(max_examples=100, deadline=None)
async def test_well_formed_items_are_counted(app: Service, items: list[dict[str, Any]]) -> None:
    answer = await app.http.post(f"{BASE}/items/upsert", content=json.dumps(items, allow_nan=True).encode())
    assert answer.status_code == 400 or answer.json()["count"] == len(items)


@given(query=SQL)
@settings(max_examples=100, deadline=None)
async def test_arbitrary_sql_is_answered_or_refused(app: Service, query: str) -> None:
    for fields in ({}, {"itemType": "Account"}):
        assert (await app.post("data/sqlQuery", query=query, **fields)).status_code in (200, 400)


@given(file=st.binary() | RECORDS.map(lambda records: json.dumps(records).encode()), fields=FIELDS)
@settings(max_examples=60, deadline=None)
async def test_every_import_comes_to_an_end(app: Service, file: bytes, fields: dict[str, str]) -> None:
    answer = await app.post_import(file, {**JOB, **fields})
    assert answer.status_code == 200
    assert await _ends(app, answer)


@given(disposition=st.binary(), boundary=st.binary(max_size=5), part=st.binary())
@settings(max_examples=100, deadline=None)
async def test_any_parts_are_taken_or_refused(app: Service, disposition: bytes, boundary: bytes, part: bytes) -> None:
    body = b"--B\r\nContent-Disposition: form-data; name=" + disposition + b"\r\n\r\n" + part + b"\r\n--B--\r\n"
    for name in (b"B", bytes(byte for byte in boundary if byte > 0x20)):
        headers = {b"content-type": b"multipart/form-data; boundary=" + name}
        answer = await app.http.post(f"{BASE}/batch/import", content=body, headers=headers)
        assert answer.status_code in (200, 400)


@given(file=st.text() | st.just("accountId,name\r\na,1\r\n"), template=st.text() | st.just('{"accountId":"$col0"}'))
@settings(max_examples=60, deadline=None)
async def test_every_csv_import_comes_to_an_end(app: Service, file: str, template: str) -> None:
    for added in ({}, {"template": template}):
        form = {**JOB, "contentType": "text/csv", "headerRow": "True", **added}
        answer = await app.post_import(file.encode(), form)
        assert await _ends(app, answer)


@given(fields=FIELDS)
@settings(max_examples=60, deadline=None)
async def test_every_export_comes_to_an_end(app: Service, fields: dict[str, str]) -> None:
    answer = await app.post("batch/export", **{**JOB, "contentType": "text/csv", **fields})
    assert answer.status_code == 200
    assert await _ends(app, answer)
