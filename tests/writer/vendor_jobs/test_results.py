"""Results: a row has the fate that its own result tells, and none by its place where that may be another's."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import pytest

from sluice.destinations.vendor_jobs import Over, Refs, ResultsIncomplete, Sent
from sluice.events import Rows
from sluice.flow.batch import Item
from sluice.flow.lane_job import LaneJob
from sluice.flow.outcome import Fate, Outcome
from sluice.writer.vendor_jobs.job_table import Job
from sluice.writer.vendor_jobs.results import fates_of, read_results, unknown_fate
from tests.support.factories import AMBIGUOUS, DELIVERED, make_batch, make_item, make_lane_job
from tests.support.fake_jobs import DONE, FakeJobDestination, Result, nothing_sent
from tests.support.fakes import FakeLane

STOPPED = Over(word="Failed", processed=1, failed=0, message="too many batches")
ABORTED = Over(word="Aborted", processed=1, failed=0, aborted=True)


def _job(*parts: LaneJob) -> Job:
    return Job([(FakeLane(number), part) for number, part in enumerate(parts)])


def _fate(outcome: Outcome | None, *, over: Over = DONE, replay_safe: bool = True, why: str | None = None) -> Outcome:
    item = make_batch([make_item(replay_safe=replay_safe)]).items[0]
    [(_, fate)] = fates_of([item], {0: outcome}, over, FakeJobDestination(), why)
    return fate


async def test_only_results_of_rows_that_are_here_and_open_are_kept() -> None:
    first, second = make_lane_job(Rows(0, 5, 2, 0), refs={}, items=6), make_lane_job(Rows(1, 9, 2, 3), refs={}, items=6)
    first.remove(0, [5])
    destination = FakeJobDestination()
    assert set(await read_results(destination, _job(first, second), DONE, nothing_sent, may_be_incomplete=False)) == {
        1,
        3,
        4,
    }


@pytest.mark.parametrize("rows", [2, 4], ids=["too few", "too many"])
async def test_results_of_another_length_tell_nothing_by_their_place(rows: int) -> None:
    job, destination = _job(make_lane_job(Rows(0, 5, 3, 0), refs={}, items=3)), FakeJobDestination()
    destination.results = [(row, DELIVERED) for row in range(rows)]
    with pytest.raises(ResultsIncomplete, match=f"expected 3 results, got {rows}"):
        await read_results(destination, job, DONE, nothing_sent, may_be_incomplete=False)
    assert await read_results(destination, job, DONE, nothing_sent, may_be_incomplete=True) == {}


async def test_results_that_the_vendor_calls_incomplete_are_so() -> None:
    job, destination = _job(make_lane_job(Rows(0, 5, 1, 0), refs={}, items=1)), FakeJobDestination()
    error = ResultsIncomplete("the last page is missing")
    destination.collects += [error, error]
    with pytest.raises(ResultsIncomplete, match="the last page"):
        await read_results(destination, job, DONE, nothing_sent, may_be_incomplete=False)
    assert await read_results(destination, job, DONE, nothing_sent, may_be_incomplete=True) == {}


async def test_results_by_identity_are_kept_as_far_as_they_go() -> None:
    job = _job(make_lane_job(Rows(0, 5, 3, 0), refs={}, items=3))
    destination = FakeJobDestination(joins_by="identity")
    results: list[Result] = [("a", DELIVERED), ("b", None)]
    destination.results = results
    assert await read_results(destination, job, DONE, nothing_sent, may_be_incomplete=True) == dict(results)


FAILED = Outcome(Fate.RETRYABLE, "LOCKED")


@pytest.mark.parametrize("told", [[DELIVERED, FAILED], [FAILED, DELIVERED], [DELIVERED, None], [None, DELIVERED]])
async def test_what_was_applied_stays_so_whatever_else_is_told_of_it(told: list[Outcome | None]) -> None:
    job = _job(make_lane_job(Rows(0, 5, 1, 0), refs={}, items=1))
    destination = FakeJobDestination(joins_by="identity")
    destination.results = [("a", outcome) for outcome in told]
    assert await read_results(destination, job, DONE, nothing_sent, may_be_incomplete=False) == {"a": DELIVERED}


async def test_an_item_that_is_told_twice_does_not_stand_for_another() -> None:
    job = _job(make_lane_job(Rows(0, 5, 2, 0), refs={}, items=2))
    destination = FakeJobDestination(joins_by="identity")
    destination.results = [("a", FAILED), ("a", None)]
    with pytest.raises(ResultsIncomplete, match="expected 2 results, got 1"):
        await read_results(destination, job, DONE, nothing_sent, may_be_incomplete=False)
    assert await read_results(destination, job, DONE, nothing_sent, may_be_incomplete=True) == {"a": FAILED}


def test_an_item_is_known_by_its_row_or_by_its_identity() -> None:
    items = make_batch(make_item(offset, identity=f"id-{offset}") for offset in (7, 8)).items
    by_row: dict[object, str] = {0: "a", 1: "b"}
    by_identity: dict[object, str] = {"id-8": "b", "id-7": "a"}
    rows, identities = FakeJobDestination(), FakeJobDestination(joins_by="identity")
    for destination, by_name in ((rows, by_row), (identities, by_identity)):
        results = {name: Outcome(Fate.DELIVERED, code) for name, code in by_name.items()}
        fates = fates_of(items, results, DONE, destination, None)
        assert [(item.offset, outcome.code) for item, outcome in fates] == [(7, "a"), (8, "b")]


@pytest.mark.parametrize(
    ("over", "reason", "fate"),
    [
        pytest.param(
            STOPPED,
            None,
            Outcome(
                Fate.RETRYABLE,
                "unprocessed",
                "the vendor has not processed it: Failed too many batches",
                uses_attempt=False,
            ),
            id="stopped by the vendor",
        ),
        pytest.param(
            ABORTED,
            None,
            Outcome(Fate.CANCELLED, "aborted-at-vendor", "somebody has aborted the vendor's job: Aborted"),
            id="aborted by others",
        ),
        pytest.param(ABORTED, "a mistake", Outcome(Fate.CANCELLED, "aborted", "a mistake"), id="aborted by us"),
    ],
)
@pytest.mark.parametrize("replay_safe", [True, False])
def test_what_the_vendor_has_not_touched(over: Over, reason: str | None, fate: Outcome, replay_safe: bool) -> None:
    assert _fate(None, over=over, why=reason, replay_safe=replay_safe) == fate


def test_what_was_processed_before_an_abort_keeps_its_fate() -> None:
    assert _fate(DELIVERED, over=ABORTED, why="a mistake") == DELIVERED


@pytest.mark.parametrize(("replay_safe", "fate"), [(True, Fate.RETRYABLE), (False, Fate.AMBIGUOUS)])
def test_what_nobody_can_tell_is_tried_again_only_if_it_may_be(replay_safe: bool, fate: Fate) -> None:
    assert _fate(AMBIGUOUS, replay_safe=replay_safe).fate is fate
    item = make_item(replay_safe=replay_safe)
    assert unknown_fate(item, "code", "why") == Outcome(fate, "code", "why")
    [(_, without_result)] = fates_of([item], {}, DONE, FakeJobDestination(), None)
    assert (without_result.fate, without_result.code) == (fate, "no-result")


class _Comparing(FakeJobDestination):
    """A vendor whose results say nothing: what was sent is compared with what it holds."""

    async def collect(self, refs: Refs, over: Over, items: int, sent: Sent) -> AsyncIterator[Result]:
        async for item in sent():
            if item.offset != 7:
                yield item.row, DELIVERED


@pytest.mark.parametrize("offsets", [(5, 6), (5, 6, 7)], ids=["all", "one is missing"])
async def test_rows_of_other_processes_are_not_expected_where_results_come_of_what_was_sent(
    offsets: Sequence[int],
) -> None:
    job = _job(make_lane_job(Rows(0, 5, 2, 0), refs={}, items=9))
    items = make_batch(make_item(offset) for offset in offsets).items

    async def sent() -> AsyncGenerator[Item, None]:
        for item in items:
            yield item

    if len(offsets) == 2:
        assert await read_results(_Comparing(), job, DONE, sent, may_be_incomplete=False) == {
            0: DELIVERED,
            1: DELIVERED,
        }
    else:
        with pytest.raises(ResultsIncomplete, match="expected 3 results, got 2"):
            await read_results(_Comparing(), job, DONE, sent, may_be_incomplete=False)


@pytest.mark.parametrize(("may_be_repeated", "fate"), [(True, Fate.RETRYABLE), (False, Fate.AMBIGUOUS)])
def test_what_somebody_else_has_written_since_is_not_sent_again(may_be_repeated: bool, fate: Fate) -> None:
    told = Outcome(Fate.AMBIGUOUS, "other-values", may_be_repeated=may_be_repeated)
    assert _fate(told).fate is fate
