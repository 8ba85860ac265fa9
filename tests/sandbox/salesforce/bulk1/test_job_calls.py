"""Making, closing and aborting jobs. Ids name the rows and sentences of salesforce_bulk.md §3.3, §3.4 and §3.10."""

import pytest

from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.bulk1.client import (
    ADMIN,
    CSV,
    JSON,
    LIMITED,
    NAMESPACE,
    XML,
    Bulk1,
    bulk1_org,
    field,
    fields,
    job_xml,
)

SLOW = Settings(queued_s=10, in_progress_s=10)


async def _refusal(org: Bulk1, **named: str) -> tuple[int, str, str]:
    answer = await org.post_job(job_xml(**named))
    found = fields(answer.text)
    return answer.status_code, found.get("exceptionCode", ""), found.get("exceptionMessage", "")


@pytest.mark.parametrize(
    "operation",
    ["insert", "update", "upsert", "delete", "hardDelete", "query", "queryAll"],
    ids="§3.3 {}".format,
)
async def test_operations(org: Bulk1, operation: str) -> None:
    job = await org.create(operation, external_id="Ext__c" if operation == "upsert" else "")
    assert (await org.info(job))["operation"] == operation


@pytest.mark.parametrize("operation", ["INSERT", "harddelete", "merge", ""])
async def test_operations_are_case_sensitive(org: Bulk1, operation: str) -> None:
    assert (await _refusal(org, operation=operation, object="Contact"))[:2] == (400, "InvalidOperation")


@pytest.mark.parametrize("name", ["user", "User", "USER"])
async def test_objects_are_found_in_any_case(org: Bulk1, name: str) -> None:
    assert (await org.info(await org.create("query", name)))["object"] == "User"


@pytest.mark.parametrize(
    ("named", "refusal"),
    [
        pytest.param({"object": ""}, "InvalidJob", id="no object"),
        pytest.param({"object": "Foo"}, "InvalidEntity", id="unknown object"),
        pytest.param({"object": "ContentBody"}, "InvalidEntity", id="not for bulk"),
        pytest.param({"operation": "upsert"}, "InvalidJob", id="§3.3 upsert needs an external id"),
        pytest.param({"operation": "upsert", "externalIdFieldName": "LastName"}, "InvalidJob", id="no external id"),
        pytest.param({"externalIdFieldName": "Ext__c"}, "InvalidJob", id="§3.3 external id refused otherwise"),
        pytest.param({"concurrencyMode": "parallel"}, "InvalidJob", id="unknown concurrencyMode"),
        pytest.param({"contentType": "csv"}, "UnsupportedContentType", id="unknown contentType"),
        pytest.param({"operation": "query", "contentType": "ZIP_CSV"}, "InvalidJob", id="a query by ZIP"),
        pytest.param({"state": "Open"}, "InvalidJob", id="a state"),
        pytest.param({"foo": "1"}, "InvalidJob", id="unknown element"),
    ],
)
async def test_refused_jobs(org: Bulk1, named: dict[str, str], refusal: str) -> None:
    assert (await _refusal(org, **{"operation": "insert", "object": "Contact", **named}))[:2] == (400, refusal)


async def test_upsert_without_an_external_id_says_so(org: Bulk1) -> None:
    message = "External ID was blank for Contact. An External ID must be specified for upsert."
    assert await _refusal(org, operation="upsert", object="Contact") == (400, "InvalidJob", message)


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        pytest.param("contentType", "", "XML", id="§3.3 contentType defaults to XML"),
        *(
            pytest.param("contentType", name, name, id=f"§3.3 {name}")
            for name in ("XML", "CSV", "JSON", "ZIP_XML", "ZIP_CSV", "ZIP_JSON")
        ),
        pytest.param("concurrencyMode", "", "Parallel", id="§3.3 concurrencyMode defaults to Parallel"),
        pytest.param("concurrencyMode", "Serial", "Serial", id="§3.3 Serial"),
        pytest.param("assignmentRuleId", "01QX00000000001AAA", "01QX00000000001AAA", id="§3.3 assignmentRuleId"),
    ],
)
async def test_fields_are_shown_as_given_or_by_default(org: Bulk1, name: str, given: str, shown: str) -> None:
    content = job_xml(operation="insert", object="Lead", **{name: given})
    answer = await org.post_job(content)
    assert (answer.status_code, field(answer.text, name)) == (201, shown)


