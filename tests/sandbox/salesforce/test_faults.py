"""Faults that a test can switch on. salesforce_bulk.md §4.3, §5, §9, §13."""

import pytest

from sandbox.faults.fault import MissingResults, Status
from sandbox.salesforce.faults import (
    CompletedWithMessage,
    EmptyResults,
    FailBatch,
    LateResults,
    LockRows,
    MissingFileRows,
    RefuseRows,
    StateGoesBack,
)
from tests.sandbox.salesforce.orgs import CONTACTS, INGEST, LIMITS, Served, error_of

FILES = ("successfulResults", "failedResults", "unprocessedrecords")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        pytest.param(500, "UNKNOWN_EXCEPTION", id="§4.3 UNKNOWN_EXCEPTION"),
        pytest.param(503, "SERVER_UNAVAILABLE", id="§4.3 SERVER_UNAVAILABLE"),
        pytest.param(403, "REQUEST_LIMIT_EXCEEDED", id="§4.3 REQUEST_LIMIT_EXCEEDED concurrent"),
    ],
)
async def test_server_trouble_can_be_switched_on(salesforce: Served, status: int, code: str) -> None:
    body = f'[{{"errorCode": "{code}", "message": "x"}}]'
    content_type = "application/json;charset=UTF-8"
    await salesforce.control.add_fault(Status(status=status, body=body, content_type=content_type))
    assert error_of(await salesforce.http.get(LIMITS)) == (status, code)


async def test_a_fault_names_the_requests_it_meets(salesforce: Served) -> None:
    job = await salesforce.create()
    await salesforce.upload(job, CONTACTS)
    await salesforce.control.add_fault(FailBatch(path=f"{INGEST}/{job}"))
    other = await salesforce.load(CONTACTS)
    await salesforce.patch(job, "UploadComplete")
    states = [(await salesforce.info(one))["state"] for one in (other, job)]
    assert states == ["JobComplete", "Failed"]


@pytest.mark.parametrize(
    "code",
    [
        *("TooManyLockFailure", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION"),
        *("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "STORAGE_LIMIT_EXCEEDED", "INVALID_FIELD", "DUPLICATES_DETECTED"),
        *("INSUFFICIENT_ACCESS_OR_READONLY", "DELETE_FAILED"),
    ],
)
async def test_any_other_code_can_be_switched_on(salesforce: Served, code: str) -> None:
    await salesforce.control.add_fault(RefuseRows(status_code=code, message="because", fields=("LastName",)))
    job = await salesforce.load("Ext__c,LastName\nA-1,Berg\nA-2,Lind\n")
    assert await salesforce.errors(job) == {"A-1": f"{code}:because:LastName --"}
    assert [row["Ext__c"] for row in await salesforce.results(job)] == ["A-2"]


async def test_rows_are_locked_so_many_times_and_then_taken(salesforce: Served) -> None:
    await salesforce.control.add_fault(LockRows(rows=1, times=2))
    codes = []
    for _ in range(3):
        job = await salesforce.load("Ext__c,LastName\nA-1,Berg\n")
        codes.append([text.split(":")[0] for text in (await salesforce.errors(job)).values()])
    assert codes == [["UNABLE_TO_LOCK_ROW"], ["UNABLE_TO_LOCK_ROW"], []]


@pytest.mark.parametrize("status", [200, 204])
async def test_a_result_file_may_have_no_body(salesforce: Served, status: int) -> None:
    """§13.4"""
    await salesforce.control.add_fault(EmptyResults(status=status, file="failedResults"))  # type: ignore[arg-type]
    job = await salesforce.load(CONTACTS)
    assert len(await salesforce.results(job)) == 1
    answer = await salesforce.http.get(f"{INGEST}/{job}/failedResults/")
    assert (answer.status_code, answer.content) == (status, b"")
    assert len(await salesforce.results(job, "failedResults")) == 1


@pytest.mark.parametrize("written", [False, True])
async def test_rows_may_stand_in_no_file(salesforce: Served, *, written: bool) -> None:
    """§13.3"""
    await salesforce.control.add_fault(MissingFileRows(rows=2, written=written))
    job = await salesforce.load("Ext__c,LastName\nA-1,Berg\nA-2,Lind\nA-3,Falk\n")
    assert (await salesforce.info(job))["state"] == "JobComplete"
    shown = [row["Ext__c"] for file in FILES for row in await salesforce.results(job, file)]
    assert shown == ["A-1"]
    assert len(await salesforce.query("SELECT Id FROM Contact")) == (3 if written else 1)


async def test_results_may_be_short_and_whole_when_asked_again(salesforce: Served) -> None:
    """§13.5"""
    await salesforce.control.add_fault(MissingResults(count=1))
    job = await salesforce.load("Ext__c,LastName\nA-1,Berg\nA-2,Lind\n")
    assert [len(await salesforce.results(job)) for _ in range(2)] == [1, 2]


async def test_results_may_be_late(salesforce: Served) -> None:
    """§13.5"""
    await salesforce.control.add_fault(LateResults(times=2))
    job = await salesforce.load(CONTACTS)
    answers = [await salesforce.http.get(f"{INGEST}/{job}/successfulResults") for _ in range(3)]
    assert [one.status_code for one in answers] == [400, 400, 200]
    assert error_of(answers[0]) == (400, "INVALIDJOBSTATE")
    assert "InProgress" in answers[0].text


async def test_a_complete_job_may_be_in_progress_again(salesforce: Served) -> None:
    """§13.5"""
    await salesforce.control.add_fault(StateGoesBack(skip=1))
    job = await salesforce.load(CONTACTS)
    states = [(await salesforce.info(job))["state"] for _ in range(3)]
    assert states == ["JobComplete", "InProgress", "JobComplete"]


async def test_a_complete_job_may_have_a_message(salesforce: Served) -> None:
    """§13.6"""
    await salesforce.control.add_fault(CompletedWithMessage(message="locks"))
    info = await salesforce.info(await salesforce.load(CONTACTS))
    assert (info["state"], info["errorMessage"], info["numberRecordsProcessed"]) == ("JobComplete", "locks", 2)
