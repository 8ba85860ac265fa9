"""FloodGuard: trips on a share of recent records, and never on too few of them."""

import pytest

from sluice.flow.flood_guard import FloodGuard


@pytest.mark.parametrize(
    ("batches", "trips"),
    [
        pytest.param([(9, 9)], False, id="too few records"),
        pytest.param([(10, 5)], False, id="exactly the share"),
        pytest.param([(10, 6)], True, id="more than the share"),
        pytest.param([(5, 5), (5, 1)], True, id="over several batches"),
        pytest.param([(1000, 0), (10, 6)], True, id="old records are forgotten"),
        pytest.param([(10, 5), (10, 0), (10, 5)], False, id="old dead letters are forgotten"),
    ],
)
def test_guard_trips_above_its_share_of_recent_records(batches: list[tuple[int, int]], trips: bool) -> None:
    guard = FloodGuard(max_share=0.5, over_records=10)
    reasons = [guard.count(records, dead) for records, dead in batches]
    assert (reasons[-1] is not None) is trips


def test_guard_begins_anew_after_a_person_has_looked() -> None:
    guard = FloodGuard(max_share=0.5, over_records=10)
    assert guard.count(10, 10) == "10 of the last 10 records became dead letters, more than 50%"
    guard.forget()
    assert guard.count(9, 9) is None


def test_what_seems_bad_counts_until_it_is_counted_for_good() -> None:
    guard = FloodGuard(max_share=0.5, over_records=100)
    assert guard.count(10, 10) is None
    assert guard.suspect(80, 80) is None
    assert guard.count(10, 10) == (
        "100 of the last 100 records became dead letters, or seem bad after a sample (80), more than 50%"
    )
    guard.suspect(0, 0)
    assert guard.count(80, 0) is None


def test_nothing_is_suspected_once_a_person_has_let_the_writers_go_on() -> None:
    guard = FloodGuard(max_share=0.5, over_records=100)
    assert guard.suspect(100, 100)
    guard.forget()
    assert guard.count(100, 0) is None
