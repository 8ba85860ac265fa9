"""Jobs and counts as a test sees them, without a session of its own."""

from sandbox.salesforce.control import SalesforceControl
from tests.sandbox.salesforce.bulk1.client import bulk1_org
from tests.sandbox.salesforce.orgs import CLIENT, CONTACTS, LIMITS, Served


async def test_jobs_of_either_api_are_listed_with_their_user(salesforce: Served) -> None:
    ingest, query = await salesforce.load(CONTACTS), await salesforce.ask("SELECT Id FROM Account")
    async with SalesforceControl(salesforce.url) as control:
        jobs = await control.jobs()
    assert [(job.id, job.job_type, job.operation, job.object, job.state) for job in jobs] == [
        (ingest, "V2Ingest", "upsert", "Contact", "JobComplete"),
        (query, "V2Query", "query", "Account", "JobComplete"),
    ]
    assert {job.created_by_id for job in jobs} == {"005X00000000001IAA"}


async def test_a_job_of_1_0_is_listed_and_aborted() -> None:
    async with bulk1_org() as org, SalesforceControl(org.url) as control:
        await org.create()
        [job] = await control.jobs()
        await control.abort_job(job.id)
        assert [(one.job_type, one.state) for one in await control.jobs()] == [("Classic", "Aborted")]


async def test_calls_are_counted_by_api_and_budgets_by_use(salesforce: Served) -> None:
    await salesforce.http.post("/services/oauth2/token", data={"grant_type": "client_credentials", **CLIENT})
    job = await salesforce.load(CONTACTS)
    await salesforce.http.get(LIMITS)
    await salesforce.http.get(f"/services/async/59.0/job/{job}")
    async with SalesforceControl(salesforce.url) as control:
        assert await control.calls() == {"login": 1, "bulk2": 3, "rest": 1, "bulk1": 1}
        assert await control.used() == {"api_requests": 5, "batches": 1, "query_jobs": 0}
