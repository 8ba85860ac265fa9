"""Limiter: gate, probes, token bucket and adaptive concurrency, on a clock that jumps over waits."""

import asyncio
from itertools import chain, pairwise, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.writer.delivery.limiter import Limiter
from tests.support.instant_clock import duration_s, instantly, turn
from tests.writer.delivery.setups import make_limiter


async def _fail(
    limiter: Limiter, times: int = 1, retry_after_s: float | None = None, *, overloaded: bool = False
) -> list[float]:
    """Find the vendor unavailable so many ``times``, one after the other; return the seconds of each hold."""
    holds_s = []
    for _ in range(times):
        await limiter.acquire()
        holds_s.append(limiter.failed(retry_after_s, overloaded=overloaded))
    return holds_s


async def _succeed(limiter: Limiter, times: int = 1) -> None:
    for _ in range(times):
        await limiter.acquire()
        limiter.succeeded()


@instantly
async def test_permits_are_had_at_once_up_to_the_limit() -> None:
    limiter = make_limiter(max_concurrent=2)
    await limiter.acquire()
    await limiter.acquire()
    waiting = asyncio.create_task(limiter.acquire())
    await turn()
    assert (limiter.in_flight, waiting.done()) == (2, False)
    limiter.succeeded()
    await waiting
    assert limiter.in_flight == 2


@instantly
async def test_gate_opens_when_the_vendor_has_asked_for_it() -> None:
    limiter = make_limiter(uniform=lambda: 0.0)
    assert await _fail(limiter, retry_after_s=37.0) == [37.0]
    assert limiter.held_for_s == 37.0
    assert await duration_s(limiter.acquire()) == pytest.approx(37.0)
    assert limiter.held_for_s == 0.0


@instantly
async def test_gate_that_opens_between_two_readings_of_the_clock_is_open() -> None:
    looks = chain([0.0, 0.0, 0.9999], repeat(1.0001))
    limiter = make_limiter(max_concurrent=1, monotonic=lambda: next(looks))
    await limiter.acquire()
    limiter.failed(1.0, overloaded=False)
    await limiter.acquire()
    assert limiter.in_flight == 1


@instantly
async def test_later_failure_never_opens_the_gate_sooner() -> None:
    limiter = make_limiter()
    await limiter.acquire()
    await limiter.acquire()
    limiter.failed(60.0, overloaded=True)
    limiter.failed(None, overloaded=False)
    assert await duration_s(limiter.acquire()) == pytest.approx(60.0)


@instantly
async def test_backoff_doubles_up_to_its_cap_and_begins_anew_after_a_success() -> None:
    limiter = make_limiter()
    assert await _fail(limiter, 8) == [1, 2, 4, 8, 16, 32, 60, 60]
    await _succeed(limiter)
    assert await _fail(limiter) == [1]


@instantly
async def test_backoff_is_jittered_down_to_nothing() -> None:
    assert await _fail(make_limiter(uniform=iter([0.0, 0.25]).__next__), 2) == [0.0, 0.5]


@instantly
async def test_one_request_at_a_time_probes_until_one_succeeds() -> None:
    limiter = make_limiter()
    await _fail(limiter, retry_after_s=5.0)
    waiting = [asyncio.create_task(limiter.acquire()) for _ in range(3)]
    await asyncio.sleep(6)
    assert (limiter.allowed, limiter.in_flight) == (1, 1)
    limiter.succeeded()
    await asyncio.gather(*waiting)
    assert limiter.in_flight == 2


@instantly
async def test_gate_shut_again_while_waiting_is_waited_for() -> None:
    limiter = make_limiter()
    await limiter.acquire()
    await limiter.acquire()
    limiter.failed(10.0, overloaded=False)
    waiting = asyncio.create_task(duration_s(limiter.acquire()))
    await asyncio.sleep(5)
    limiter.failed(20.0, overloaded=False)
    assert await waiting == pytest.approx(25.0)


@pytest.mark.parametrize("apart_s", [pytest.param(0, id="at once"), pytest.param(2, id="far apart")])
@instantly
async def test_overload_halves_concurrency_once_for_requests_in_flight_together(apart_s: float) -> None:
    limiter = make_limiter(max_concurrent=8)
    for _ in range(8):
        await limiter.acquire()
    for _ in range(7):
        limiter.failed(0.0, overloaded=True)
        await asyncio.sleep(apart_s)
    limiter.succeeded()
    assert limiter.allowed == 4


