"""OrderRunner: each order is carried out once, answered in each lane, and deleted when nothing is open any more."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec
import pytest

from sluice.destinations.contract import BatchError, Misconfigured, Unavailable
from sluice.destinations.vendor_jobs import Gone, JobState, Over, Refs, Running
from sluice.events import Rows, VendorJobOrder
from sluice.writer.vendor_jobs.job_table import Forgotten, JobTable, NotArrived, Unknown, Verdict
from sluice.writer.vendor_jobs.order_runner import OrderRunner
from tests.support.factories import NOON, make_lane_job
from tests.support.fakes import FakeLane, lanes_of
from tests.support.instant_clock import in_background, instantly, turn
from tests.writer.vendor_jobs.setups import FakeBook

JOB = {"job": "7"}
RUNNING = Running("InProgress", 3)
DONE = Over(word="Completed", processed=10, failed=0)
AWAY = Unavailable("503", "busy")


class FakeVendor:
    """A vendor with one state for every job it is asked about, or one error."""

    def __init__(self, state: JobState | BatchError | None = RUNNING) -> None:
        self.state = state
        self.aborted: list[Refs] = []
        self.refuses: BatchError | None = None
        self.ref_names = ["job"]

    async def poll(self, jobs: Sequence[Refs]) -> AsyncIterator[tuple[Refs, JobState]]:
        if isinstance(self.state, BatchError):
            raise self.state
        if self.state is not None:
            yield jobs[0], self.state

    async def abort(self, refs: Refs) -> None:
        self.aborted.append(refs)
        if self.refuses is not None:
            raise self.refuses


class Setup:
    """Two lanes with one batch, submitted unless it has no ``refs``."""

    def __init__(self, state: JobState | BatchError | None = RUNNING, refs: Refs | None = JOB) -> None:
        self.vendor, self.book = FakeVendor(state), FakeBook()
        self.lanes = [FakeLane(number) for number in range(2)]
        for lane in self.lanes:
            job = make_lane_job(Rows(0, 5, 3, 0), refs=None if refs is None else dict(refs))
            lane.jobs.by_batch[job.batch_id] = job
        self.table = JobTable(lanes_of(*self.lanes), 10, self.book.orders)
        self._runner = OrderRunner(self.vendor, self.table, self.book)  # type: ignore[arg-type]

    async def runs(self, order: VendorJobOrder, *, then: Callable[[], None] = lambda: None) -> None:
        """Give ``order`` to both lanes, and later do ``then``."""
        self.book.give(order, 0, 1)
        async with in_background(self._runner.run()):
            await turn(50)
            then()
            self.book.changed.set()
            await turn(50)

    def settle(self) -> None:
        """Take note that the batch has nothing open any more."""
        for lane in self.lanes:
            lane.jobs.by_batch.clear()

    @property
    def said(self) -> set[tuple[str, str]]:
        """Results and messages; both lanes have the same."""
        assert {lane for lane, _, _ in self.book.answers} in (set(), {0, 1})
        return {(result, message) for _, result, message in self.book.answers}


def _order(kind: str, **fields: Any) -> VendorJobOrder:
    order = {"batch_id": "batch-1", "order": kind, "order_id": "o-1", "by": "alice", "at": NOON, **fields}
    return msgspec.convert(order, VendorJobOrder)


ABORT = _order("abort", reason="wrong file")
FORGET = _order("forget", reason="gone")
ATTACH = _order("attach", refs={"job": "8"})


@instantly
async def test_an_abort_ends_the_job_once_and_stands_until_all_is_collected() -> None:
    setup = Setup()
    await setup.runs(ABORT)
    assert setup.vendor.aborted == [JOB]
    assert [(lane, result) for lane, result, _ in setup.book.answers] == [(0, "done"), (1, "done")]
    assert (setup.table.asked, setup.book.deleted) == ({"batch-1"}, [])
    assert setup.table.aborted_because("batch-1") == "wrong file (aborted by alice)"
    await setup.runs(_order("abort", reason="wrong file", result="done"), then=setup.settle)
    assert (setup.book.deleted, setup.table.aborted_because("batch-1")) == ([0, 1], None)


@instantly
async def test_an_order_for_a_second_lane_that_comes_later_has_the_same_answer() -> None:
    setup = Setup()
    setup.book.give(ABORT, 0)
    async with in_background(setup._runner.run()):
        await turn(50)
        setup.table.judge("batch-1", DONE)
        setup.book.give(ABORT, 1)
        await turn(50)
    assert {result for result, _ in setup.said} == {"done"}
    assert setup.vendor.aborted == [JOB]


@pytest.mark.parametrize(
    ("verdict", "result"),
    [
        pytest.param(DONE, "failed", id="too late"),
        pytest.param(msgspec.structs.replace(DONE, aborted=True), "done", id="another writer was quicker"),
    ],
)
def test_an_abort_of_a_job_that_is_over_asks_for_nothing(verdict: Verdict, result: str) -> None:
    @instantly
    async def check() -> None:
        setup = Setup()
        setup.table.judge("batch-1", verdict)
        await setup.runs(ABORT)
        assert {one for one, _ in setup.said} == {result}
        assert setup.vendor.aborted == []

    check()


@instantly
async def test_an_abort_is_tried_again_while_the_vendor_is_away() -> None:
    setup = Setup()
    setup.vendor.refuses = AWAY
    await setup.runs(ABORT)
    assert (setup.said, len(setup.vendor.aborted)) == (set(), 1)
    setup.vendor.refuses = None
    await setup.runs(ABORT)
    assert {one for one, _ in setup.said} == {"done"}


@instantly
async def test_an_abort_that_the_vendor_refuses_has_failed() -> None:
    setup = Setup()
    setup.vendor.refuses = Misconfigured("no right to abort", 403)
    await setup.runs(ABORT)
    assert setup.said == {("failed", "no right to abort")}
    assert setup.table.aborted_because("batch-1") is None


@instantly
async def test_an_abort_of_a_lost_submit_waits_until_it_is_found_or_has_not_arrived() -> None:
    setup = Setup(refs=None)
    await setup.runs(ABORT)
    assert (setup.said, setup.vendor.aborted) == (set(), [])
    assert setup.table.aborted_because("batch-1") is not None
    setup.table.judge("batch-1", NotArrived())
    await setup.runs(ABORT, then=setup.settle)
    assert setup.said == {("done", "it has not arrived at the vendor; its records are dead letters")}


@pytest.mark.parametrize(
    ("state", "refs", "said"),
    [
        pytest.param(RUNNING, JOB, "there is nothing to collect yet: the vendor says InProgress, 3", id="running"),
        pytest.param(None, JOB, "there is nothing to collect yet: the vendor does not tell", id="not told"),
        pytest.param(AWAY, JOB, "the vendor cannot be asked: busy", id="away"),
        pytest.param(DONE, None, "its submit has no answer", id="lost"),
    ],
)
def test_nothing_is_collected_of_a_job_that_is_not_over(
    state: JobState | BatchError | None, refs: Refs | None, said: str
) -> None:
    @instantly
    async def check() -> None:
        setup = Setup(state, refs)
        await setup.runs(_order("collect"))
        [(result, message)] = setup.said
        assert (result, message.startswith(said)) == ("failed", True)
        assert setup.table.verdicts == {}

    check()


@pytest.mark.parametrize("state", [pytest.param(DONE, id="over"), pytest.param(Gone("404"), id="gone")])
def test_collecting_is_answered_when_all_has_its_receipt(state: JobState) -> None:
    @instantly
    async def check() -> None:
        setup = Setup(state)
        await setup.runs(_order("collect"))
        assert (setup.table.verdicts, setup.said) == ({"batch-1": state}, set())
        await setup.runs(_order("collect"), then=setup.settle)
        assert (setup.said, setup.book.deleted) == ({("done", "its results are collected")}, [0, 1])

    check()


@instantly
async def test_collecting_what_failed_to_be_collected_goes_on_at_once() -> None:
    setup = Setup()
    setup.table.judge("batch-1", DONE)
    setup.table.hurried.clear()
    await setup.runs(_order("collect"))
    assert (setup.table.verdicts, setup.table.hurried) == ({"batch-1": DONE}, {"batch-1"})


@instantly
async def test_a_lost_submit_is_attached_in_all_lanes() -> None:
    setup = Setup(refs=None)
    await setup.runs(ATTACH)
    assert setup.said == {("done", "attached to job=8: the vendor says InProgress, 3 items processed")}
    parts = [lane.jobs.by_batch["batch-1"] for lane in setup.lanes]
    assert [(part.refs, part.is_submitted) for part in parts] == [({"job": "8"}, True)] * 2
    entries = [entry for lane in setup.lanes for entry in lane.kept.entries if entry is not None]
    assert [(entry.state, entry.refs) for entry in entries] == [("submitted", {"job": "8"})] * 2


@pytest.mark.parametrize(
    ("setup", "verdict", "said"),
    [
        pytest.param(lambda: Setup(), None, "it is attached already: job=7", id="attached"),
        pytest.param(lambda: Setup(refs=None), NotArrived(), "it is too late", id="sent anew"),
        pytest.param(lambda: Setup(Gone("404"), None), None, "the vendor does not know job=8", id="unknown"),
    ],
)
def test_what_cannot_be_attached_stays_as_it_is(setup: Callable[[], Setup], verdict: Verdict | None, said: str) -> None:
    @instantly
    async def check() -> None:
        made = setup()
        if verdict is not None:
            made.table.judge("batch-1", verdict)
        await made.runs(ATTACH)
        [(result, message)] = made.said
        assert (result, message.startswith(said)) == ("failed", True)

    check()


@instantly
async def test_a_name_that_the_kind_needs_is_asked_for() -> None:
    setup = Setup(refs=None)
    setup.vendor.ref_names.append("batch")
    await setup.runs(ATTACH)
    assert setup.said == {("failed", "the vendor has one more name for a batch: add --ref batch=…")}
    assert not setup.lanes[0].kept.entries


@instantly
async def test_a_name_that_the_kind_does_not_know_is_refused() -> None:
    setup = Setup(refs=None)
    await setup.runs(_order("attach", refs={"job": "8", "batsh": "9"}))
    assert setup.said == {("failed", "expected job as names of a batch, got batsh")}


@instantly
async def test_a_job_of_another_batch_is_not_attached() -> None:
    setup = Setup(refs=None)
    other = make_lane_job(Rows(0, 9, 1, 0), batch_id="batch-2", refs={"job": "8", "batch": "1"})
    setup.lanes[0].jobs.by_batch["batch-2"] = other
    await setup.runs(ATTACH)
    assert setup.said == {("failed", "job=8 is another batch of ours")}


@pytest.mark.parametrize(
    ("state", "note"),
    [
        pytest.param(DONE, "", id="over"),
        pytest.param(Gone("404"), "", id="gone"),
        pytest.param(AWAY, "; the vendor could not be asked: busy", id="away"),
    ],
)
def test_what_is_forgotten_names_the_person_and_the_reason(state: JobState | BatchError, note: str) -> None:
    @instantly
    async def check() -> None:
        setup = Setup(state)
        await setup.runs(FORGET)
        assert setup.table.verdicts == {"batch-1": Forgotten("alice has given it up: gone")}
        setup.table.judge("batch-1", Unknown("lost-submit", "nobody can tell"))
        assert setup.table.verdicts == {"batch-1": Forgotten("alice has given it up: gone")}
        await setup.runs(FORGET, then=setup.settle)
        assert setup.said == {("done", f"its records are dead letters of class ambiguous{note}")}

    check()


@instantly
async def test_what_still_runs_is_not_forgotten() -> None:
    setup = Setup(RUNNING)
    await setup.runs(FORGET)
    [(result, message)] = setup.said
    assert (result, message.startswith("it may still be applied, abort it first")) == ("failed", True)
    assert setup.table.verdicts == {}


@instantly
async def test_a_lost_job_that_runs_is_not_forgotten() -> None:
    setup = Setup(RUNNING, refs=None)
    for lane in setup.lanes:
        lane.jobs.by_batch["batch-1"].refs = {"job": "7"}  # named, and its start has no answer
    await setup.runs(FORGET)
    assert {result for result, _ in setup.said} == {"failed"}
    assert setup.table.verdicts == {}


@instantly
async def test_orders_of_other_lanes_and_of_batches_that_are_being_submitted_are_left() -> None:
    setup = Setup()
    setup.table.under_way.add("batch-2")
    setup.book.give(_order("abort", batch_id="batch-3", order_id="o-3"), 7)
    await setup.runs(_order("abort", batch_id="batch-2", order_id="o-2"))
    assert (setup.book.answers, setup.book.deleted) == ([], [])


@instantly
async def test_an_order_without_anything_open_is_answered_and_deleted() -> None:
    setup = Setup()
    setup.settle()
    await setup.runs(ABORT)
    assert {result for result, _ in setup.said} == {"failed"}
    assert setup.book.deleted == [0, 1]
    await setup.runs(_order("collect", order_id="o-2"))
    assert ("done", "its records have their receipts already") in setup.said
