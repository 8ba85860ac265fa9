"""Refusals of the endpoints under ``/_sandbox/jobs``."""

from tests.sandbox.salesforce.orgs import CONTACTS, Served


async def test_a_job_that_is_over_is_not_aborted(salesforce: Served) -> None:
    job = await salesforce.load(CONTACTS)
    answer = await salesforce.http.post(f"/_sandbox/jobs/{job}/abort")
    assert (answer.status_code, "JobComplete" in answer.json()["error"]) == (400, True)


async def test_a_job_that_is_not_there_is_not_aborted(salesforce: Served) -> None:
    answer = await salesforce.http.post("/_sandbox/jobs/zz/abort")
    assert (answer.status_code, answer.json()) == (404, {"error": "expected the id of a job; came zz"})
