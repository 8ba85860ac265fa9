"""Jobs and batches that stay queued until they are released. salesforce_bulk.md §3.4, §4.1."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.salesforce.control import SalesforceControl
from sandbox.salesforce.faults import HoldJobs
from tests.sandbox.salesforce.bulk1.client import Bulk1, bulk1_org
from tests.sandbox.salesforce.orgs import CONTACTS, QUERY, Served


@pytest_asyncio.fixture(name="control")
async def _control(salesforce: Served) -> AsyncIterator[SalesforceControl]:
    async with SalesforceControl(salesforce.url) as found:
        yield found


async def test_a_job_is_held_however_long_until_it_is_released(salesforce: Served, control: SalesforceControl) -> None:
    await control.add_fault(HoldJobs())
    held, other = await salesforce.load(CONTACTS), await salesforce.load("Ext__c,LastName\nA-9,Falk\n")
    await control.advance(3600)
    await control.clear_faults()
    assert [(await salesforce.info(job))["state"] for job in (held, other)] == ["UploadComplete", "JobComplete"]
    assert await control.release_jobs() == 1
    assert (await salesforce.info(held))["state"] == "JobComplete"
    assert await control.release_jobs() == 0


async def test_a_query_is_held_too(salesforce: Served, control: SalesforceControl) -> None:
    await control.add_fault(HoldJobs())
    job = await salesforce.ask("SELECT Id FROM Contact")
    assert (await salesforce.info(job, QUERY))["state"] == "UploadComplete"
    await control.release_jobs()
    assert (await salesforce.info(job, QUERY))["state"] == "JobComplete"


async def test_a_job_that_was_aborted_while_held_writes_nothing(salesforce: Served, control: SalesforceControl) -> None:
    await control.add_fault(HoldJobs())
    job = await salesforce.load(CONTACTS)
    await control.abort_job(job)
    await control.release_jobs()
    assert (await salesforce.info(job))["state"] == "Aborted"
    assert len(await salesforce.results(job, "unprocessedrecords")) == 2
    assert await salesforce.query("SELECT Id FROM Contact") == []


async def _held_batches(org: Bulk1, concurrency: str = "") -> tuple[str, list[str]]:
    await org.control.add_fault(HoldJobs(times=2))
    job = await org.create(concurrency=concurrency)
    return job, [await org.add(job, f"LastName\n{name}") for name in ("Berg", "Lind")]


@pytest.mark.parametrize("concurrency", ["Parallel", "Serial"])
async def test_batches_are_held_until_they_are_released(concurrency: str) -> None:
    async with bulk1_org() as org, SalesforceControl(org.url) as control:
        job, batches = await _held_batches(org, concurrency)
        await control.advance(3600)
        assert [await org.state(job, batch) for batch in batches] == ["Queued"] * 2
        assert (await org.info(job))["numberBatchesQueued"] == "2"
        assert await control.release_jobs() == 2
        assert [await org.state(job, batch) for batch in batches] == ["Completed"] * 2


async def test_batches_of_a_job_that_was_aborted_while_held_are_not_processed() -> None:
    async with bulk1_org() as org, SalesforceControl(org.url) as control:
        job, batches = await _held_batches(org)
        await control.abort_job(job)
        await control.release_jobs()
        assert (await org.info(job))["state"] == "Aborted"
        assert [await org.state(job, batch) for batch in batches] == ["NotProcessed"] * 2
        assert await org.records("SELECT Id FROM Contact") == []


async def test_a_reset_forgets_what_is_held(salesforce: Served, control: SalesforceControl) -> None:
    await control.add_fault(HoldJobs())
    await salesforce.load(CONTACTS)
    await control.reset()
    assert await control.release_jobs() == 0
