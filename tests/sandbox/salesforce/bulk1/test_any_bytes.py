"""Arbitrary bytes, which Bulk API 1.0 takes or answers with an error of its own; every batch comes to an end."""

import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.salesforce.bulk1.media_types import CONTENT_TYPES
from tests.sandbox.salesforce.bulk1.client import CSV, DATA_TYPES, JSON, NAMESPACE, XML, Bulk1, bulk1_org, job_xml

CALLS = [
    ("POST", "/job"),
    ("GET", "/job/{a}"),
    ("POST", "/job/{a}"),
    ("POST", "/job/{a}/batch"),
    ("GET", "/job/{a}/batch"),
    ("GET", "/job/{a}/batch/{b}"),
    ("GET", "/job/{a}/batch/{b}/request"),
    ("GET", "/job/{a}/batch/{b}/result"),
    ("GET", "/job/{a}/batch/{b}/result/{c}"),
    ("POST", "/job/{a}/spec"),
    ("PUT", "/{a}/{b}"),
]
TYPES = st.sampled_from([XML, JSON, CSV, "zip/csv", "", "text/csv, charset=UTF-8", "x", "text/csv; \xe9"])
NAMES = st.sampled_from(["LastName", "Id", "Ext__c", "Account", "Account.Ext__c", "Foo", "Score__c", "LastSeen__c"])
CELLS = st.text(max_size=8) | st.sampled_from(["#N/A", "", "003X00000000001IAA", "1", "2024-11-21", "#a", '"', "\r\n"])
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)
OPERATIONS = st.sampled_from(["insert", "update", "upsert", "delete", "hardDelete", "query", "queryAll"])
CSV_LINES = st.lists(st.lists(NAMES | CELLS, max_size=4).map(",".join), max_size=6)
SOQL = "SELECT Id LastName FROM Contact WHERE LIMIT 1 = 'a' ( ) ORDER BY , é"
SOQL_WORDS = st.sampled_from(SOQL.split())
ENDS = {"Completed", "Failed"}


@pytest_asyncio.fixture(scope="module", name="org")
async def _org() -> AsyncIterator[Bulk1]:
    async with bulk1_org() as found:
        yield found


def _encoded(segment: str) -> str:
    """Encode every byte, so that no client takes ``.`` for the folder."""
    return "".join(f"%{byte:02X}" for byte in segment.encode("utf-8", "replace")) or "x"


def _is_ours(answer: httpx.Response) -> bool:
    """Return whether the API took the call, or refused it with one of its errors in one of its formats."""
    if answer.status_code in (200, 201):
        return True
    if answer.headers["content-type"] == JSON:
        return answer.status_code in (400, 410) and set(answer.json()) == {"exceptionCode", "exceptionMessage"}
    return answer.status_code in (400, 410) and f'<error\n   xmlns="{NAMESPACE}">' in answer.text


async def _end(org: Bulk1, operation: str, content_type: str, body: bytes) -> str:
    """Return the final state of a batch with that body; ``Failed`` when it was not even taken."""
    external_id = "Ext__c" if operation == "upsert" else ""
    job = await org.create(operation, content_type=content_type, external_id=external_id)
    path = f"/job/{job}/batch"
    added = await org.http.post(path, content=body, headers={"content-type": DATA_TYPES[content_type]})
    assert _is_ours(added)
    if added.status_code != 201:
        return "Failed"
    listed = (await org.http.get(path)).text
    assert (await org.http.get(f"/job/{job}")).status_code == 200
    [state] = re.findall(r'(?:<state>|"state": ")(\w+)', listed)
    batch = listed[listed.index("751") :][:18]
    assert _is_ours(await org.http.get(f"{path}/{batch}/result"))
    return str(state)


@pytest.mark.parametrize(("method", "path"), [pytest.param(*call, id=" ".join(call)) for call in CALLS])
@given(a=st.text(max_size=20), b=st.text(max_size=20), query=st.binary(), body=st.binary(), content_type=TYPES)
@settings(max_examples=20, deadline=None)
async def test_arbitrary_bytes_get_an_answer_of_the_api(
    org: Bulk1, method: str, path: str, a: str, b: str, query: bytes, body: bytes, content_type: str
) -> None:
    target = path.format(a=_encoded(a), b=_encoded(b), c=_encoded(a))
    headers = {b"content-type": content_type.encode("latin-1")}
    answer = await org.http.request(method, f"{target}?{quote(query)}", content=body, headers=headers)
    assert _is_ours(answer)


