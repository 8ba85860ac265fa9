"""DueTimes: no message waits longer than its topic's delay, whatever clock has written its header."""

from math import inf
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.flow.due_times import STEPS, DueTimes

DELAY_S = 64.0
STEP_S = DELAY_S / STEPS


@pytest.mark.parametrize(
    ("not_before_in_s", "wait_s"),
    [
        pytest.param(10.0, 10.0, id="as its header says"),
        pytest.param(-5.0, -5.0, id="due"),
        pytest.param(3600.0, 64.0, id="a writer's clock an hour ahead: the delay"),
        pytest.param(-inf, -inf, id="no header"),
    ],
)
def test_message_that_is_just_known_waits(not_before_in_s: float, wait_s: float) -> None:
    times = DueTimes(DELAY_S)
    times.note(1, 100.0)
    assert times.wait_s(0, not_before_in_s, 100.0) == wait_s


def test_message_waits_from_when_it_was_known_also_when_it_is_read_again() -> None:
    times = DueTimes(DELAY_S)
    times.note(1, 100.0)
    times.note(5, 150.0)
    assert [times.wait_s(offset, 3600.0, 163.0) for offset in (0, 1, 4)] == [1.0, 51.0, 51.0]


def test_messages_behind_the_last_one_read_count_as_known() -> None:
    times = DueTimes(DELAY_S)
    times.note(1_000_000, 100.0)
    times.note(1_000_000, 164.0)
    assert times.wait_s(999_999, 3600.0, 164.0) == 0.0


@given(
    st.lists(st.tuples(st.floats(0, 30), st.integers(1, 3)), min_size=1, max_size=300),
    st.randoms(use_true_random=False),
)
@settings(max_examples=100, deadline=None)
def test_no_message_waits_longer_than_the_delay_and_none_is_early_without_reason(
    steps: list[tuple[float, int]], random: Random
) -> None:
    times, now_s, end, head = DueTimes(DELAY_S), 0.0, 0, 0
    headers = [random.uniform(-1e4, 1e4) for _ in range(3 * len(steps))]
    known_at_s: list[float] = []
    for passed_s, more in steps:
        now_s += passed_s
        known_at_s += [now_s] * more
        end += more
        times.note(end, now_s)
        while head < end:
            wait_s = times.wait_s(head, headers[head] - now_s, now_s)
            assert wait_s <= max(0.0, known_at_s[head] + DELAY_S - now_s)
            assert wait_s >= min(headers[head], known_at_s[head] + DELAY_S - STEP_S) - now_s - 1e-6
            if wait_s > 0:
                break
            head += 1
        assert len(times) <= STEPS + 2
