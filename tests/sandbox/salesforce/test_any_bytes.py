"""Arbitrary bytes, which each call answers with an error of the vendor; no job gets stuck."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import quote

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.salesforce.refusals import QueryRefused
from tests.sandbox.salesforce.orgs import INGEST, QUERY, Served, org

READ = "/services/data/v59.0/query"
CALLS = [
    ("POST", "/services/oauth2/token", (200, 400)),
    ("POST", "/services/Soap/u/59.0", (500,)),
    ("POST", "/services/Soap/c/{segment}", (500,)),
    ("GET", "/services/data/{segment}/limits", (200, 404, 410)),
    ("GET", "/services/data/v59.0/sobjects/{segment}/describe", (200, 404)),
    ("GET", READ, (200, 400)),
    ("GET", "/services/data/v59.0/queryAll/{segment}", (400,)),
    ("POST", INGEST, (200, 400)),
    ("GET", INGEST, (200, 400)),
    ("PATCH", f"{INGEST}/{{job}}", (200, 400)),
    ("PUT", f"{INGEST}/{{job}}/batches", (201, 400)),
    ("GET", f"{INGEST}/{{segment}}", (200, 404)),
    ("DELETE", f"{INGEST}/{{segment}}", (404,)),
    ("POST", QUERY, (200, 400)),
    ("GET", QUERY, (200, 400)),
    ("GET", f"{QUERY}/{{query}}/results", (200, 400)),
    ("GET", f"{QUERY}/{{query}}/resultPages", (200, 400)),
]
EVERY_CALL = pytest.mark.parametrize(
    ("method", "path", "statuses"), CALLS, ids=[f"{call[0]} {call[1]}" for call in CALLS]
)
TYPES = st.sampled_from(
    ["application/json", "text/csv", "text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"]
)
SOQL = """SELECT Id FROM Contact WHERE LastName = 'x' AND OR NOT ( ) IN , LIKE ORDER BY NULLS LAST LIMIT 5 OFFSET null
true COUNT() Account.Name CreatedDate < 2024-01-01"""
WORDS = st.sampled_from(SOQL.split())
CELLS = st.sampled_from(["A-1", "A-2", "Berg", "", "#N/A", '"', '"a""b"', "é", "\x00", "x y", "001X00000000001IAA"])
COLUMNS = st.lists(
    st.sampled_from(["Ext__c", "LastName", "Email", "Id", "Account.Ext__c", "CreatedDate", "Birthdate"]),
    min_size=1,
    max_size=4,
    unique=True,
)


class _Prepared(NamedTuple):
    """Org with an open ingest job and a finished query."""

    served: Served
    job: str
    query: str


@pytest_asyncio.fixture(scope="module", name="prepared")
async def _prepared() -> AsyncIterator[_Prepared]:
    async with org() as served:
        yield _Prepared(served, await served.create(), await served.ask("SELECT Id FROM Contact"))


@EVERY_CALL
@given(segment=st.text(min_size=1), query=st.binary(), body=st.binary(), content_type=TYPES)
@settings(max_examples=30, deadline=None)
async def test_arbitrary_bytes_get_a_declared_status(
    prepared: _Prepared,
    method: str,
    path: str,
    statuses: tuple[int, ...],
    segment: str,
    query: bytes,
    body: bytes,
    content_type: str,
) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in segment.encode())
    place = path.format(segment=encoded, job=prepared.job, query=prepared.query)
    headers = {"content-type": content_type, "soapaction": "x"}
    answer = await prepared.served.http.request(method, f"{place}?{quote(query)}", content=body, headers=headers)
    assert answer.status_code in statuses, answer.text


@pytest.mark.parametrize("path", [READ, INGEST, QUERY, f"{QUERY}/{{query}}/results", f"{QUERY}/{{query}}/resultPages"])
@given(
    name=st.sampled_from(["q", "jobType", "queryLocator", "locator", "maxRecords"]),
    value=st.text() | st.integers().map(str),
)
@settings(max_examples=50, deadline=None)
async def test_any_argument_is_taken_or_refused(prepared: _Prepared, path: str, name: str, value: str) -> None:
    answer = await prepared.served.http.get(path.format(query=prepared.query), params={name: value})
    assert answer.status_code in (200, 400)


@given(
    columns=COLUMNS,
    rows=st.lists(st.lists(CELLS, max_size=5), max_size=5),
    tail=st.binary(max_size=20),
    operation=st.sampled_from(["insert", "update", "upsert", "delete"]),
)
@settings(max_examples=100, deadline=None)
async def test_no_upload_leaves_a_job_stuck(
    prepared: _Prepared, columns: list[str], rows: list[list[str]], tail: bytes, operation: str
) -> None:
    served = prepared.served
    job = await served.create(operation)
    lines = [",".join(columns), *(",".join(row) for row in rows)]
    body = "\n".join(lines).encode() + b"\n" + tail
    assert (await served.upload(job, body)).status_code == 201
    assert (await served.patch(job, "UploadComplete")).status_code == 200
    info = await served.info(job)
    assert info["state"] in ("JobComplete", "Failed")
    done = len(await served.results(job)) + len(await served.results(job, "failedResults"))
    assert done == info["numberRecordsProcessed"]
    assert (await served.http.get(f"{INGEST}/{job}/unprocessedrecords")).status_code == 200


@given(words=st.lists(WORDS, max_size=12))
@settings(max_examples=300, deadline=None)
async def test_no_soql_breaks_the_org(prepared: _Prepared, words: list[str]) -> None:
    soql = " ".join(["SELECT Id FROM Contact", *words])
    with suppress(QueryRefused):
        prepared.served.vendor.org.query(soql)
    answer = await prepared.served.http.get(READ, params={"q": soql})
    assert answer.status_code in (200, 400), answer.text


async def test_concurrent_clients_never_see_each_others_half_written_state(salesforce: Served) -> None:
    """Run two writers of 50 rows a job and a reader, which must find whole jobs only."""

    async def write(client: str) -> None:
        for number in range(5):
            keys = (f"{client}-{number}-{row}" for row in range(50))
            await salesforce.load("Ext__c,LastName\n" + "".join(f"{key},Berg\n" for key in keys))

    async def read() -> list[int]:
        return [len(await salesforce.query("SELECT Id FROM Contact")) for _ in range(10)]

    _, _, counts = await asyncio.gather(write("a"), write("b"), read())
    assert [count % 50 for count in counts] == [0] * 10
    assert len(await salesforce.query("SELECT Id FROM Contact")) == 500
