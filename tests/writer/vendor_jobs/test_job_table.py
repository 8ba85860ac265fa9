"""JobTable: one job is one, however many lanes have rows of it."""

import pytest

from sluice.destinations.vendor_jobs import Gone
from sluice.events import Rows
from sluice.writer.vendor_jobs.job_table import NotArrived, Verdict
from tests.support.fake_jobs import DONE
from tests.support.fakes import FakeLane
from tests.writer.vendor_jobs.setups import found_job, table_of

ROWS = Rows(0, 5, 2, 0)


def test_parts_of_a_job_are_one_job() -> None:
    lanes = [FakeLane(0, jobs=[found_job(ROWS)]), FakeLane(1, jobs=[found_job(ROWS)])]
    [job] = table_of(*lanes, FakeLane(2))
    assert [lane for lane, _ in job.parts] == lanes
    assert (job.batch_id, job.open) == ("batch-1", 4)


def test_jobs_of_one_lane_are_several() -> None:
    table = table_of(FakeLane(0, jobs=[found_job(ROWS), found_job(Rows(0, 9, 1, 0), batch_id="batch-2")]))
    assert [job.batch_id for job in table] == ["batch-1", "batch-2"]


def test_the_part_that_knows_most_speaks_for_the_job() -> None:
    lost, named = found_job(ROWS, refs=None), found_job(ROWS, refs=None)
    named.refs = {"job": "J"}
    submitted = found_job(ROWS, refs={"job": "J", "batch": "B"})
    for parts, known in (((lost, named), named), ((submitted, named), submitted)):
        [job] = table_of(*(FakeLane(number, jobs=[part]) for number, part in enumerate(parts)))
        assert job.known is known


def test_a_job_is_looked_up_by_its_batch() -> None:
    table = table_of(FakeLane(0, jobs=[found_job(ROWS)]), FakeLane(1))
    job = table.get("batch-1")
    assert job is not None
    assert len(job.parts) == 1
    assert table.get("batch-2") is None


def test_there_is_room_beside_the_jobs_of_all_lanes_and_the_batches_under_way() -> None:
    table = table_of(FakeLane(0, jobs=[found_job(ROWS)]), FakeLane(1, jobs=[found_job(ROWS)]), max_jobs=3)
    assert [table.has_room(under_way) for under_way in (0, 1, 2)] == [True, True, False]


@pytest.mark.parametrize(
    ("verdict", "has_room"),
    [
        pytest.param(DONE, False, id="over, but not collected"),
        pytest.param(NotArrived(), True, id="never arrived"),
        pytest.param(Gone("deleted"), False, id="gone, but not settled"),
    ],
)
def test_job_that_the_vendor_does_not_have_takes_no_room(verdict: Verdict, has_room: bool) -> None:
    table = table_of(FakeLane(0, jobs=[found_job(ROWS)]), max_jobs=1)
    table.judge("batch-1", verdict)
    assert table.has_room(0) is has_room


def test_what_is_known_of_a_job_is_forgotten_with_it() -> None:
    lane = FakeLane(0, jobs=[found_job(ROWS)])
    table = table_of(lane)
    table.judge("batch-1", DONE)
    table.judge("batch-0", NotArrived())
    table.words.update({"batch-0": "done", "batch-1": "done"})
    table.forget()
    assert (table.verdicts, table.words) == ({"batch-1": DONE}, {"batch-1": "done"})


def test_the_last_verdict_on_a_job_counts() -> None:
    table = table_of(FakeLane(0, jobs=[found_job(ROWS)]))
    table.judge("batch-1", DONE)
    table.judge("batch-1", Gone("deleted"))
    assert table.judged.is_set()
    assert table.verdicts == {"batch-1": Gone("deleted")}
