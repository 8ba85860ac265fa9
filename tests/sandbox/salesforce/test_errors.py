"""Refused calls of Bulk API 2.0, budgets, and faults. salesforce_bulk.md §1, §4.3, §7, §9."""

from typing import Any

import httpx
import pytest

from sandbox.faults.fault import DropAfter, ShuffleResults, Status
from sandbox.salesforce.faults import FailBatch, NearlyUsedUp, SlowJob
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import CONTACTS, INGEST, QUERY, Served, error_of, org

LIMITS = "/services/data/v59.0/limits"
UPSERT = {"object": "Contact", "operation": "upsert", "externalIdFieldName": "Ext__c"}


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


@pytest.mark.parametrize(
    "content_type", [pytest.param("text/plain", id="create"), pytest.param("", id="create without a type")]
)
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


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        pytest.param({"job": (None, "{}")}, "CLIENTINPUTERROR", id="no content"),
        pytest.param({"job": (None, "{"), "content": ("content", "a\n")}, "JSON_PARSER_ERROR", id="no JSON"),
        pytest.param(
            {"job": (None, '{"object": "Contact", "operation": "insert"}'), "content": ("content", "")},
            "CLIENTINPUTERROR",
            id="empty content",
        ),
    ],
)
async def test_a_multipart_create_has_both_parts(salesforce: Served, parts: Any, code: str) -> None:
    assert error_of(await salesforce.http.post(INGEST, files=parts)) == (400, code)


async def test_a_multipart_create_that_is_cut_off_is_refused(salesforce: Served) -> None:
    """§4.1: a job of a part of its rows would be none."""
    parts = [("job", '{"object": "Contact", "operation": "insert"}'), ("content", "LastName\nAnn\nBo")]
    text = "".join(f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{part}\r\n' for name, part in parts)
    headers = {"content-type": "multipart/form-data; boundary=B"}
    assert error_of(await salesforce.http.post(INGEST, content=text, headers=headers)) == (400, "CLIENTINPUTERROR")


async def test_a_job_without_data_cannot_start(salesforce: Served) -> None:
    job = await salesforce.create()
    assert error_of(await salesforce.patch(job, "UploadComplete")) == (400, "INVALIDJOBSTATE")


@pytest.mark.parametrize("state", ["UploadComplete", "Aborted", "Closed"])
async def test_a_job_that_is_over_changes_no_more(salesforce: Served, state: str) -> None:
    job = await salesforce.load(CONTACTS)
    assert error_of(await salesforce.patch(job, state)) == (400, "INVALIDJOBSTATE")


async def test_a_patch_names_nothing_but_the_state(salesforce: Served) -> None:
    answer = await salesforce.http.patch(
        f"{INGEST}/{await salesforce.create()}", json={"state": "Aborted", "object": "Contact"}
    )
    assert error_of(answer) == (400, "JSON_PARSER_ERROR")


async def test_an_aborted_job_takes_no_data(salesforce: Served) -> None:
    job = await salesforce.create()
    await salesforce.patch(job, "Aborted")
    assert error_of(await salesforce.upload(job, CONTACTS)) == (400, "INVALIDJOBSTATE")


@pytest.mark.parametrize("kind", ["successfulResults", "failedResults", "unprocessedrecords"])
async def test_results_wait_for_the_jobs_end(salesforce: Served, kind: str) -> None:
    await salesforce.control.add_fault(SlowJob(phase_s=10))
    job = await salesforce.load(CONTACTS)
    await salesforce.control.advance(10)
    assert error_of(await salesforce.http.get(f"{INGEST}/{job}/{kind}")) == (400, "INVALIDJOBSTATE")


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


async def test_only_creator_and_administrator_may_abort(salesforce: Served) -> None:
    job = await salesforce.create()
    path, body = f"{INGEST}/{job}", {"state": "Aborted"}
    other = await salesforce.http.patch(path, json=body, headers=salesforce.as_user("limited@example.com"))
    assert error_of(other)[0] == 403
    admin = await salesforce.http.patch(path, json=body, headers=salesforce.as_user("admin@example.com"))
    assert admin.status_code == 200


@pytest.mark.parametrize(
    "job",
    [
        pytest.param("750X00000000zzzIAA", id="unknown"),
        pytest.param("zz", id="no id"),
        pytest.param("%FF", id="no text"),
    ],
)
async def test_a_job_that_is_not_there_is_404(salesforce: Served, job: str) -> None:
    answer = await salesforce.http.get(f"{INGEST}/{job}")
    assert error_of(answer) == (404, "NOT_FOUND")
    assert answer.json()[0]["message"] == "The requested resource does not exist"


async def test_a_query_job_is_no_ingest_job(salesforce: Served) -> None:
    body = {"operation": "query", "query": "SELECT Id FROM Contact"}
    job = (await salesforce.http.post(QUERY, json=body)).json()["id"]
    assert error_of(await salesforce.http.get(f"{INGEST}/{job}")) == (404, "NOT_FOUND")


async def test_another_method_is_405(salesforce: Served) -> None:
    assert error_of(await salesforce.http.put(INGEST)) == (405, "METHOD_NOT_ALLOWED")


async def test_another_path_is_404(salesforce: Served) -> None:
    assert error_of(await salesforce.http.get("/services/data/v59.0/foo")) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("version", "status"),
    [
        pytest.param("v7.0", 410, id="§1 retired Summer '22"),
        pytest.param("v30.0", 410, id="§1 retired Summer '25"),
        pytest.param("v31.0", 200, id="§1 oldest"),
        pytest.param("v66.0", 200, id="§1 newest"),
        pytest.param("v67.0", 404, id="not yet"),
        pytest.param("59.0", 404, id="without v"),
    ],
)
async def test_versions_31_to_66_are_served(salesforce: Served, version: str, status: int) -> None:
    assert (await salesforce.http.get(f"/services/data/{version}/limits")).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"authorization": ""}, id="none"),
        pytest.param({"authorization": "Bearer dead"}, id="unknown"),
        pytest.param({"authorization": "Basic dead"}, id="another scheme"),
    ],
)
async def test_without_a_session_nothing_is_answered(salesforce: Served, headers: dict[str, str]) -> None:
    answer = await salesforce.http.post(INGEST, json=UPSERT, headers=headers)
    assert error_of(answer) == (401, "INVALID_SESSION_ID")
    assert answer.json()[0]["message"] == "Session expired or invalid"


