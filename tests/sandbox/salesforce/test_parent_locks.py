"""Batches that contend for a parent. salesforce_bulk.md §13.18."""

import pytest

from sandbox.salesforce.faults import LockParents
from sandbox.salesforce.parent_locks import ParentLocks
from sandbox.salesforce.results import RowRefused
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.bulk1.client import bulk1_org, rows
from tests.sandbox.salesforce.orgs import org

SLOW = Settings(in_progress_s=100)
ACCOUNTS = "Ext__c,Name\nE-1,Alder\nE-2,Birch\n"


@pytest.mark.parametrize(
    ("since", "until", "is_refused"),
    [
        pytest.param(5, 15, True, id="in the middle of it"),
        pytest.param(0, 10, True, id="at the same time"),
        pytest.param(10, 20, False, id="behind it"),
        pytest.param(5, 5.0, True, id="in no time"),
    ],
)
def test_a_parent_is_held_as_long_as_its_batch_is_in_progress(since: float, until: float, *, is_refused: bool) -> None:
    locks = ParentLocks()
    locks.batch(0, 10).take(["001"])
    other = locks.batch(since, until)
    other.take(["002", None])
    if is_refused:
        with pytest.raises(RowRefused, match="UNABLE_TO_LOCK_ROW"):
            other.take(["001"])
    else:
        other.take(["001"])


async def test_two_jobs_under_way_contend_for_a_parent_and_later_ones_do_not() -> None:
    async with org(SLOW) as served:
        await served.load(ACCOUNTS, object_name="Account")
        await served.control.advance(100)
        await served.control.add_fault(LockParents())
        first = await served.load("Ext__c,LastName,Account.Ext__c\nA-1,Berg,E-1\n")
        second = await served.load("Ext__c,LastName,Account.Ext__c\nA-2,Lind,E-1\nA-3,Falk,E-2\nA-4,Nord,\n")
        await served.control.advance(100)
        third = await served.load("Ext__c,LastName,Account.Ext__c\nA-2,Lind,E-1\n")
        await served.control.advance(100)
        assert [len(await served.results(job)) for job in (first, second, third)] == [1, 2, 1]
        assert (await served.errors(second))["A-2"].startswith("UNABLE_TO_LOCK_ROW:")


async def test_a_row_locks_the_parent_that_its_record_has() -> None:
    async with org(SLOW) as served:
        await served.load(ACCOUNTS, object_name="Account")
        await served.control.advance(100)
        await served.load("Ext__c,LastName,Account.Ext__c\nA-1,Berg,E-1\nA-2,Lind,E-1\n")
        await served.control.advance(100)
        await served.control.add_fault(LockParents())
        jobs = [await served.load(f"Ext__c,LastName\n{key},Falk\n") for key in ("A-1", "A-2")]
        await served.control.advance(100)
        assert [len(await served.results(job)) for job in jobs] == [1, 0]


@pytest.mark.parametrize(("concurrency", "locked"), [("Parallel", True), ("Serial", False)])
async def test_batches_of_a_serial_job_do_not_contend(concurrency: str, *, locked: bool) -> None:
    async with bulk1_org(SLOW) as served:
        accounts = await served.create(object_name="Account")
        await served.add(accounts, ACCOUNTS)
        await served.control.advance(100)
        await served.control.add_fault(LockParents())
        job = await served.create(concurrency=concurrency)
        batches = [await served.add(job, f"LastName,Account.Ext__c\n{name},E-1\n") for name in ("Berg", "Lind")]
        await served.control.advance(100)
        await served.control.advance(100)
        texts = [(await served.http.get(f"/job/{job}/batch/{batch}/result")).text for batch in batches]
        assert [rows(text)[0][1] for text in texts] == ["true", "false" if locked else "true"]