@pytest.mark.parametrize("content_type", ["", XML, JSON, CSV, "text/plain", "nonsense"])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f'<jobInfo xmlns="{NAMESPACE}"><state>Closed</state></jobInfo>', id="XML"),
        pytest.param('{"state": "Closed"}', id="JSON"),
    ],
)
async def test_a_close_body_may_have_any_content_type(org: Bulk1, body: str, content_type: str) -> None:
    job = await org.create()
    answer = await org.http.post(f"/job/{job}", content=body, headers={"content-type": content_type})
    assert (answer.status_code, field(answer.text, "state")) == (200, "Closed")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"state": "Closed", "object": "Contact"}', id="§3.4 naming another field"),
        pytest.param('{"object": "Contact"}', id="no state"),
        pytest.param("[]", id="no object"),
        pytest.param("", id="nothing"),
        pytest.param('{"state": "Open"}', id="Open"),
        pytest.param('{"state": "Failed"}', id="Failed"),
        pytest.param('{"state": null}', id="null"),
    ],
)
async def test_a_change_is_of_the_state_to_closed_or_aborted_only(org: Bulk1, body: str) -> None:
    job = await org.create()
    assert (await org.http.post(f"/job/{job}", content=body)).status_code == 400
    assert (await org.info(job))["state"] == "Open"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        pytest.param(["Closed"], "Closed", id="§3.10 Open → Closed"),
        pytest.param(["Aborted"], "Aborted", id="§3.10 Open → Aborted"),
        pytest.param(["Closed", "Closed"], "Closed", id="§3.4 close of a closed job: unchanged"),
        pytest.param(["Closed", "Aborted"], "Aborted", id="abort of a closed job"),
        pytest.param(["Aborted", "Aborted"], "Aborted", id="abort of an aborted job"),
        pytest.param(["Aborted", "Closed"], "InvalidJobState", id="§3.4 close of an aborted job"),
    ],
)
async def test_state_changes(org: Bulk1, changes: list[str], outcome: str) -> None:
    job = await org.create()
    answers = [await org.change(job, state) for state in changes]
    found = fields(answers[-1].text)
    assert found.get("state", found.get("exceptionCode")) == outcome
    assert answers[-1].status_code == (400 if outcome == "InvalidJobState" else 200)


@pytest.mark.parametrize(
    ("state", "who", "outcome"),
    [
        pytest.param("Closed", ADMIN, "InvalidUser", id="§3.4 only the creator may close"),
        pytest.param("Aborted", ADMIN, "Aborted", id="§3.4 any permitted user may abort"),
        pytest.param("Aborted", LIMITED, "InvalidUser", id="§3.4 no other"),
    ],
)
async def test_who_may_change_a_job(org: Bulk1, state: str, who: str, outcome: str) -> None:
    job = await org.create()
    found = fields((await org.change(job, state, headers=org.session(who))).text)
    assert found.get("state", found.get("exceptionCode")) == outcome


async def test_closing_stops_new_batches_but_not_those_that_are_there() -> None:
    async with bulk1_org(SLOW) as org:
        job = await org.create()
        batch = await org.add(job, "LastName\nBerg")
        await org.change(job, "Closed")
        late = await org.post_batch(job, "LastName\nLind")
        assert field(late.text, "exceptionCode") == "InvalidJobState"
        assert await org.state(job, batch) == "Queued"
        await org.control.advance(20)
        assert await org.state(job, batch) == "Completed"


async def test_batches_start_on_arrival_before_the_close(org: Bulk1) -> None:
    job = await org.create()
    batch = await org.add(job, "LastName\nBerg")
    assert ((await org.info(job))["state"], await org.state(job, batch)) == ("Open", "Completed")
    assert len(await org.control.ledger()) == 1


async def test_abort_leaves_queued_batches_unprocessed_and_rolls_nothing_back() -> None:
    async with bulk1_org(Settings(queued_s=10, in_progress_s=10)) as org:
        job = await org.create()
        done = await org.add(job, "LastName\nDone")
        await org.control.advance(10)
        busy = await org.add(job, "LastName\nBusy")
        await org.control.advance(10)
        queued = await org.add(job, "LastName\nQueued")
        assert [await org.state(job, one) for one in (done, busy, queued)] == ["Completed", "InProgress", "Queued"]
        await org.change(job, "Aborted")
        await org.control.advance(60)
        assert [await org.state(job, one) for one in (done, busy, queued)] == ["Completed", "Completed", "NotProcessed"]
        assert len(await org.control.ledger()) == 2


async def test_jobs_belong_to_the_user_and_outlive_the_session(org: Bulk1) -> None:
    job = await org.create()
    await org.control.expire_tokens()
    answer = await org.http.get(f"/job/{job}")
    assert (answer.status_code, field(answer.text, "exceptionCode")) == (400, "InvalidSessionId")
    org.http.headers.update(org.session())
    assert (await org.change(job, "Closed")).status_code == 200
