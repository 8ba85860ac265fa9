"""Looking for a submit of Bulk API 2.0 that was lost: what was not started never will be."""

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Unavailable
from sluice.destinations.vendor_jobs import Refs
from tests.destinations.salesforce.bulk2_texts import job, rest_error
from tests.destinations.salesforce.offline_bulk2 import J1, LOST, OfflineBulk2


async def test_a_submit_whose_job_has_no_name_in_the_journal_wrote_nothing() -> None:
    org = OfflineBulk2()
    assert await org.find({}) is None
    assert org.steps == []


@pytest.mark.parametrize("state", ["UploadComplete", "InProgress", "JobComplete", "Failed", "Resting"])
async def test_a_job_that_was_started_is_found(state: str) -> None:
    """§8"""
    org = OfflineBulk2()
    org.jobs[J1] = state
    assert await org.find({"job": J1}) == {"job": J1}
    assert org.steps == [f"job {J1}"]


@pytest.mark.parametrize(("processed", "expected"), [(0, None), (7, {"job": J1})])
async def test_a_job_that_was_aborted_counts_by_what_it_has_processed(processed: int, expected: Refs | None) -> None:
    org = OfflineBulk2()
    org.jobs[J1], org.processed[J1] = "Aborted", processed
    assert await org.find({"job": J1}) == expected


async def test_a_job_that_somebody_has_aborted_a_moment_ago_is_looked_at_again() -> None:
    """Another owner, or one that was killed, may have ended it just after its start: its count may lag."""
    org = OfflineBulk2()
    org.jobs[J1], org.processed[J1] = "Aborted", 7
    org.faults["job"] = [job("Aborted", job=J1)]
    assert await org.find({"job": J1}) == {"job": J1}
    assert org.steps == [f"job {J1}", f"job {J1}"]


async def test_a_start_that_comes_while_the_job_is_being_ended_is_seen() -> None:
    org = OfflineBulk2()
    org.jobs[J1] = "JobComplete"
    org.faults["job"] = [job("Open", job=J1)]
    assert await org.find({"job": J1}) == {"job": J1}
    assert org.steps == [f"job {J1}", f"abort {J1}", f"job {J1}"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(rest_error("NOT_FOUND", status=404), Ambiguous, id="§4.3 unknown"),
        pytest.param(httpx.Response(404), Misconfigured, id="a proxy does not know it"),
        pytest.param(LOST, Unavailable, id="lost"),
        pytest.param(rest_error("API_ERROR"), Unavailable, id="§4.3 refused"),
        pytest.param(httpx.Response(200, json={"id": J1}), Unavailable, id="no job"),
        pytest.param(rest_error("INVALID_SESSION_ID", status=401), Unavailable, id="§4.3 no session"),
    ],
)
async def test_a_job_that_cannot_be_looked_at(fault: httpx.Response, expected: type[BatchError]) -> None:
    org = OfflineBulk2()
    org.faults["job"] = [fault] * 2
    with pytest.raises(expected):
        await org.find({"job": J1})


async def test_a_job_that_is_open_for_ever_is_asked_about_again() -> None:
    org = OfflineBulk2()
    org.faults["job"] = [job("Open", job=J1) for _ in range(4)]
    org.jobs[J1] = "Aborted"
    with pytest.raises(Unavailable, match="changes all the time"):
        await org.find({"job": J1})
