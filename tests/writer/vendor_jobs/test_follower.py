"""Follower: the vendor is asked ever more seldom, with few calls, and each job until it is over."""

import asyncio
from itertools import pairwise

import pytest

from sluice.destinations.contract import BatchError
from sluice.destinations.vendor_jobs import Gone, JobState, Running
from sluice.events import Rows
from sluice.flow.lane_job import LaneJob
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.vendor_jobs.follower import Follower
from sluice.writer.vendor_jobs.job_table import Verdict
from tests.support.fake_jobs import DONE, FakeJobDestination
from tests.support.fakes import FakeLane, sample
from tests.support.instant_clock import in_background, instantly, now_s
from tests.writer.delivery.setups import LONG_OUTAGE, OUTAGE
from tests.writer.vendor_jobs.setups import found_job, table_of


def _job(number: int, *, submitted: bool = True) -> LaneJob:
    refs = {"job": f"J{number}"} if submitted else None
    return found_job(Rows(0, 10 * number, 1, 0), batch_id=f"batch-{number}", refs=refs)


class _Setup:
    def __init__(self, *jobs: LaneJob, base_s: float = 2.0, cap_s: float = 30.0) -> None:
        self.destination = FakeJobDestination()
        self.lane = FakeLane(0, jobs=jobs)
        self.table = table_of(self.lane)
        self.metrics = WriterMetrics("crm")
        self.follower = Follower(self.destination, self.table, self.metrics, base_s=base_s, cap_s=cap_s)
        self.began_at_s = 0.0

    async def follow(self, seconds: float) -> None:
        self.began_at_s = now_s()
        async with in_background(self.follower.run()):
            await asyncio.sleep(seconds)

    @property
    def polls(self) -> list[tuple[float, list[str]]]:
        """When the vendor was asked, in seconds since the beginning, and about which jobs."""
        return [(round(at_s - self.began_at_s, 2), jobs) for at_s, jobs in self.destination.polls]


@instantly
async def test_job_is_asked_about_ever_more_seldom_up_to_the_cap() -> None:
    setup = _Setup(_job(1), cap_s=6.0)
    await setup.follow(30)
    times = [at_s for at_s, _ in setup.polls]
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert times[0] <= 4.0
    assert waits == [3.0, 4.5, 6.0, 6.0, 6.0]
    assert sample(setup.metrics, "sluice_vendor_job_polls_total") == 6


@instantly
async def test_jobs_that_are_due_about_now_share_a_question() -> None:
    setup = _Setup(_job(1), cap_s=10.0)
    async with in_background(setup.follower.run()):
        await asyncio.sleep(60)
        setup.table.submitted.set()
        setup.lane.jobs.by_batch["batch-2"] = _job(2)
        await asyncio.sleep(120)
    late = setup.polls[-3:]
    assert [jobs for _, jobs in late] == [["J1", "J2"]] * 3


@pytest.mark.parametrize(
    ("state", "verdict", "word"),
    [(DONE, DONE, "done"), (Gone("deleted"), Gone("deleted"), "gone")],
    ids=["over", "gone"],
)
@instantly
async def test_job_that_is_over_is_judged_and_asked_about_no_more(state: JobState, verdict: Verdict, word: str) -> None:
    setup = _Setup(_job(1), _job(2))
    setup.destination.states["J1"] = state
    await setup.follow(60)
    assert (setup.table.verdicts, setup.table.words) == ({"batch-1": verdict}, {"batch-1": word, "batch-2": "running"})
    assert [jobs for _, jobs in setup.polls[:2]] == [["J1", "J2"], ["J2"]]


@instantly
async def test_only_jobs_that_the_vendor_has_are_asked_about() -> None:
    setup = _Setup(_job(1, submitted=False))
    await setup.follow(60)
    assert setup.polls == []


@instantly
async def test_new_job_is_asked_about_after_the_first_wait_however_long_the_others_is() -> None:
    setup = _Setup(_job(1), cap_s=3600.0)
    async with in_background(setup.follower.run()):
        await asyncio.sleep(500)
        setup.lane.jobs.by_batch["batch-2"] = _job(2)
        setup.table.submitted.set()
        submitted_at_s = now_s()
        await asyncio.sleep(6)
    assert [(at_s, "J2" in jobs) for at_s, jobs in setup.destination.polls if at_s > submitted_at_s] == [
        (submitted_at_s + 2.0, True),
        (submitted_at_s + 5.0, True),
    ]


@pytest.mark.parametrize(("error", "wait_s"), [(OUTAGE, 2.0), (LONG_OUTAGE, 600.0)], ids=["outage", "long outage"])
@instantly
async def test_question_that_fails_is_asked_again_and_judges_nothing(error: BatchError, wait_s: float) -> None:
    setup = _Setup(_job(1))
    setup.destination.poll_errors += [error]
    setup.destination.states["J1"] = DONE
    await setup.follow(1000)
    first, second = [at_s for at_s, _ in setup.polls]
    assert second - first >= wait_s
    assert second - first <= wait_s + 3.0
    assert setup.table.verdicts == {"batch-1": DONE}


@instantly
async def test_job_that_the_vendor_leaves_out_is_asked_about_again() -> None:
    setup = _Setup(_job(1))
    setup.destination.left_out = {"J1"}
    async with in_background(setup.follower.run()):
        await asyncio.sleep(10)
        assert setup.table.words == {}
        setup.destination.left_out = set()
        await asyncio.sleep(30)
    assert setup.table.words == {"batch-1": "running"}


@instantly
async def test_state_of_a_job_that_is_none_of_ours_means_nothing() -> None:
    setup = _Setup(_job(1))
    setup.destination.others = {"X": DONE}
    await setup.follow(10)
    assert (setup.table.verdicts, setup.table.words) == ({}, {"batch-1": "running"})


@instantly
async def test_vendors_word_for_a_running_job_is_kept() -> None:
    setup = _Setup(_job(1))
    setup.destination.states["J1"] = Running("Queued")
    await setup.follow(10)
    assert setup.table.words == {"batch-1": "Queued"}
