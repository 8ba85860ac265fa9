"""Bisection: bad items are found within a budget, and a flood is seen from a sample."""

from math import ceil, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.flow.bisection import SAMPLES, Bisection


class Search:
    """A search in ``count`` items of which ``bad`` are bad: what was sent, and found."""

    def __init__(self, count: int, bad: set[int]) -> None:
        self.bisection = Bisection(count)
        self.requests = 0
        self.found: list[int] = []
        self.accepted: list[int] = []
        while (part := self.bisection.next()) is not None:
            self.requests += 1
            refused = bool(bad.intersection(part))
            if not refused:
                self.accepted += part
            elif len(part) == 1:
                self.found += part
            self.bisection.answered(refused=refused)
        self.rest = [position for part in self.bisection.rest for position in part]


@given(st.integers(2, 300), st.data())
@settings(deadline=None)
def test_each_item_is_found_accepted_or_left_within_the_budget(count: int, data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.integers(0, count - 1)))
    search = Search(count, bad)
    assert sorted([*search.found, *search.accepted, *search.rest]) == list(range(count))
    assert set(search.found) <= bad
    assert search.requests <= 2 * ceil(log2(count)) + SAMPLES


@pytest.mark.parametrize("count", [2, 3, 5, 64, 1000])
def test_one_bad_item_is_found_without_a_sample(count: int) -> None:
    for bad in range(count):
        search = Search(count, {bad})
        assert (search.found, search.rest) == ([bad], [])
        assert search.requests <= 2 * ceil(log2(count))


@pytest.mark.parametrize(("count", "budget"), [(1000, 28), (10_000, 36)])
def test_flood_is_seen_within_tens_of_requests(count: int, budget: int) -> None:
    search = Search(count, set(range(count)))
    assert search.requests == budget
    assert (len(search.found) > SAMPLES, search.bisection.bad_share) == (True, 1.0)


def test_few_bad_items_are_no_flood() -> None:
    search = Search(1000, set(range(0, 1000, 100)))
    assert search.rest
    assert search.bisection.bad_share <= 0.25


def test_items_that_are_bad_only_together_are_all_accepted() -> None:
    bisection, accepted = Bisection(4), list[int]()
    while (part := bisection.next()) is not None:
        accepted += part
        bisection.answered(refused=False)
    assert sorted(accepted) == [0, 1, 2, 3]
