"""Conventions of all calls. Ids name the rows of salesforce_bulk.md §3.1 and the versions and ids of §1."""

import gzip
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.bulk1.client import CSV, INSERT, JSON, XML, Bulk1, bulk1_org, field, job_xml


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in ("X-SFDC-Session", "X-SFDC-SESSION")])
async def test_the_session_header_is_taken_in_any_case(org: Bulk1, name: str) -> None:
    [session] = org.session().values()
    request = httpx.Request("GET", f"{org.http.base_url}job/750", headers=[(name.encode(), session.encode())])
    assert "InvalidJob" in (await org.http.send(request)).text


async def test_a_bearer_token_does_as_well(org: Bulk1) -> None:
    [session] = org.session().values()
    del org.http.headers["X-SFDC-Session"]
    assert (await org.post_job(INSERT, Authorization=f"Bearer {session}")).status_code == 201


async def test_a_request_may_be_gzipped(org: Bulk1) -> None:
    created = await org.post_job(gzip.compress(INSERT.encode()), content_encoding="gzip")
    job = field(created.text, "id")
    packed = gzip.compress(b"LastName\nBerg\nLind")
    await org.post_batch(job, packed, **{"content-encoding": "gzip"})
    assert (await org.info(job))["numberRecordsProcessed"] == "2"


@pytest.mark.parametrize(("size", "code"), [(10_000_000, ""), (10_000_001, "ClientInputError")])
async def test_limits_apply_to_the_unpacked_size(org: Bulk1, size: int, code: str) -> None:
    job = await org.create()
    headers = {"content-type": CSV, "content-encoding": "gzip"}
    packed = gzip.compress(b"x" * size, compresslevel=1)
    answer = await org.http.post(f"/job/{job}/batch", content=packed, headers=headers)
    assert re.findall(r"<exceptionCode>(\w+)", answer.text) == ([code] if code else [])


@pytest.mark.parametrize("accepts", [pytest.param("gzip", id="gzip"), pytest.param("identity", id="not")])
async def test_an_answer_is_gzipped_only_for_who_accepts_it(org: Bulk1, accepts: str) -> None:
    answer = await org.post_job(INSERT, accept_encoding=accepts)
    assert answer.headers.get("content-encoding", "identity") == accepts
    assert answer.text.endswith("</jobInfo>\n")


async def test_chunked_uploads_are_taken(org: Bulk1) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"LastName\nBe"
        yield b"rg\nLind\n"

    job = await org.create()
    answer = await org.post_batch(job, pieces())
    assert "content-length" not in answer.request.headers
    assert (await org.info(job))["numberRecordsProcessed"] == "2"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/services/async/59.0/job/", id="§3.1 trailing slash"),
        pytest.param("//services/async/59.0/job", id="§2.1 double slash"),
        pytest.param("//services//async/59.0//job//", id="any number of either"),
    ],
)
async def test_slashes_do_not_matter(org: Bulk1, path: str) -> None:
    answer = await org.post_job(INSERT, path=f"{org.url}{path}")
    assert answer.status_code == 201


@pytest.mark.parametrize(("job_type", "answer_type"), [("CSV", XML), ("XML", XML), ("JSON", JSON), ("ZIP_JSON", JSON)])
@pytest.mark.parametrize("sent", [pytest.param(XML, id="asked as XML"), pytest.param(JSON, id="asked as JSON")])
async def test_answers_follow_the_jobs_type(org: Bulk1, job_type: str, answer_type: str, sent: str) -> None:
    job = await org.create(content_type=job_type)
    headers = {"content-type": sent}
    found = [await org.http.get(f"/job/{job}{path}", headers=headers) for path in ("", "/batch", "/batch/751")]
    found.append(await org.http.post(f"/job/{job}/batch", content="", headers=headers))
    assert {answer.headers["content-type"] for answer in found} == {answer_type}


@pytest.mark.parametrize(("sent", "answer_type"), [(XML, XML), (JSON, JSON), ("", XML)])
async def test_answers_follow_the_request_where_the_job_is_not_known(org: Bulk1, sent: str, answer_type: str) -> None:
    for path in ("/job", "/job/750", "/job/750/batch"):
        answer = await org.http.post(path, content="?", headers={"content-type": sent})
        assert answer.headers["content-type"] == answer_type


