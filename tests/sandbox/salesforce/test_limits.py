"""The day's budgets of calls and batches. salesforce_bulk.md §7, §9."""

from sandbox.salesforce.faults import NearlyUsedUp
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import CONTACTS, LIMITS, Served, error_of, org


async def test_limits_count_what_was_used(salesforce: Served) -> None:
    await salesforce.load(CONTACTS)
    limits = (await salesforce.http.get(LIMITS)).json()
    assert limits["DailyApiRequests"] == {"Max": 1_000_000, "Remaining": 999_996}
    assert limits["DailyBulkApiBatches"] == {"Max": 15_000, "Remaining": 14_999}


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
