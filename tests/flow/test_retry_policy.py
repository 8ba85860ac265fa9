"""Retries: the retry topic of each attempt, giving up, the bounds of the back-off."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.flow.retry_policy import RetryPolicy, backoff_s

POLICY = RetryPolicy(delays_s=(30.0, 120.0), max_attempts=4)


@pytest.mark.parametrize(
    ("policy", "attempt", "tier"),
    [
        pytest.param(POLICY, 1, 1, id="the first failure goes to the first tier"),
        pytest.param(POLICY, 2, 2, id="the second failure goes to the second tier"),
        pytest.param(POLICY, 3, 2, id="past the last tier it stays with the last"),
        pytest.param(POLICY, 4, None, id="the last attempt is given up"),
        pytest.param(POLICY, 99, None, id="more attempts than allowed are given up"),
        pytest.param(RetryPolicy(delays_s=(30.0,), max_attempts=1), 1, None, id="one attempt means no retry"),
        pytest.param(RetryPolicy(delays_s=(), max_attempts=9), 1, None, id="without retry topics there is no retry"),
    ],
)
def test_tier_of_a_failed_attempt(policy: RetryPolicy, attempt: int, tier: int | None) -> None:
    assert policy.tier(attempt) == tier


@given(st.lists(st.floats(1, 3600), max_size=5).map(sorted), st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_an_item_is_sent_at_most_max_attempts_times(delays_s: list[float], max_attempts: int) -> None:
    policy = RetryPolicy(delays_s=tuple(delays_s), max_attempts=max_attempts)
    attempt = 1
    waits_s = []
    while (tier := policy.tier(attempt)) is not None:
        waits_s.append(policy.delays_s[tier - 1])
        attempt += 1
    assert attempt == (max_attempts if delays_s else 1)
    assert waits_s == sorted(waits_s)


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        pytest.param(1, 0.5, id="base after the first failure"),
        pytest.param(2, 1.0, id="doubled after the second"),
        pytest.param(4, 4.0, id="doubled again after each further one"),
        pytest.param(8, 60.0, id="capped"),
        pytest.param(100_000, 60.0, id="capped also after a night of failures"),
    ],
)
def test_longest_backoff(failures: int, expected: float) -> None:
    assert backoff_s(failures, base_s=0.5, cap_s=60.0, uniform=1.0) == expected


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.floats(0.01, 10), st.floats(0.01, 600))
@settings(max_examples=200, deadline=None)
def test_backoff_is_jittered_over_its_whole_range(failures: int, uniform: float, base_s: float, cap_s: float) -> None:
    longest_s = backoff_s(failures, base_s=base_s, cap_s=cap_s, uniform=1.0)
    assert longest_s <= cap_s
    assert backoff_s(failures, base_s=base_s, cap_s=cap_s, uniform=uniform) == uniform * longest_s