async def test_an_xml_request_for_a_json_job_is_answered_in_xml_and_then_in_json(org: Bulk1) -> None:
    created = await org.post_job(job_xml(operation="insert", object="Contact", contentType="JSON"))
    assert created.headers["content-type"] == XML
    job = field(created.text, "id")
    added = await org.post_batch(job, "[{}]", JSON)
    assert added.headers["content-type"] == JSON


@pytest.mark.parametrize(("header", "ending"), [("LF", "\n"), ("CRLF", "\r\n"), ("", "\n")])
@pytest.mark.parametrize("when", [pytest.param("create", id="on create"), pytest.param("read", id="on read")])
async def test_line_ending_of_result_csv(org: Bulk1, header: str, ending: str, when: str) -> None:
    sent = {"Sforce-Line-Ending": header} if header else {}
    job = await org.create(headers=sent if when == "create" else {})
    batch = await org.add(job, "LastName\nBerg")
    path = f"/job/{job}/batch/{batch}/result"
    text = (await org.http.get(path, headers=sent if when == "read" else {})).text
    assert re.findall(r"\r?\n", text) == [ending, ending]


async def test_call_options_are_taken(org: Bulk1) -> None:
    assert (await org.post_job(INSERT, Sforce_Call_Options="client=Loader/1.0")).status_code == 201


async def test_limit_info_counts_every_call_against_the_day() -> None:
    async with bulk1_org(Settings(daily_api_requests=2)) as org:
        found = [(await org.post_job(INSERT)).headers["sforce-limit-info"] for _ in range(2)]
        assert found == ["api-usage=1/2", "api-usage=2/2"]
        assert field((await org.post_job(INSERT)).text, "exceptionMessage") == "TotalRequests Limit exceeded."
        await org.control.advance(86_400 + 60)
        org.http.headers.update(org.session())
        assert (await org.post_job(INSERT)).headers["sforce-limit-info"] == "api-usage=1/2"


@pytest.mark.parametrize(("version", "warned"), [("40.0", True), ("59.0", False)])
async def test_a_deprecated_version_gets_a_warning(version: str, *, warned: bool) -> None:
    async with bulk1_org(Settings(deprecated_below=45)) as org:
        answer = await org.post_job(INSERT, path=f"{org.url}/services/async/{version}/job")
        assert answer.status_code == 201
        assert answer.headers.get("warning", "").startswith("299 ") == warned


@pytest.mark.parametrize(
    ("version", "status", "code"),
    [
        pytest.param("31.0", 201, "", id="§1 oldest"),
        pytest.param("66.0", 201, "", id="§1 newest"),
        pytest.param("40.0", 201, "", id="§1 of salesforce-bulk"),
        pytest.param("26.0", 410, "Gone", id="§1 of sfbulk"),
        pytest.param("30.0", 410, "Gone", id="§1 of sfbulkapi"),
        pytest.param("7.0", 410, "Gone", id="§1 oldest ever"),
        pytest.param("67.0", 400, "InvalidVersion", id="§1 to come"),
        pytest.param("v59.0", 400, "InvalidVersion", id="§1 no v"),
        pytest.param("59", 400, "InvalidVersion", id="no minor"),
    ],
)
async def test_versions(org: Bulk1, version: str, status: int, code: str) -> None:
    answer = await org.post_job(INSERT, path=f"{org.url}/services/async/{version}/job")
    assert answer.status_code == status
    assert re.findall(r"<exceptionCode>(\w+)", answer.text) == ([code] if code else [])


async def test_all_calls_for_a_job_use_the_version_it_was_made_with(org: Bulk1) -> None:
    job = await org.create()
    answer = await org.http.get(f"{org.url}/services/async/58.0/job/{job}")
    assert (answer.status_code, field(answer.text, "exceptionCode")) == (400, "InvalidVersion")


async def test_ids_have_18_characters_and_are_taken_with_15(org: Bulk1) -> None:
    job = await org.create("query")
    batch = await org.add(job, "SELECT Id FROM Contact")
    path = f"/job/{job[:15]}/batch/{batch[:15]}/result"
    result = field((await org.http.get(path)).text, "result")
    assert [(one[:3], len(one)) for one in (job, batch, result)] == [("750", 18), ("751", 18), ("752", 18)]
    assert (await org.http.get(f"{path}/{result[:15]}")).status_code == 200