@given(version=st.text(max_size=6) | st.sampled_from(["59.0", "nan", "inf", "1e3", "59.00", "-1.0", "26.0"]))
@settings(max_examples=40, deadline=None)
async def test_arbitrary_versions_get_an_answer_of_the_api(org: Bulk1, version: str) -> None:
    answer = await org.http.get(f"{org.url}/services/async/{_encoded(version)}/job/750")
    assert _is_ours(answer)


@given(value=JSON_VALUES)
@settings(max_examples=60, deadline=None)
async def test_arbitrary_json_makes_a_job_or_an_error(org: Bulk1, value: object) -> None:
    assert _is_ours(await org.http.post("/job", content=json.dumps(value), headers={"content-type": JSON}))


@given(
    header=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip)
    | st.sampled_from(["true;", ";", "chunkSize=999999999999999999999", "chunkSize=²", "chunkSize=1;chunkSize=2"]),
    name=st.sampled_from(["Sforce-Enable-PKChunking", "Sforce-Line-Ending", "Sforce-Disable-Batch-Retry"]),
)
@settings(max_examples=60, deadline=None)
async def test_arbitrary_headers_make_a_job_or_an_error(org: Bulk1, header: str, name: str) -> None:
    content = job_xml(operation="query", object="Contact", contentType="CSV")
    headers = {b"content-type": XML.encode(), name.encode(): header.encode("latin-1")}
    assert _is_ours(await org.http.post("/job", content=content, headers=headers))


@pytest.mark.parametrize("content_type", [pytest.param(name, id=name) for name in CONTENT_TYPES])
@given(body=st.binary(min_size=1, max_size=60))
@settings(max_examples=30, deadline=None)
async def test_arbitrary_bytes_bring_every_batch_to_an_end(org: Bulk1, content_type: str, body: bytes) -> None:
    assert await _end(org, "insert", content_type, body) in ENDS


@given(operation=OPERATIONS, lines=CSV_LINES)
@settings(max_examples=80, deadline=None)
async def test_arbitrary_csv_brings_every_batch_to_an_end(org: Bulk1, operation: str, lines: list[str]) -> None:
    body = "\n".join(lines).encode("utf-8", "replace")
    assert await _end(org, operation, "CSV", body) in ENDS


@given(operation=st.sampled_from(["insert", "update", "upsert"]), value=st.lists(JSON_VALUES, max_size=3))
@settings(max_examples=80, deadline=None)
async def test_arbitrary_json_brings_every_batch_to_an_end(org: Bulk1, operation: str, value: list[object]) -> None:
    assert await _end(org, operation, "JSON", json.dumps(value).encode()) in ENDS


@given(names=st.lists(st.lists(NAMES.filter(lambda name: "." not in name), max_size=4), max_size=3), cell=CELLS)
@settings(max_examples=40, deadline=None)
async def test_arbitrary_xml_brings_every_batch_to_an_end(org: Bulk1, names: list[list[str]], cell: str) -> None:
    text = json.dumps(cell).replace("<", "").replace("&", "")
    records = ["".join(f"<{name}>{text}</{name}>" for name in one) for one in names]
    inside = "".join(f"<sObject>{record}</sObject>" for record in records)
    assert await _end(org, "insert", "XML", f'<sObjects xmlns="{NAMESPACE}">{inside}</sObjects>'.encode()) in ENDS


@given(at=st.integers(0, 400), byte=st.integers(0, 255))
@settings(max_examples=80, deadline=None)
async def test_a_damaged_zip_brings_every_batch_to_an_end(org: Bulk1, at: int, byte: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("request.txt", "LastName,Description\nBerg,#a.txt\n")
        archive.writestr("a.txt", "text")
    damaged = bytearray(packed.getvalue())
    damaged[at % len(damaged)] = byte
    assert await _end(org, "insert", "ZIP_CSV", bytes(damaged)) in ENDS


@given(soql=st.lists(SOQL_WORDS, max_size=12).map(" ".join))
@settings(max_examples=80, deadline=None)
async def test_arbitrary_soql_brings_every_batch_to_an_end(org: Bulk1, soql: str) -> None:
    job = await org.create("query", headers={"Sforce-Enable-PKChunking": "chunkSize=2"})
    added = await org.post_batch(job, soql.encode() or b"?")
    assert added.status_code == 201
    found = await org.info(job)
    assert (found["numberBatchesQueued"], found["numberBatchesInProgress"]) == ("0", "0")
