"""JobRunner: a batch becomes a job, the job is followed, and its results become receipts."""

import asyncio
from contextlib import AbstractAsyncContextManager

from aiokafka import TopicPartition

from sluice.destinations.vendor_jobs import Quota
from sluice.events import Rows
from sluice.flow.windows import WindowLimits, Windows
from sluice.settings import DeliverySettings
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.deliverer import Deliverer
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.lanes.receipt_messages import rfc3339
from sluice.writer.vendor_jobs.job_runner import JobRunner
from tests.support.factories import NOON, record_message
from tests.support.fake_jobs import DONE, FakeJobDestination, FakeReader
from tests.support.fakes import FakeLane, lanes_of, sample
from tests.support.instant_clock import in_background, instantly
from tests.writer.delivery.setups import LONG_OUTAGE, LOST, make_guard, make_limiter
from tests.writer.vendor_jobs.setups import TOPICS, FakeBook, JobLane, found_job, states_of


class _Setup:
    """A runner with the dispatcher that a session gives it; windows close by count."""

    def __init__(self, destination: FakeJobDestination, lane: FakeLane, *, max_items: int = 2) -> None:
        self.lane = lane
        self.metrics = WriterMetrics("crm")
        lanes, limiter = lanes_of(lane), make_limiter()
        messages = {TopicPartition(TOPICS.records, 0): [record_message(offset) for offset in range(2000)]}
        self.runner = JobRunner(
            destination,
            TOPICS,
            lanes,
            limiter,
            lambda: FakeReader(messages),
            self.metrics,
            DeliverySettings(),
            FakeBook(),
        )
        self.dispatcher = Dispatcher(
            Windows(WindowLimits(max_items=max_items, max_bytes=100_000, max_age_s=3600.0)),
            limiter,
            Deliverer(TOPICS.records, self.runner.sender_of, lanes, self.metrics),
            make_guard(self.metrics),
            self.metrics,
            self.runner.has_room,
        )

    def running(self) -> AbstractAsyncContextManager[object]:
        """Deliver and run jobs while the body runs."""
        return in_background(self._run())

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.dispatcher.run())
            group.create_task(self.runner.run(self.dispatcher))

    def add(self, *offsets: int) -> None:
        self.dispatcher.add(self.lane.accept(0, [record_message(offset) for offset in offsets]))


@instantly
async def test_batch_is_submitted_followed_and_collected() -> None:
    destination, lane = FakeJobDestination(), JobLane()
    setup = _Setup(destination, lane)
    async with setup.running():
        setup.add(0, 1)
        await asyncio.sleep(60)
        assert lane.fates == {}
        destination.states["job-1"] = DONE
        await asyncio.sleep(60)
    assert (sorted(lane.fates), destination.closed) == ([0, 1], ["job-1"])
    lane.commit()
    assert lane.buffer.items == 0


@instantly
async def test_lost_submit_that_never_arrived_is_submitted_anew() -> None:
    destination, lane = FakeJobDestination(submits=[LOST], finds=[None]), JobLane()
    setup = _Setup(destination, lane)
    destination.states["job-2"] = DONE
    async with setup.running():
        setup.add(0, 1)
        await asyncio.sleep(60)
    assert destination.started == [[0, 1], [0, 1]]
    assert states_of(lane) == ["opened", "named", "withdrawn", "opened", "named", "submitted"]
    assert sorted(lane.fates) == [0, 1]


@instantly
async def test_vendor_gets_no_more_jobs_than_it_may_have() -> None:
    destination, lane = FakeJobDestination(max_jobs=2), JobLane()
    setup = _Setup(destination, lane)
    async with setup.running():
        setup.add(*range(8))
        await asyncio.sleep(60)
        assert destination.started == [[0, 1], [2, 3]]
        destination.states["job-1"] = DONE
        await asyncio.sleep(60)
        assert destination.started == [[0, 1], [2, 3], [4, 5]]


@instantly
async def test_batch_that_never_arrived_leaves_room_for_those_that_fill_the_memory() -> None:
    destination = FakeJobDestination(submits=[LOST], finds=[None], max_jobs=1)
    destination.states["job-2"] = DONE
    setup = _Setup(destination, JobLane(), max_items=1000)
    first, second = list(range(1000)), list(range(1000, 2000))
    async with setup.running():
        setup.add(*first)
        await asyncio.sleep(0.5)
        setup.add(*second)
        assert setup.lane.is_crowded
        await asyncio.sleep(600)
    assert destination.started == [first, second, first]


def _with_jobs(destination: FakeJobDestination) -> _Setup:
    """One job that is submitted, and one that is lost."""
    lost = found_job(Rows(0, 9, 3, 0), batch_id="batch-2", refs=None)
    return _Setup(destination, JobLane(jobs=[found_job(Rows(0, 5, 2, 0)), lost]))


@instantly
async def test_gauges_show_the_jobs_by_state_with_their_rows_and_what_is_left_of_the_quotas() -> None:
    destination = FakeJobDestination(finds=[{"job": "K"}])
    destination.quotas["batches"] = Quota(7, 15_000)
    setup = _with_jobs(destination)

    def shown() -> list[float | None]:
        setup.runner.refresh()
        return [sample(setup.metrics, "sluice_vendor_jobs", state=state) for state in ("submitted", "lost", "over")]

    assert shown() == [1, 1, 0]
    assert sample(setup.metrics, "sluice_vendor_job_rows") == 5
    assert (sample(setup.metrics, "sluice_oldest_vendor_job_seconds") or 0) > 0
    assert sample(setup.metrics, "sluice_quota_remaining", quota="batches") == 7
    destination.states["J"] = DONE
    destination.collects += [LONG_OUTAGE]
    async with setup.running():
        await asyncio.sleep(60)
        assert shown() == [1, 0, 1]


@instantly
async def test_status_names_each_job_and_what_the_vendor_says_of_it() -> None:
    setup = _with_jobs(FakeJobDestination(finds=[LONG_OUTAGE]))
    async with setup.running():
        await asyncio.sleep(60)
        submitted, lost = setup.runner.status()
    assert submitted == {
        "batch_id": "batch-1",
        "batch_key": "company",
        "vendor_job": {"job": "J"},
        "state": "submitted",
        "vendor_state": "running",
        "items": 2,
        "unsettled": 2,
        "lanes": [0],
        "requested_at": rfc3339(NOON),
    }
    assert (lost["state"], lost["vendor_state"], lost["vendor_job"]) == ("lost", None, {})


def test_nothing_is_shown_of_jobs_when_there_are_none() -> None:
    setup = _Setup(FakeJobDestination(), FakeLane())
    setup.runner.refresh()
    assert setup.runner.status() == []
    assert sample(setup.metrics, "sluice_vendor_jobs", state="submitted") == 0
    assert sample(setup.metrics, "sluice_oldest_vendor_job_seconds") == 0
