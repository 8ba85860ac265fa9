"""Results of ingest jobs. salesforce_bulk.md §4.1."""

import pytest

from sandbox.faults.fault import ShuffleResults
from sandbox.salesforce.faults import FailBatch, ReformatNumbers
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import CONTACTS, INGEST, Served, org


async def test_results_can_be_shuffled_where_an_org_keeps_their_order() -> None:
    async with org(Settings(shuffle_results=False)) as served:
        keys = [f"K-{number}" for number in range(50)]
        job = await served.load("Ext__c,LastName\n" + "".join(f"{key},Berg\n" for key in keys))
        assert [row["Ext__c"] for row in await served.results(job)] == keys
        await served.control.add_fault(ShuffleResults())
        assert [row["Ext__c"] for row in await served.results(job)] != keys


async def test_successful_results_are_the_uploaded_columns_behind_id_and_created(salesforce: Served) -> None:
    job = await salesforce.load(CONTACTS)
    answer = await salesforce.http.get(f"{INGEST}/{job}/successfulResults/")
    [row] = await salesforce.query("SELECT Id FROM Contact")
    assert answer.headers["content-type"] == "text/csv;charset=UTF-8"
    assert answer.text == (
        f'"sf__Id","sf__Created","Ext__c","LastName","Email"\n"{row["Id"]}","true","A-1","Berg","berg@example.com"\n'
    )


async def test_failed_results_are_the_documents_bytes(salesforce: Served) -> None:
    job = await salesforce.load("Ext__c,LastName\nA-2,\n")
    answer = await salesforce.http.get(f"{INGEST}/{job}/failedResults/")
    assert answer.text == (
        '"sf__Id","sf__Error","Ext__c","LastName"\n'
        '"","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --","A-2",""\n'
    )


@pytest.mark.parametrize("spelling", ["unprocessedrecords", "unprocessedRecords", "UNPROCESSEDRECORDS/"])
async def test_unprocessed_records_are_the_uploaded_columns_only(salesforce: Served, spelling: str) -> None:
    await salesforce.control.add_fault(FailBatch(rows_written=1))
    job = await salesforce.load("Ext__c,LastName\nA-1,Berg\nA-2,#N/A\n")
    answer = await salesforce.http.get(f"{INGEST}/{job}/{spelling}")
    assert answer.text == '"Ext__c","LastName"\n"A-2","#N/A"\n'


async def test_results_come_in_another_order_than_the_upload(salesforce: Served) -> None:
    keys = [f"K-{number}" for number in range(100)]
    job = await salesforce.load("Ext__c,LastName\n" + "".join(f"{key},Berg\n" for key in keys))
    found = [row["Ext__c"] for row in await salesforce.results(job)]
    assert sorted(found) == sorted(keys)
    assert found != keys


async def test_numbers_may_come_back_reformatted(salesforce: Served) -> None:
    job = await salesforce.load("Ext__c,LastName\n912260031,Berg\n")
    await salesforce.control.add_fault(ReformatNumbers())
    [row] = await salesforce.results(job)
    assert row["Ext__c"] == "9.12260031E8"


async def test_failed_results_have_no_ids_before_53(salesforce: Served) -> None:
    await salesforce.load("Ext__c,LastName\nA-1,Berg\n")
    job = await salesforce.load("Ext__c,Email\nA-1,no-email\n", object_name="Contact")
    for version, has_id in (("v52.0", False), ("v53.0", True)):
        answer = await salesforce.http.get(f"{INGEST.replace('v59.0', version)}/{job}/failedResults")
        assert ('"003' in answer.text) == has_id


async def test_only_columns_that_are_spelt_exactly_are_echoed(salesforce: Served) -> None:
    """§13.2"""
    await salesforce.load("Ext__c,Name\nE-1,Alder\n", object_name="Account")
    header = "ext__c,LastName,account.Ext__c,EMAIL,Title"
    job = await salesforce.load(f'{header}\nA-1,Berg,E-1,,"a ""b"""\nA-2,,E-1,,\n')
    [done], [failed] = await salesforce.results(job), await salesforce.results(job, "failedResults")
    assert list(done) == ["sf__Id", "sf__Created", "LastName", "Title"]
    assert (done["LastName"], done["Title"]) == ("Berg", 'a "b"')
    assert list(failed) == ["sf__Id", "sf__Error", "LastName", "Title"]


async def test_results_without_any_echoed_column_have_their_own_alone(salesforce: Served) -> None:
    job = await salesforce.load("ext__c,lastname\nA-1,Berg\n")
    answer = await salesforce.http.get(f"{INGEST}/{job}/successfulResults")
    assert [line.count('"') for line in answer.text.splitlines()] == [4, 4]


async def test_unprocessed_records_keep_columns_of_any_spelling(salesforce: Served) -> None:
    await salesforce.control.add_fault(FailBatch(rows_written=1))
    job = await salesforce.load("ext__c,LastName\nA-1,Berg\nA-2,Lind\n")
    assert await salesforce.results(job, "unprocessedrecords") == [{"ext__c": "A-2", "LastName": "Lind"}]