async def test_limits_count_what_was_used(salesforce: Served) -> None:
    await salesforce.load(CONTACTS)
    limits = (await salesforce.http.get(LIMITS)).json()
    assert limits["DailyApiRequests"] == {"Max": 1_000_000, "Remaining": 999_996}
    assert limits["DailyBulkApiBatches"] == {"Max": 15_000, "Remaining": 14_999}


async def test_every_answer_tells_the_usage(salesforce: Served) -> None:
    answers = [await salesforce.http.get(LIMITS) for _ in range(2)]
    assert [one.headers["sforce-limit-info"] for one in answers] == ["api-usage=1/1000000", "api-usage=2/1000000"]


async def test_the_days_calls_run_out_and_come_back() -> None:
    async with org(Settings(daily_api_requests=2, session_lifetime_s=10**6)) as served:
        answers = [await served.http.get(LIMITS) for _ in range(3)]
        assert error_of(answers[2]) == (403, "REQUEST_LIMIT_EXCEEDED")
        await served.control.advance(86_460)
        assert (await served.http.get(LIMITS)).status_code == 200


async def test_the_days_budget_may_be_nearly_used_up(salesforce: Served) -> None:
    await salesforce.control.add_fault(NearlyUsedUp(api_requests_left=5, batches_left=1))
    assert (await salesforce.http.get(LIMITS)).json()["DailyBulkApiBatches"]["Remaining"] == 1
    job = await salesforce.create()
    await salesforce.upload(job, CONTACTS)
    assert (await salesforce.patch(job, "UploadComplete")).status_code == 200
    assert (await salesforce.http.get(LIMITS)).json()["DailyBulkApiBatches"]["Remaining"] == 0
    assert error_of(await salesforce.http.get(LIMITS)) == (403, "REQUEST_LIMIT_EXCEEDED")


