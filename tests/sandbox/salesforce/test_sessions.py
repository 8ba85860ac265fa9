"""Sessions, which any use renews. salesforce_bulk.md §2.2."""

from tests.sandbox.salesforce.orgs import INGEST, Served, error_of


async def test_any_use_renews_a_session(salesforce: Served) -> None:
    for _ in range(3):
        await salesforce.control.advance(7199)
        assert (await salesforce.http.get(INGEST)).status_code == 200
    await salesforce.control.advance(7200)
    assert error_of(await salesforce.http.get(INGEST)) == (401, "INVALID_SESSION_ID")


async def test_jobs_outlive_their_session(salesforce: Served) -> None:
    job = await salesforce.create()
    await salesforce.control.expire_tokens()
    assert error_of(await salesforce.http.get(f"{INGEST}/{job}"))[0] == 401
    headers = salesforce.as_user()
    assert (await salesforce.http.get(f"{INGEST}/{job}", headers=headers)).status_code == 200