@pytest.mark.parametrize(
    ("max_concurrent", "failures", "overloaded", "allowed"),
    [
        pytest.param(8, 2, True, 2, id="halved again in a later round"),
        pytest.param(4, 5, True, 2, id="one at least, from which it grows"),
        pytest.param(8, 5, False, 8, id="left alone by an outage without overload"),
    ],
)
@instantly
async def test_concurrency_after_failures(max_concurrent: int, failures: int, overloaded: bool, allowed: int) -> None:
    limiter = make_limiter(max_concurrent=max_concurrent)
    await _fail(limiter, failures, overloaded=overloaded)
    await _succeed(limiter)
    assert limiter.allowed == allowed


@instantly
async def test_concurrency_recovers_by_about_one_a_round_of_successes() -> None:
    limiter = make_limiter(max_concurrent=8)
    await _fail(limiter, retry_after_s=0.0, overloaded=True)
    allowed = []
    for _ in range(40):
        await _succeed(limiter)
        allowed.append(limiter.allowed)
    assert (allowed[0], allowed[-1]) == (4, 8)
    assert all(later - earlier in (0, 1) for earlier, later in pairwise(allowed))
    assert allowed.count(5) >= 4


@pytest.mark.parametrize("idle_s", [pytest.param(0, id="from the start"), pytest.param(100, id="none is saved up")])
@instantly
async def test_requests_are_spaced_at_the_configured_rate(idle_s: float) -> None:
    limiter = make_limiter(requests_per_s=5.0)
    await asyncio.sleep(idle_s)
    assert await duration_s(_succeed(limiter, 11)) == pytest.approx(2.0)


@instantly
async def test_readiness_takes_no_permit() -> None:
    limiter = make_limiter(max_concurrent=1)
    await limiter.ready()
    await limiter.ready()
    assert limiter.in_flight == 0
    await limiter.acquire()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await limiter.ready()


@instantly
async def test_cancelled_wait_takes_no_permit() -> None:
    limiter = make_limiter(max_concurrent=1)
    await limiter.acquire()
    waiting = asyncio.create_task(limiter.acquire())
    await turn()
    waiting.cancel()
    limiter.release()
    await asyncio.wait([waiting])
    assert limiter.in_flight == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["succeeded", "unavailable", "overloaded", "released"]),
        st.none() | st.floats(0, 100),
        st.floats(0, 5),
    ),
    max_size=25,
)


@given(st.integers(1, 5), st.none() | st.floats(0.5, 50), STEPS)
@settings(max_examples=100, deadline=None)
@instantly
async def test_permits_never_exceed_what_is_allowed_when_they_are_taken(
    max_concurrent: int, requests_per_s: float | None, steps: list[tuple[str, float | None, float]]
) -> None:
    limiter = make_limiter(max_concurrent=max_concurrent, requests_per_s=requests_per_s)
    rest = iter(steps)

    async def requests() -> None:
        for answer, retry_after_s, latency_s in rest:
            await limiter.acquire()
            assert limiter.held_for_s == 0.0
            assert limiter.in_flight <= limiter.allowed <= max_concurrent
            await asyncio.sleep(latency_s)
            if answer == "succeeded":
                limiter.succeeded()
            elif answer == "released":
                limiter.release()
            else:
                limiter.failed(retry_after_s, overloaded=answer == "overloaded")

    await asyncio.gather(*(requests() for _ in range(6)))
    assert limiter.in_flight == 0


@instantly
async def test_waiting_for_a_permit_goes_before_trying_for_one() -> None:
    limiter = make_limiter(max_concurrent=1)
    await limiter.acquire()
    again = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(1)
    limiter.succeeded()
    assert not limiter.try_acquire()
    await again


@pytest.mark.parametrize("asked_for_s", [None, 0.0, 0.5])
@instantly
async def test_backoff_is_the_least_wait_whatever_the_vendor_asks_for(asked_for_s: float | None) -> None:
    assert await _fail(make_limiter(), 4, asked_for_s) == [1.0, 2.0, 4.0, 8.0]
