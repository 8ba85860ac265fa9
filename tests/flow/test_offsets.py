"""Offsets: the contiguous prefix over what was given, in whatever order it settles."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.flow.offsets import OffsetProgress
from tests.support.memory import held_bytes

GIVEN = st.sets(st.integers(5, 60), min_size=1, max_size=25).map(sorted)
"""Rising offsets with gaps."""


def test_nothing_given_leaves_the_committed_position() -> None:
    progress = OffsetProgress(7)
    assert (progress.position, progress.unsettled, progress.oldest) == (7, 0, None)


@pytest.mark.parametrize(
    ("given_offsets", "settled", "position", "oldest"),
    [
        pytest.param([0, 1, 2], [1, 2], 0, 0, id="waits for the oldest offset"),
        pytest.param([3, 8, 20], [3, 8], 20, 20, id="passes gaps, behind which nothing more can be given"),
        pytest.param([4], [4], 5, None, id="stays behind the last given offset"),
    ],
)
def test_position(given_offsets: list[int], settled: list[int], position: int, oldest: int | None) -> None:
    progress = OffsetProgress(0)
    progress.give(given_offsets)
    progress.settle(settled)
    unsettled = len(given_offsets) - len(settled)
    assert (progress.position, progress.unsettled, progress.oldest) == (position, unsettled, oldest)


@pytest.mark.parametrize(
    ("offset", "follows"),
    [
        pytest.param(9, False, id="below the committed position"),
        pytest.param(10, False, id="given before"),
        pytest.param(12, False, id="the last one given"),
        pytest.param(13, True, id="the next one"),
        pytest.param(99, True, id="one behind a gap"),
    ],
)
def test_offset_follows_only_what_was_given(offset: int, follows: bool) -> None:
    progress = OffsetProgress(10)
    progress.give([10, 12])
    progress.settle([10, 12])
    assert progress.follows(offset) is follows


def test_gap_reaches_from_the_position_to_the_last_offset_given() -> None:
    progress = OffsetProgress(10)
    assert progress.gap == 0
    progress.give([10, 11, 30])
    progress.settle([11, 30])
    assert progress.gap == 21
    progress.settle([10])
    assert progress.gap == 0


def _settle_millions_behind_one() -> OffsetProgress:
    progress = OffsetProgress(0)
    progress.give([0])
    for start in range(1, 3_500_000, 4000):
        progress.give(range(start, start + 4000))
        progress.settle(range(start + 1000, start + 4000))
        progress.settle(range(start, start + 1000))
    return progress


def test_millions_settled_behind_one_open_offset_take_no_memory() -> None:
    progress, size_bytes = held_bytes(_settle_millions_behind_one)
    assert (progress.position, progress.unsettled) == (0, 1)
    assert size_bytes < 10_000


def test_first_offset_follows_from_the_committed_position_on() -> None:
    progress = OffsetProgress(10)
    assert not progress.follows(9)
    assert progress.follows(10)


@given(GIVEN, st.data())
@settings(max_examples=100, deadline=None)
def test_any_order_of_settling_ends_behind_the_last_offset(given_offsets: list[int], data: st.DataObject) -> None:
    progress = OffsetProgress(given_offsets[0])
    progress.give(given_offsets)
    for offset in data.draw(st.permutations(given_offsets)):
        progress.settle([offset])
    assert (progress.position, progress.unsettled, progress.oldest) == (given_offsets[-1] + 1, 0, None)


@given(GIVEN, st.data())
@settings(max_examples=100, deadline=None)
def test_position_never_passes_an_unsettled_offset_and_never_goes_back(
    given_offsets: list[int], data: st.DataObject
) -> None:
    progress = OffsetProgress(0)
    progress.give(given_offsets)
    unsettled = set(given_offsets)
    before = progress.position
    for offset in data.draw(st.permutations(given_offsets)):
        progress.settle([offset])
        unsettled.discard(offset)
        assert before <= progress.position <= min(unsettled, default=given_offsets[-1] + 1)
        assert progress.unsettled == len(unsettled)
        assert progress.oldest == min(unsettled, default=None)
        before = progress.position


@given(GIVEN, st.data())
@settings(max_examples=100, deadline=None)
def test_everything_below_the_position_is_settled_when_giving_and_settling_alternate(
    given_offsets: list[int], data: st.DataObject
) -> None:
    progress = OffsetProgress(0)
    rest = list(given_offsets)
    unsettled: set[int] = set()
    while rest or unsettled:
        if rest and (not unsettled or data.draw(st.booleans())):
            offset = rest.pop(0)
            assert progress.follows(offset)
            progress.give([offset])
            unsettled.add(offset)
        else:
            offset = data.draw(st.sampled_from(sorted(unsettled)))
            unsettled.remove(offset)
            progress.settle([offset])
        assert all(offset >= progress.position for offset in unsettled)
    assert progress.position == given_offsets[-1] + 1


def test_what_is_skipped_needs_no_settling() -> None:
    progress = OffsetProgress(3)
    progress.give(range(5, 7))
    progress.skip_to(100)
    assert (progress.next, progress.position, progress.follows(99)) == (100, 5, False)
    progress.settle(range(5, 7))
    assert progress.position == 100
