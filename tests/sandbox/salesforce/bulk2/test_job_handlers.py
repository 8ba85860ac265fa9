"""The job that a call names, and the users allowed to use it. salesforce_bulk.md §4.1, §4.3."""

import pytest

from sandbox.salesforce.faults import SlowJob
from tests.sandbox.salesforce.orgs import CONTACTS, INGEST, Served, error_of


@pytest.mark.parametrize("kind", ["successfulResults", "failedResults", "unprocessedrecords"])
async def test_results_wait_for_the_jobs_end(salesforce: Served, kind: str) -> None:
    await salesforce.control.add_fault(SlowJob(phase_s=10))
    job = await salesforce.load(CONTACTS)
    await salesforce.control.advance(10)
    assert error_of(await salesforce.http.get(f"{INGEST}/{job}/{kind}")) == (400, "INVALIDJOBSTATE")


async def test_only_creator_and_administrator_may_abort(salesforce: Served) -> None:
    job = await salesforce.create()
    path, body = f"{INGEST}/{job}", {"state": "Aborted"}
    other = await salesforce.http.patch(path, json=body, headers=salesforce.as_user("limited@example.com"))
    assert error_of(other)[0] == 403
    admin = await salesforce.http.patch(path, json=body, headers=salesforce.as_user("admin@example.com"))
    assert admin.status_code == 200


@pytest.mark.parametrize("job", ["750X00000000zzzIAA", "zz", "%FF"])
async def test_a_job_that_is_not_there_is_404(salesforce: Served, job: str) -> None:
    answer = await salesforce.http.get(f"{INGEST}/{job}")
    assert error_of(answer) == (404, "NOT_FOUND")
    assert answer.json()[0]["message"] == "The requested resource does not exist"


async def test_a_query_job_is_no_ingest_job(salesforce: Served) -> None:
    job = await salesforce.ask("SELECT Id FROM Contact")
    assert error_of(await salesforce.http.get(f"{INGEST}/{job}")) == (404, "NOT_FOUND")


async def test_an_id_of_15_characters_will_do(salesforce: Served) -> None:
    job = await salesforce.create()
    assert (await salesforce.info(job[:15]))["id"] == job
