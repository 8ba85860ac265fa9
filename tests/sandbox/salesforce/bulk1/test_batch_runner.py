"""Batches that are processed, their records and states. Ids name rows of salesforce_bulk.md §3, §6 and §7."""

import asyncio

import pytest

from sandbox.salesforce.faults import FailBatch, LockRows
from tests.sandbox.salesforce.bulk1.client import Bulk1, field, rows
from tests.sandbox.salesforce.orgs import BAD_CSV


async def test_each_operation_has_its_effect_and_can_be_read_back(org: Bulk1) -> None:
    made = rows(await org.load("insert", "LastName,Ext__c", "Berg,A-1", "Lind,A-2"))
    first, second = (row[0] for row in made)
    await org.load("update", "Id,LastName", f"{first},Berger")
    upserted = rows(await org.load("upsert", "Ext__c,LastName", "A-2,Linde", "A-3,Nord", external_id="Ext__c"))
    assert [row[2] for row in upserted] == ["false", "true"]
    assert rows(await org.load("delete", "Id", second)) == [[second, "true", "false", ""]]
    found = await org.query("SELECT LastName FROM Contact ORDER BY LastName")
    assert rows(found) == [["Berger"], ["Nord"]]
    everything = await org.query("SELECT LastName FROM Contact ORDER BY LastName", operation="queryAll")
    assert rows(everything) == [["Berger"], ["Linde"], ["Nord"]]
    await org.load("hardDelete", "Id", first)
    assert rows(await org.query("SELECT LastName FROM Contact")) == [["Nord"]]


@pytest.mark.parametrize(
    ("operation", "body", "message"),
    [
        pytest.param("insert", "LastName,Foo\nBerg,1", "Field name not found : Foo", id="§3.10 Field name not found"),
        pytest.param("delete", "Id,LastName\n003,x", "The 'delete' batch must contain only ids", id="§3.10 only ids"),
        pytest.param("hardDelete", "LastName\nx", "The 'hardDelete' batch must contain only ids", id="§3.5 only Id"),
        pytest.param(
            "insert",
            "LastName" + "\nBerg" * 10_002,
            "Exceeded number of records: 10002. Number of records should be less than or equal to 10001",
            id="§3.10 Exceeded number of records",
        ),
        pytest.param("insert", "LastName\n", "Records not found for this batch", id="§7 header only"),
        pytest.param("insert", "LastName;Title\nBerg;Dr", "Field name not found : LastName;Title", id="§6 comma only"),
        *(pytest.param("insert", *one.values, None, id=one.id) for one in BAD_CSV),
    ],
)
async def test_content_is_checked_later(org: Bulk1, operation: str, body: str | bytes, message: str | None) -> None:
    job = await org.create(operation)
    found = await org.info(job, await org.add(job, body))
    assert found["state"] == "Failed"
    assert found["stateMessage"].startswith("InvalidBatch : ")
    assert message is None or found["stateMessage"] == f"InvalidBatch : {message}"
    assert await org.control.ledger() == []


@pytest.mark.parametrize("count", [pytest.param(10_000, id="the limit"), pytest.param(10_001, id="one more")])
async def test_that_many_records_are_taken(org: Bulk1, count: int) -> None:
    job = await org.create()
    await org.add(job, "LastName" + "\nBerg" * count)
    assert (await org.info(job))["numberRecordsProcessed"] == str(count)


async def test_completed_says_nothing_of_the_rows(org: Bulk1) -> None:
    job = await org.create()
    batch = await org.add(job, "FirstName" + "\nx" * 251)
    found = await org.info(job)
    assert await org.state(job, batch) == "Completed"
    assert (found["numberRecordsProcessed"], found["numberRecordsFailed"]) == ("251", "251")


async def test_a_failed_batch_may_have_rows_written(org: Bulk1) -> None:
    job = await org.create()
    await org.control.add_fault(FailBatch(rows_written=2))
    batch = await org.add(job, "LastName\nBerg\nLind\nNord")
    found = await org.info(job, batch)
    assert (found["state"], found["numberRecordsProcessed"]) == ("Failed", "2")
    results = rows((await org.http.get(f"/job/{job}/batch/{batch}/result")).text)
    assert [row[1] for row in results] == ["true", "true"]
    assert rows(await org.query("SELECT LastName FROM Contact")) == [["Berg"], ["Lind"]]


async def test_a_failed_batch_without_rows_has_no_results(org: Bulk1) -> None:
    job = await org.create()
    await org.control.add_fault(FailBatch())
    batch = await org.add(job, "LastName\nBerg")
    answer = await org.http.get(f"/job/{job}/batch/{batch}/result")
    assert (answer.status_code, field(answer.text, "exceptionMessage")) == (400, "Records not processed")


async def test_rows_may_be_locked_n_times_and_then_not(org: Bulk1) -> None:
    await org.control.add_fault(LockRows(rows=1, times=2))
    found = [rows(await org.load("insert", "LastName", "Berg", "Lind")) for _ in range(3)]
    assert [[row[1] for row in one] for one in found] == [["false", "true"], ["false", "true"], ["true", "true"]]
    assert found[0][0][3].startswith("UNABLE_TO_LOCK_ROW:")


async def test_batch_and_job_states_add_up(org: Bulk1) -> None:
    job = await org.create()
    await org.add(job, "LastName\nBerg")
    await org.add(job, "Foo\nBerg")
    found = await org.info(job)
    names = ("Queued", "InProgress", "Completed", "Failed", "Total")
    assert [found[f"numberBatches{name}"] for name in names] == ["0", "0", "1", "1", "2"]


async def test_two_clients_never_see_half_a_batch(org: Bulk1) -> None:
    loads, reads = await org.create(), await org.create("query")

    async def read() -> int:
        batch = await org.add(reads, "SELECT Id FROM Contact")
        return int((await org.info(reads, batch))["numberRecordsProcessed"])

    body = "LastName" + "\nBerg" * 500
    found = await asyncio.gather(*(work() for _ in range(8) for work in (lambda: org.add(loads, body), read)))
    assert {count % 500 for count in found if isinstance(count, int)} == {0}
    assert await read() == 8 * 500
