"""LaneJob: which record is which row, and which have a fate."""

from hypothesis import given
from hypothesis import strategies as st

from sluice.events import Rows
from sluice.flow.lane_job import JobRows, LaneJob
from tests.support.factories import make_lane_job
from tests.support.memory import held_bytes

RUNS = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), max_size=8)
"""Gaps, and lengths behind them."""


@given(RUNS)
def test_every_record_is_the_row_that_it_was_added_as(runs: list[tuple[int, int]]) -> None:
    rows, offset, expected = JobRows(), 0, dict[int, int]()
    for gap, length in runs:
        offset += gap
        row = 3 * len(expected)
        rows.add(Rows(0, offset, length, row), [10 * (row + at) for at in range(length)])
        expected.update({offset + at: row + at for at in range(length)})
        offset += length
    found = {at: rows.row_of(at) for at in range(offset + 2)}
    assert {at: row for at, row in found.items() if row is not None} == expected
    assert list(rows.hashes_of(expected)) == [10 * row for row in expected.values()] == list(rows.open_hashes)


def test_rows_are_open_until_they_have_their_fate() -> None:
    job = make_lane_job(Rows(0, 5, 3, 0), Rows(2, 9, 1, 3))
    job.remove(0, [5, 7])
    job.remove(1, [5])  # another topic's
    assert job.open == 2
    assert list(job.rows[0].open_hashes) == [6]
    assert job.rows[0].row_of(7) == 2  # also when it has its fate


def test_a_million_scattered_rows_are_small() -> None:
    def hold() -> LaneJob:
        job = make_lane_job()
        for row in range(100_000):
            job.add(Rows(0, 8 * row, 1, row), [row])
        return job

    assert held_bytes(hold)[1] < 100_000 * 36
