"""Calls of ingest jobs and their refusals. salesforce_bulk.md §4.1, §4.3."""

from typing import Any

import pytest

from sandbox.salesforce.faults import SlowJob
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import CONTACTS, INGEST, UPSERT, Served, error_of, org


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param({**UPSERT, "object": "Foo"}, "INVALIDENTITY", id="§4.3 INVALIDENTITY unknown"),
        pytest.param({**UPSERT, "object": "ContentBody"}, "INVALIDENTITY", id="§4.3 INVALIDENTITY not for bulk"),
        pytest.param({"object": "Contact", "operation": "upsert"}, "INVALIDJOB", id="§4.3 INVALIDJOB no external id"),
        pytest.param({**UPSERT, "externalIdFieldName": "Phone"}, "INVALIDJOB", id="no external id field"),
        pytest.param({**UPSERT, "operation": "insert"}, "INVALIDJOB", id="an external id for an insert"),
        pytest.param({**UPSERT, "operation": "UPSERT"}, "JSON_PARSER_ERROR", id="an operation in upper case"),
        pytest.param({**UPSERT, "foo": 1}, "JSON_PARSER_ERROR", id="an unknown member"),
        pytest.param({**UPSERT, "contentType": "JSON"}, "JSON_PARSER_ERROR", id="§1 CSV only"),
        pytest.param({**UPSERT, "concurrencyMode": "Serial"}, "JSON_PARSER_ERROR", id="§1 always Parallel"),
        pytest.param({**UPSERT, "columnDelimiter": ";"}, "JSON_PARSER_ERROR", id="a delimiter by its character"),
        pytest.param({"operation": "insert"}, "JSON_PARSER_ERROR", id="no object"),
        pytest.param([], "JSON_PARSER_ERROR", id="§4.3 JSON_PARSER_ERROR"),
    ],
)
async def test_a_job_that_cannot_be_is_refused(salesforce: Served, body: Any, code: str) -> None:
    assert error_of(await salesforce.http.post(INGEST, json=body)) == (400, code)


async def test_hard_delete_needs_its_permission(salesforce: Served) -> None:
    headers = salesforce.as_user("limited@example.com")
    body = {"object": "Contact", "operation": "hardDelete"}
    assert error_of(await salesforce.http.post(INGEST, json=body, headers=headers)) == (400, "FEATURENOTENABLED")


async def test_assignment_rules_came_with_49(salesforce: Served) -> None:
    body = {**UPSERT, "assignmentRuleId": "01QX00000000001"}
    assert (await salesforce.http.post(INGEST, json=body)).json()["assignmentRuleId"] == "01QX00000000001"
    older = await salesforce.http.post(INGEST.replace("v59.0", "v48.0"), json=body)
    assert error_of(older) == (400, "JSON_PARSER_ERROR")


