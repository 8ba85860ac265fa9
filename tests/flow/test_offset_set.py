"""OffsetSet: the same as a plain set, and flat."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.flow.offset_set import OffsetSet
from tests.support.memory import held_bytes

OFFSET = st.one_of(st.integers(0, 40), st.integers(2030, 2070), st.integers(4090, 4100))
"""Within a bitmap, and around the ends of one and two."""
RISING = st.one_of(
    st.sets(OFFSET, max_size=30).map(sorted),
    st.tuples(OFFSET, st.integers(0, 2100)).map(lambda drawn: range(drawn[0], sum(drawn))),
)


@given(st.lists(st.tuples(st.booleans(), RISING), max_size=12))
@settings(max_examples=200, deadline=None)
def test_offsets_are_those_of_a_plain_set(changes: list[tuple[bool, list[int] | range]]) -> None:
    offsets, plain = OffsetSet(), set[int]()
    for added, some in changes:
        if added:
            offsets.add(some)
            plain.update(some)
        else:
            offsets.remove(some)
            plain.difference_update(some)
        assert [offset for run in offsets.runs() for offset in run] == sorted(plain)
        assert (len(offsets), bool(offsets), offsets.first) == (len(plain), bool(plain), min(plain, default=None))
        assert all((offset in offsets) == (offset in plain) for offset in range(0, 4200, 7))


@pytest.mark.parametrize(
    ("offsets", "runs"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([3], [range(3, 4)], id="one offset"),
        pytest.param([3, 4, 9], [range(3, 5), range(9, 10)], id="a gap"),
        pytest.param(range(2000, 5000), [range(2000, 5000)], id="neighbours over several bitmaps"),
    ],
)
def test_runs_are_as_few_as_can_be(offsets: list[int], runs: list[range]) -> None:
    assert list(OffsetSet(offsets).runs()) == runs


@pytest.mark.parametrize("step", [pytest.param(1, id="neighbours"), pytest.param(2, id="every second one")])
def test_offsets_take_a_quarter_of_a_byte_each(step: int) -> None:
    _, size_bytes = held_bytes(lambda: OffsetSet(range(0, 100_000, step)))
    assert size_bytes < 26_000


@given(RISING, OFFSET, OFFSET)
@settings(max_examples=200, deadline=None)
def test_a_run_ends_and_is_cut_where_a_plain_set_says(some: list[int] | range, start: int, stop: int) -> None:
    offsets, plain = OffsetSet(some), set(some)
    end = start
    while end in plain:
        end += 1
    assert offsets.run_end(start) == end
    within = range(start, max(start, stop))
    assert [offset for run in offsets.runs_within(within) for offset in run] == sorted(plain & set(within))
