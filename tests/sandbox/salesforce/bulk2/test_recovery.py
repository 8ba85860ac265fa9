"""State after a lost answer, in Bulk API 2.0. salesforce_bulk.md §8."""

from collections.abc import Awaitable

import httpx
import pytest

from sandbox.faults.fault import DropAfter, DropBefore
from tests.sandbox.salesforce.orgs import CONTACTS, INGEST, Served, error_of


async def _lose(salesforce: Served, fault: DropBefore | DropAfter, call: Awaitable[object]) -> None:
    await salesforce.control.add_fault(fault)
    with pytest.raises(httpx.HTTPError):
        await call


async def test_a_lost_create_leaves_an_open_job_that_the_list_shows(salesforce: Served) -> None:
    """§8 Create job times out."""
    await _lose(salesforce, DropAfter(), salesforce.create())
    [orphan] = (await salesforce.http.get(INGEST, params={"jobType": "V2Ingest"})).json()["records"]
    assert (orphan["state"], orphan["createdById"]) == ("Open", "005X00000000001IAA")
    assert (await salesforce.patch(orphan["id"], "Aborted")).status_code == 200


async def test_after_a_lost_put_a_new_job_is_safe(salesforce: Served) -> None:
    """§8 2.0 PUT times out."""
    job = await salesforce.create()
    await _lose(salesforce, DropAfter(method="PUT"), salesforce.upload(job, CONTACTS))
    assert (await salesforce.patch(job, "Aborted")).status_code == 200
    await salesforce.load(CONTACTS)
    summary = await salesforce.control.summary()
    assert summary.effects == {"Contact": {"CREATED": 1, "REQUIRED_FIELD_MISSING": 1}}


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        pytest.param(DropBefore(method="PATCH"), "Open", id="§8 PATCH lost before: Open, repeat"),
        pytest.param(DropAfter(method="PATCH"), "JobComplete", id="§8 PATCH lost after: later, go on polling"),
    ],
)
async def test_a_lost_start_is_told_by_the_state(salesforce: Served, fault: DropBefore | DropAfter, state: str) -> None:
    job = await salesforce.create()
    await salesforce.upload(job, CONTACTS)
    await _lose(salesforce, fault, salesforce.patch(job, "UploadComplete"))
    assert (await salesforce.info(job))["state"] == state


@pytest.mark.parametrize(("operation", "again"), [("upsert", "UPDATED"), ("insert", "CREATED")])
async def test_a_replayed_load(salesforce: Served, operation: str, again: str) -> None:
    """§8 insert: without a unique value the record is made twice"""
    csv = "Ext__c,LastName\nA-1,Berg\n" if operation == "upsert" else "LastName\nBerg\n"
    for _ in range(2):
        await salesforce.load(csv, operation)
    assert [entry.effect for entry in await salesforce.control.ledger()] == ["CREATED", again]


async def test_a_replayed_update_changes_nothing(salesforce: Served) -> None:
    """§8 update: safe if values are absolute"""
    [row] = await salesforce.results(await salesforce.load("Ext__c,LastName\nA-1,Berg\n"))
    for _ in range(2):
        await salesforce.load(f"Id,LastName\n{row['sf__Id']},Lind\n", "update")
    found = [(entry.effect, entry.changed) for entry in await salesforce.control.ledger()]
    assert found[1:] == [("UPDATED", True), ("UPDATED", False)]


async def test_a_replayed_delete_finds_the_record_deleted(salesforce: Served) -> None:
    """§8 delete: second run gives ``ENTITY_IS_DELETED``."""
    [row] = await salesforce.results(await salesforce.load("Ext__c,LastName\nA-1,Berg\n"))
    for _ in range(2):
        await salesforce.load(f"Id\n{row['sf__Id']}\n", "delete")
    effects = [entry.effect for entry in await salesforce.control.ledger()]
    assert effects == ["CREATED", "DELETED", "ENTITY_IS_DELETED"]


async def test_a_dropped_upload_leaves_the_jobs_one_put_used(salesforce: Served) -> None:
    job = await salesforce.create()
    await _lose(salesforce, DropAfter(method="PUT"), salesforce.upload(job, CONTACTS))
    assert error_of(await salesforce.upload(job, CONTACTS)) == (400, "INVALIDJOB")
