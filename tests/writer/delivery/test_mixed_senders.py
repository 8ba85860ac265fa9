"""MixedSenders: each item of an account that writes and runs jobs goes one way, within the limits of that way."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from sluice.destinations.contract import Refused
from sluice.flow.batch import Batch, Item, Part
from sluice.flow.windows import WindowLimits, Windows
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.batch_sender import BatchSender
from sluice.writer.delivery.deliverer import Deliverer
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.delivery.mixed_senders import Divider, MixedSenders
from sluice.writer.delivery.sender import Sender
from sluice.writer.vendor_jobs.job_runner import is_submitter
from sluice.writer.vendor_jobs.submitter import Submitter
from tests.support.factories import make_batch, make_item, make_items
from tests.support.fake_jobs import FakeMixedDestination
from tests.support.fakes import FakeLane, lanes_of, sample
from tests.support.instant_clock import in_background, instantly
from tests.writer.delivery.setups import OPENED, make_guard, make_limiter
from tests.writer.vendor_jobs.setups import JobLane, SubmitterSetup, table_of


class _Setup:
    """All that is between windows and the vendor, with lane 0."""

    def __init__(self, destination: FakeMixedDestination, *, has_room: bool = True) -> None:
        self.destination = destination
        self.has_room = has_room
        self.lane = JobLane()
        self.metrics = WriterMetrics("crm")
        self.limiter = make_limiter(max_concurrent=4)
        self.lanes = lanes_of(self.lane)
        table = table_of(self.lane)

        def write(batch: Batch) -> Sender:
            return BatchSender(batch, destination, self.limiter, self.lanes, self.metrics)

        def submit(batch: Batch) -> Sender:
            return Submitter(batch, destination, self.limiter, self.lanes, table, self.metrics)

        self.senders = MixedSenders(destination, write, submit, self.limiter, self.lanes)
        limits = WindowLimits(max_items=destination.limits.max_items, max_bytes=10_000, max_age_s=0.0)
        self.windows = Windows(limits, self.senders.is_job)
        self.dispatcher = Dispatcher(
            self.windows,
            self.limiter,
            Deliverer("crm.records", self.senders.sender_of, self.lanes, self.metrics),
            make_guard(self.metrics),
            self.metrics,
            lambda under_way: self.has_room and under_way < 1,
            is_submitter,
        )

    @asynccontextmanager
    async def delivering(self, items: Sequence[Item]) -> AsyncIterator[None]:
        """Deliver ``items`` while the body runs."""
        self.lane.order.admit(items)
        self.lane.buffer.share().enter(len(items), 0)
        async with in_background(self.dispatcher.run()):
            self.dispatcher.add(items)
            await asyncio.sleep(5)
            yield
        assert self.limiter.in_flight == 0, "a permit is not given back, or given back twice"


def _retries(count: int) -> list[Item]:
    return [make_item(100 + n, topic=1, attempt=2) for n in range(count)]


@pytest.mark.parametrize(
    ("items", "kind"),
    [
        pytest.param(make_items(2), BatchSender, id="a small batch is written"),
        pytest.param(make_items(3), Submitter, id="a large one is submitted"),
        pytest.param(_retries(2), BatchSender, id="retries are written"),
        pytest.param(_retries(5), Divider, id="many retries are written in parts"),
        pytest.param([make_item(n, topic=1) for n in range(5)], Divider, id="so are retries that used no attempt"),
        pytest.param([*make_items(3), *_retries(1)], Divider, id="retries are parted from a job"),
        pytest.param([make_item(n, body=b"x" * 6) for n in range(2)], Divider, id="bytes are limited, too"),
        pytest.param([make_item(0, body=b"x" * 60)], BatchSender, id="what is too large even alone is written alone"),
    ],
)
def test_batch_goes_the_way_that_suits_it(items: list[Item], kind: type) -> None:
    assert type(_Setup(FakeMixedDestination()).senders.sender_of(make_batch(items))) is kind


def test_what_is_in_doubt_is_asked_about_and_not_submitted() -> None:
    batch = make_batch(make_items(3))
    batch.in_doubt = OPENED
    assert isinstance(_Setup(FakeMixedDestination()).senders.sender_of(batch), BatchSender)


@instantly
async def test_retries_are_written_in_parts_and_the_others_are_one_job() -> None:
    destination = FakeMixedDestination()
    setup = _Setup(destination)
    async with setup.delivering([*make_items(4), *_retries(3)]):
        assert destination.started == [[0, 1, 2, 3]]
        assert sorted(destination.writes.requests) == [[100, 101], [102]]
        assert sorted(at for _, at in setup.lane.outcomes) == [100, 101, 102]
        assert sample(setup.metrics, "sluice_window_items_count", reason="split") is not None


@instantly
async def test_jobs_wait_for_room_and_writes_do_not() -> None:
    destination = FakeMixedDestination()
    setup = _Setup(destination, has_room=False)
    job = [make_item(n, batch_key="jobs") for n in range(5)]
    async with setup.delivering([*job, *make_items(2)]):
        assert (destination.started, destination.writes.requests) == ([], [[0, 1]])
        more = [make_item(200 + n, batch_key="jobs") for n in range(3)]
        setup.lane.order.admit(more)
        setup.dispatcher.add([*more, *_retries(2)])
        await asyncio.sleep(5)
        assert (destination.started, destination.writes.requests) == ([], [[0, 1], [100, 101]])
        setup.has_room = True
        setup.dispatcher.look()
        await asyncio.sleep(5)
        assert destination.started == [[0, 1, 2, 3, 4, 200, 201, 202]]


def test_parts_keep_what_is_known_of_their_batch() -> None:
    batch = make_batch([make_item(n) for n in range(4)])
    batch.suspected, batch.answered_at_loss = 2, 7
    divider = Divider(batch, [], FakeMixedDestination().write_limits, make_limiter(), lanes_of(FakeLane(0)))
    found = [(len(one.items), one.suspected, one.answered_at_loss, one.reason) for one in divider._parts()]
    assert found == [(2, 1, 7, "split"), (2, 1, 7, "split")]


@instantly
async def test_nothing_is_put_back_of_a_lane_that_is_lost_or_when_the_writer_drains() -> None:
    put_back: list[Part] = []
    limiter: Limiter = make_limiter()
    for is_lost in (True, False):
        items = [make_item(n, lane=n % 2) for n in range(6)]
        divider = Divider(
            make_batch(items),
            [],
            FakeMixedDestination().write_limits,
            limiter,
            lanes_of(FakeLane(0), FakeLane(1)),
        )
        await limiter.acquire()
        if is_lost:
            divider.lanes.lose(1)
        else:
            divider.abandon()
        await divider.run(lambda fates, times: None, put_back.extend)
        await divider.answered()
        divider.release_permit()
        divider.release_permit()
    assert [[item.offset for item in part.items] for part in put_back] == [[0, 2], [4]]
    assert limiter.in_flight == 0


@instantly
async def test_a_job_that_is_refused_is_put_back_in_halves_which_go_the_way_that_suits_them() -> None:
    destination = FakeMixedDestination()
    destination.submits.append(Refused("413", "too large", 413))
    setup = SubmitterSetup(destination, make_items(4))
    await setup.run()
    senders = _Setup(destination).senders
    found = [type(senders.sender_of(make_batch(part.items))) for part in setup.put_back]
    assert found == [BatchSender, BatchSender]