async def test_without_batches_left_no_job_starts() -> None:
    async with org(Settings(daily_batches=1)) as served:
        await served.load(CONTACTS)
        job = await served.create()
        await served.upload(job, CONTACTS)
        assert error_of(await served.patch(job, "UploadComplete")) == (400, "EXCEEDEDQUOTA")


async def test_a_job_that_runs_out_of_batches_fails_half_written() -> None:
    async with org(Settings(daily_batches=1, internal_batch_rows=1)) as served:
        info = await served.info(await served.load("LastName\nBerg\nLind\n", "insert"))
        assert info["errorMessage"] == "ExceededQuota : ApiBatchItems Limit exceeded."
        assert (info["state"], info["numberRecordsProcessed"]) == ("Failed", 1)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        pytest.param(500, "UNKNOWN_EXCEPTION", id="§4.3 UNKNOWN_EXCEPTION"),
        pytest.param(503, "SERVER_UNAVAILABLE", id="§4.3 SERVER_UNAVAILABLE"),
        pytest.param(403, "REQUEST_LIMIT_EXCEEDED", id="§4.3 REQUEST_LIMIT_EXCEEDED concurrent"),
    ],
)
async def test_server_trouble_can_be_switched_on(salesforce: Served, status: int, code: str) -> None:
    body = f'[{{"errorCode": "{code}", "message": "x"}}]'
    content_type = "application/json;charset=UTF-8"
    await salesforce.control.add_fault(Status(status=status, body=body, content_type=content_type))
    assert error_of(await salesforce.http.get(LIMITS)) == (status, code)


async def test_a_dropped_start_may_have_begun(salesforce: Served) -> None:
    job = await salesforce.create()
    await salesforce.upload(job, CONTACTS)
    await salesforce.control.add_fault(DropAfter(method="PATCH"))
    with pytest.raises(httpx.HTTPError):
        await salesforce.patch(job, "UploadComplete")
    assert (await salesforce.info(job))["state"] == "JobComplete"


async def test_a_dropped_upload_leaves_the_jobs_one_put_used(salesforce: Served) -> None:
    job = await salesforce.create()
    await salesforce.control.add_fault(DropAfter(method="PUT"))
    with pytest.raises(httpx.HTTPError):
        await salesforce.upload(job, CONTACTS)
    assert error_of(await salesforce.upload(job, CONTACTS)) == (400, "INVALIDJOB")


async def test_results_can_be_shuffled_where_an_org_keeps_their_order() -> None:
    async with org(Settings(shuffle_results=False)) as served:
        keys = [f"K-{number}" for number in range(50)]
        job = await served.load("Ext__c,LastName\n" + "".join(f"{key},Berg\n" for key in keys))
        assert [row["Ext__c"] for row in await served.results(job)] == keys
        await served.control.add_fault(ShuffleResults())
        assert [row["Ext__c"] for row in await served.results(job)] != keys


async def test_a_fault_names_the_requests_it_meets(salesforce: Served) -> None:
    job = await salesforce.create()
    await salesforce.upload(job, CONTACTS)
    await salesforce.control.add_fault(FailBatch(path=f"{INGEST}/{job}"))
    other = await salesforce.load(CONTACTS)
    await salesforce.patch(job, "UploadComplete")
    states = [(await salesforce.info(one))["state"] for one in (other, job)]
    assert states == ["JobComplete", "Failed"]


async def test_results_are_compressed_for_who_takes_it(salesforce: Served) -> None:
    job = await salesforce.load(CONTACTS)
    path = f"{INGEST}/{job}/successfulResults"
    packed = await salesforce.http.get(path, headers={"accept-encoding": "gzip"})
    plain = await salesforce.http.get(path, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text


async def test_reset_leaves_an_org_as_new(salesforce: Served) -> None:
    await salesforce.load(CONTACTS)
    await salesforce.control.reset()
    state = await salesforce.control.state()
    assert (state["jobs"], state["sessions"]) == (0, 0)
    assert state["records"] == {name: 3 if name == "User" else 0 for name in dict(state["records"])}  # type: ignore[call-overload]
