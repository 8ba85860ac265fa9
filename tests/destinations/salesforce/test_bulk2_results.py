"""Results of jobs of Bulk API 2.0: joined by key alone, believed where the counts agree."""

import logging

import httpx
import pytest

from sluice.destinations.contract import BatchError, Refused, Unavailable
from sluice.destinations.vendor_jobs import Over, ResultsGone, ResultsIncomplete
from sluice.flow.outcome import Fate, Outcome
from tests.destinations.salesforce.bulk2_texts import NOT_FOUND, job, rest_error, table
from tests.destinations.salesforce.offline_bulk2 import CONTACT_EVENT, J1, LOST, Fault, OfflineBulk2
from tests.support.factories import record

SUCCESSES = table('"sf__Id","sf__Created","Ext__c","LastName"\n"003X","true","a-1","Berg"\n')
FAILURES = table('"sf__Id","sf__Error","Ext__c"\n"","REQUIRED_FIELD_MISSING:no name:LastName --","A-2"\n')
UNPROCESSED = table('"Ext__c"\n"A-3"\n')
DONE = Over(word="JobComplete", processed=2, failed=1)


def org(**files: httpx.Response) -> OfflineBulk2:
    made = OfflineBulk2(identifier_fields={"Contact": "Own__c"})
    made.jobs[J1] = "JobComplete"
    made.files = {
        "successfulResults": files.get("successes", SUCCESSES),
        "failedResults": files.get("failures", FAILURES),
        "unprocessedrecords": files.get("unprocessed", UNPROCESSED),
    }
    return made


def identity(acme: OfflineBulk2, key: str) -> object:
    return acme.destination.encode(record("Contact", "upsert", {"Ext__c": key}, {"LastName": "x"}), "0-1").identity


async def test_each_record_has_its_fate_by_its_key_whatever_the_case() -> None:
    """§4.1, §13 rows 1 and 10"""
    acme = org()
    found = await acme.collect(J1, Over(word="Aborted", processed=2, failed=1, aborted=True), 3)
    assert found == {
        identity(acme, "A-1"): Outcome(Fate.DELIVERED, "Created", "", "003X"),
        identity(acme, "A-2"): Outcome(
            Fate.REJECTED, "REQUIRED_FIELD_MISSING", "no name (fields: LastName)", None, 200
        ),
        identity(acme, "A-3"): None,
    }


async def test_files_that_can_have_no_rows_are_not_asked_for() -> None:
    acme = org()
    await acme.collect(J1, DONE, 2)
    assert acme.steps == [f"job {J1}", "read successfulResults", "read failedResults"]
    acme.steps.clear()
    await acme.collect(J1, Over(word="JobComplete", processed=1, failed=0), 1)
    assert acme.steps == ["read successfulResults"]


async def test_inserts_are_known_by_our_identifier() -> None:
    """§12"""
    acme = org(successes=table('"sf__Id","sf__Created","Own__c","LastName"\n"003X","true","0-1","Berg"\n'))
    acme.faults["job"] = [job("JobComplete", job=J1, operation="insert", externalIdFieldName=None)]
    found = await acme.collect(J1, Over(word="JobComplete", processed=1, failed=0), 1)
    encoded = acme.destination.encode(record("Contact", "insert", None, {"LastName": "Berg"}), "0-1")
    assert list(found) == [encoded.identity]


@pytest.mark.parametrize("empty", [httpx.Response(204), table("")])
async def test_a_file_without_a_body_has_no_rows_if_the_counts_say_so(empty: httpx.Response) -> None:
    """§13 row 4"""
    assert len(await org(failures=empty).collect(J1, Over(word="JobComplete", processed=1, failed=0), 3)) == 2
    with pytest.raises(ResultsIncomplete, match="1 failures, as the job says, got 1 and 0"):
        await org(failures=empty).collect(J1, DONE, 2)


async def test_rows_in_no_file_are_not_made_up() -> None:
    """§13 row 3: past the daily allocation"""
    assert len(await org(unprocessed=table("")).collect(J1, DONE, 3)) == 2


