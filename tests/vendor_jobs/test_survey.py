"""The survey tells ours from what was left open, is settled, or is somebody else's."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from sluice.destinations.vendor_jobs import JobState, Refs, Running, VendorJob
from sluice.events import Rows
from sluice.vendor_jobs.journals import OpenJob
from sluice.vendor_jobs.survey import are_same, sharing_jobs, survey_jobs
from sluice.wall_clock import utc_now
from tests.support.factories import make_lane_job
from tests.support.kafka_admin import RunningKafka
from tests.vendor_jobs.journal_writing import make_site, write_two_batches


def _job(name: str, *, over: bool = False, by: str = "us") -> VendorJob:
    made = utc_now() - timedelta(days=2)
    return VendorJob(
        refs={"job": name}, word="Closed" if over else "Open", over=over, batch_key="", created_at=made, created_by=by
    )


class FakeVendor:
    """A vendor with this list of jobs, all of which run."""

    def __init__(self, *listed: VendorJob) -> None:
        self._listed = listed

    async def jobs(self) -> AsyncIterator[VendorJob]:
        for job in self._listed:
            yield job

    async def poll(self, jobs: Sequence[Refs]) -> AsyncIterator[tuple[Refs, JobState]]:
        for refs in jobs:
            yield refs, Running("Open")


async def test_each_job_is_somebody_s(kafka: RunningKafka, prefix: str) -> None:
    site = await make_site(kafka, prefix)
    await write_two_batches(site)  # 7 is open in a journal, 6 is settled there
    listed = [_job("7"), _job("6"), _job("5"), _job("4", by="them"), _job("3", over=True)]
    survey = await survey_jobs(site, FakeVendor(*listed))  # type: ignore[arg-type]
    assert [job.batch_id for job in survey.ours] == ["old", "new"]
    assert survey.states == {"new": Running("Open")}
    others = {other.job.refs["job"]: (other.whose, other.is_named) for other in survey.others}
    assert others == {"6": ("left-open", True), "5": ("left-open", False), "4": ("foreign", False)}


async def test_jobs_that_are_over_are_told_apart_when_asked_for(kafka: RunningKafka, prefix: str) -> None:
    site = await make_site(kafka, prefix)
    await write_two_batches(site)
    listed = [_job("6", over=True), _job("5", over=True), _job("4", by="")]
    survey = await survey_jobs(site, FakeVendor(*listed), with_over=True)  # type: ignore[arg-type]
    others = {other.job.refs["job"]: other.whose for other in survey.others}
    assert others == {"6": "settled", "5": "foreign", "4": "foreign"}


@pytest.mark.parametrize(
    ("listed", "ours", "same"),
    [
        pytest.param({"job": "7"}, {"job": "7"}, True, id="equal"),
        pytest.param({"job": "7"}, {"job": "7", "batch": "1"}, True, id="the list names no batches"),
        pytest.param({"job": "7", "batch": "1"}, {"job": "7"}, True, id="the batch was not named yet"),
        pytest.param({"job": "7", "batch": "2"}, {"job": "7", "batch": "1"}, False, id="a sibling"),
        pytest.param({"job": "7"}, {}, False, id="a lost one without a name"),
    ],
)
def test_names_of_one_job(listed: Refs, ours: Refs, *, same: bool) -> None:
    assert are_same(listed, ours) is same


def test_batches_in_one_job_of_the_vendor_end_together() -> None:
    def ours(batch_id: str, **refs: str) -> OpenJob:
        return OpenJob({0: make_lane_job(Rows(0, 1, 1, 0), batch_id=batch_id, refs=refs)})

    jobs = [ours("a", job="7", batch="1"), ours("b", job="7", batch="2"), ours("c", job="8", batch="3"), ours("d")]
    assert [job.batch_id for job in sharing_jobs(jobs, {"job": "7", "batch": "1"})] == ["a", "b"]
