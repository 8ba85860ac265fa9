"""Faults of batches that have ended. Ids name rows of salesforce_bulk.md §13."""

import pytest

from sandbox.faults.fault import MissingResults
from sandbox.salesforce.faults import CompletedWithMessage, LateResults, StateGoesBack
from tests.sandbox.salesforce.bulk1.client import JSON, Bulk1, error, field, rows


async def test_results_may_be_one_row_short_and_whole_when_asked_again(org: Bulk1) -> None:
    """§13.5"""
    await org.control.add_fault(MissingResults(count=1))
    job = await org.create()
    batch = await org.add(job, "LastName\nBerg\nLind\nNord")
    path = f"/job/{job}/batch/{batch}/result"
    assert [len(rows((await org.http.get(path)).text)) for _ in range(2)] == [2, 3]


async def test_results_may_be_late(org: Bulk1) -> None:
    """§13.5"""
    await org.control.add_fault(LateResults())
    job = await org.create()
    batch = await org.add(job, "LastName\nBerg")
    path = f"/job/{job}/batch/{batch}/result"
    late, there = await org.http.get(path), await org.http.get(path)
    assert (late.status_code, late.text) == (400, error("InvalidBatch", "Records not processed"))
    assert there.status_code == 200


@pytest.mark.parametrize("where", ["batch", "list"])
async def test_a_completed_batch_may_be_in_progress_again(org: Bulk1, where: str) -> None:
    """§13.5"""
    await org.control.add_fault(StateGoesBack(skip=1))
    job = await org.create()
    batch = await org.add(job, "LastName\nBerg")
    path = f"/job/{job}/batch/{batch}" if where == "batch" else f"/job/{job}/batch"
    states = [field((await org.http.get(path)).text, "state") for _ in range(3)]
    assert states == ["Completed", "InProgress", "Completed"]


async def test_a_jobs_counts_go_back_with_its_batches(org: Bulk1) -> None:
    job = await org.create()
    await org.add(job, "LastName\nBerg")
    await org.control.add_fault(StateGoesBack())
    counts = [await org.info(job) for _ in range(2)]
    assert [one["numberBatchesInProgress"] for one in counts] == ["1", "0"]
    assert [one["numberBatchesCompleted"] for one in counts] == ["0", "1"]


async def test_no_state_goes_back_before_its_end(org: Bulk1) -> None:
    await org.control.add_fault(StateGoesBack())
    job = await org.create()
    assert (await org.info(job))["numberBatchesTotal"] == "0"
    await org.add(job, "LastName\nBerg")
    assert (await org.info(job))["numberBatchesInProgress"] == "1"


async def test_a_completed_batch_may_have_a_message(org: Bulk1) -> None:
    """§13.6"""
    await org.control.add_fault(CompletedWithMessage(message="TooManyLockFailure : locks"))
    job = await org.create(content_type="JSON")
    batch = await org.add(job, '[{"LastName": "Berg"}]', JSON)
    info = (await org.http.get(f"/job/{job}/batch/{batch}")).json()
    assert (info["state"], info["stateMessage"]) == ("Completed", "TooManyLockFailure : locks")
    assert info["numberRecordsProcessed"] == 1