async def test_results_without_the_key_tell_nothing_and_say_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """§13 row 2"""
    acme = org(successes=table('"sf__Id","sf__Created","LastName"\n"003X","true","Berg"\n'))
    with caplog.at_level(logging.ERROR):
        assert [await acme.collect(J1, DONE, 2) for _ in range(3)] == [{}] * 3
    [entry] = caplog.records
    assert "all of the job are ambiguous" in entry.message
    assert "the column Ext__c" in entry.error  # type: ignore[attr-defined]
    await acme.destination.close({"job": J1})
    assert await acme.collect(J1, DONE, 2) == {}
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(NOT_FOUND, ResultsGone, id="§13 row 17 deleted"),
        pytest.param(rest_error("INVALIDJOBSTATE"), ResultsIncomplete, id="§13 row 5 late"),
        pytest.param(rest_error("INVALIDBATCH"), ResultsIncomplete, id="§13 row 5 late, as 1.0 says it"),
        pytest.param(rest_error("API_ERROR"), Unavailable, id="§4.3 refused"),
        pytest.param(rest_error("SERVER_UNAVAILABLE", status=503), Unavailable, id="§4.3 away"),
        pytest.param(httpx.Response(200, html="<p>Hello"), Unavailable, id="a page"),
        pytest.param(httpx.Response(404), BatchError, id="a proxy's 404"),
        pytest.param(LOST, Unavailable, id="lost"),
        pytest.param(table('"sf__Id","sf__Created","Ext__c"\n"003X"\n'), ResultsIncomplete, id="a short row"),
        pytest.param(table('"sf__Id","sf__Created","Ext__c"\n"003X","tr'), ResultsIncomplete, id="cut off"),
    ],
)
async def test_results_that_cannot_be_read(fault: Fault, expected: type[Exception]) -> None:
    acme = org()
    acme.faults["read"] = [fault]
    with pytest.raises(expected):
        await acme.collect(J1, DONE, 2)


async def test_a_job_that_is_deleted_before_its_results_are_read_is_gone() -> None:
    acme = org()
    acme.jobs.clear()
    with pytest.raises(ResultsGone):
        await acme.collect(J1, DONE, 2)


async def test_a_job_that_failed_because_of_a_record_is_refused_and_described_anew() -> None:
    """§6, §13 row 15"""
    acme = org(successes=table(""))
    await acme.prepare(CONTACT_EVENT)
    failed = Over(word="Failed", processed=0, failed=0, message="InvalidBatch : Field name not found : Foo")
    with pytest.raises(Refused, match="Foo") as refused:
        await acme.collect(J1, failed, 2)
    assert refused.value.code == "InvalidBatch"
    await acme.prepare(CONTACT_EVENT)
    assert acme.steps.count("describe Contact") == 2


async def test_a_job_that_failed_and_has_written_rows_is_not_sent_again_for_a_count_that_lags() -> None:
    failed = Over(word="Failed", processed=0, failed=0, message="InvalidBatch : Field name not found : Foo")
    with pytest.raises(ResultsIncomplete, match="expected no successes"):
        await org().collect(J1, failed, 2)


@pytest.mark.parametrize("code", ["Timeout", "TooManyLockFailure", "InternalServerError"])
async def test_a_job_that_failed_for_a_cause_that_passes_is_tried_again_and_not_for_ever(code: str) -> None:
    """§12: nothing was written, yet a job that always takes too long must end."""
    acme = org(successes=table(""), failures=table(""))
    found = await acme.collect(J1, Over(word="Failed", processed=0, failed=0, message=f"{code} : slow"), 1)
    assert found == {identity(acme, "A-3"): Outcome(Fate.RETRYABLE, code, f"{code} : slow")}


async def test_a_job_that_failed_half_way_has_the_fates_of_its_rows() -> None:
    """§4.1: earlier rows were written"""
    acme = org()
    message = "InvalidBatch : Field name not found : Foo"
    found = await acme.collect(J1, Over(word="Failed", processed=2, failed=1, message=message), 3)
    assert len(found) == 3
    assert found[identity(acme, "A-3")] is None
