"""Lists of jobs. salesforce_bulk.md §4.1."""

from tests.sandbox.salesforce.orgs import CONTACTS, INGEST, QUERY, Served


async def test_the_list_holds_jobs_of_the_asked_type(salesforce: Served) -> None:
    ingest, query = await salesforce.load(CONTACTS), await salesforce.ask("SELECT Id FROM Contact")
    for base, job_type, expected in (
        (INGEST, "V2Ingest", [ingest]),
        (INGEST, "BigObjectIngest", []),
        (QUERY, "V2Query", [query]),
    ):
        listed = (await salesforce.http.get(base, params={"jobType": job_type})).json()
        assert [job["id"] for job in listed["records"]] == expected
        assert (listed["done"], listed["nextRecordsUrl"]) == (True, None)


async def test_the_list_has_1000_jobs_a_page(salesforce: Served) -> None:
    jobs = {await salesforce.create() for _ in range(1001)}
    first = (await salesforce.http.get(INGEST, params={"jobType": "V2Ingest"})).json()
    assert (first["done"], len(first["records"])) == (False, 1000)
    second = (await salesforce.http.get(first["nextRecordsUrl"])).json()
    assert (second["done"], second["nextRecordsUrl"]) == (True, None)
    assert {job["id"] for job in first["records"] + second["records"]} == jobs