@pytest.mark.parametrize("content_type", [pytest.param("text/plain", id="text"), pytest.param("", id="without a type")])
async def test_a_create_of_another_type_is_refused(salesforce: Served, content_type: str) -> None:
    answer = await salesforce.http.post(INGEST, content=b"{}", headers={"content-type": content_type})
    assert error_of(answer) == (400, "UNSUPPORTEDCONTENTTYPE")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"content-type": "text/csv; charset=UTF-8"}, 201, id="with a charset"),
        pytest.param({"content-type": "text/csv, charset=UTF-8"}, 201, id="§3.1 with a comma"),
        pytest.param({"content-type": "application/json"}, 400, id="JSON"),
        pytest.param({"content-type": "text/csv", "content-encoding": "gzip"}, 400, id="compressed"),
    ],
)
async def test_an_upload_is_csv(salesforce: Served, headers: dict[str, str], status: int) -> None:
    job = await salesforce.create()
    answer = await salesforce.http.put(f"{INGEST}/{job}/batches", content=CONTACTS, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("body", [b"", b" \n"])
async def test_an_empty_upload_is_refused(salesforce: Served, body: bytes) -> None:
    assert error_of(await salesforce.upload(await salesforce.create(), body)) == (400, "CLIENTINPUTERROR")


async def test_an_upload_is_measured_after_base64() -> None:
    async with org(Settings(max_upload_bytes=400)) as served:
        job = await served.create()
        answer = await served.upload(job, b"LastName\n" + b"x" * 292)
        assert error_of(answer) == (400, "CLIENTINPUTERROR")
        assert "Exceeded max size limit of 400" in answer.json()[0]["message"]
        assert (await served.upload(job, b"LastName\n" + b"x" * 291)).status_code == 201


async def test_a_patch_names_nothing_but_the_state(salesforce: Served) -> None:
    job = await salesforce.create()
    answer = await salesforce.http.patch(f"{INGEST}/{job}", json={"state": "Aborted", "object": "Contact"})
    assert error_of(answer) == (400, "JSON_PARSER_ERROR")


@pytest.mark.parametrize(
    ("after_s", "change", "state", "status"),
    [
        pytest.param(0, "", "Open", 400, id="§4.1 not in Open"),
        pytest.param(0, "UploadComplete", "UploadComplete", 204, id="§4.1 in UploadComplete"),
        pytest.param(10, "UploadComplete", "InProgress", 400, id="§4.1 not in InProgress"),
        pytest.param(20, "UploadComplete", "JobComplete", 204, id="§4.1 in JobComplete"),
        pytest.param(20, "Aborted", "Aborted", 204, id="§4.1 in Aborted"),
    ],
)
async def test_a_job_is_deleted_in_these_states(after_s: int, change: str, state: str, status: int) -> None:
    async with org(Settings(queued_s=10, in_progress_s=10)) as served:
        job = await served.create()
        await served.upload(job, CONTACTS)
        if change:
            await served.patch(job, change)
        await served.control.advance(after_s)
        assert (await served.info(job))["state"] == state
        answer = await served.http.delete(f"{INGEST}/{job}")
        assert answer.status_code == status
        assert status == 204 or error_of(answer) == (400, "API_ERROR")


async def test_a_failed_job_can_be_deleted(salesforce: Served) -> None:
    """§4.1 Delete works in Failed"""
    job = await salesforce.load("Foo\nx\n")
    assert (await salesforce.info(job))["state"] == "Failed"
    assert (await salesforce.http.delete(f"{INGEST}/{job}")).status_code == 204


async def test_create_answers_the_documents_members_in_its_order(salesforce: Served) -> None:
    answer = await salesforce.http.post(INGEST, json=UPSERT)
    job = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert list(job) == [
        *("id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "externalIdFieldName"),
        *("concurrencyMode", "contentType", "apiVersion", "contentUrl", "lineEnding", "columnDelimiter"),
    ]
    assert job["id"].startswith("750")
    assert len(job["id"]) == 18
    assert job["createdDate"].endswith("+0000")
    assert (job["state"], job["apiVersion"], job["concurrencyMode"]) == ("Open", 59.0, "Parallel")
    assert job["contentUrl"] == f"services/data/v59.0/jobs/ingest/{job['id']}/batches"


async def test_create_takes_a_trailing_slash(salesforce: Served) -> None:
    answer = await salesforce.http.post(f"{INGEST}/", json=UPSERT)
    assert answer.status_code == 200


async def test_upload_answers_201_and_nothing_else(salesforce: Served) -> None:
    answer = await salesforce.upload(await salesforce.create(), CONTACTS)
    assert (answer.status_code, answer.content) == (201, b"")


async def test_a_deleted_job_is_gone(salesforce: Served) -> None:
    job = await salesforce.load(CONTACTS)
    answer = await salesforce.http.delete(f"{INGEST}/{job}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert error_of(await salesforce.http.get(f"{INGEST}/{job}")) == (404, "NOT_FOUND")


async def test_a_job_deleted_while_it_waits_writes_nothing(salesforce: Served) -> None:
    await salesforce.control.add_fault(SlowJob(phase_s=10))
    job = await salesforce.load(CONTACTS)
    assert (await salesforce.http.delete(f"{INGEST}/{job}")).status_code == 204
    await salesforce.control.advance(60)
    assert (await salesforce.control.summary()).entries == 0
