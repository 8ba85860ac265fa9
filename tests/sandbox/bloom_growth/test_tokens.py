"""The rate limit, requests in flight and bounded memory. bloom_growth.md §11, §13.6."""

import asyncio

import pytest

from sandbox.bloom_growth.settings import Settings
from sandbox.faults.fault import Latency
from tests.sandbox.bloom_growth.tenants import LOGIN, BloomTenant, bloom_tenant

HELD_S = 600


async def _statuses(tenant: BloomTenant, count: int) -> list[int]:
    return [await tenant.status("GET", "users/mine") for _ in range(count)]


async def test_a_token_has_a_burst_of_20_and_10_requests_a_second() -> None:
    async with bloom_tenant(Settings(), clock_stopped=True) as limited:
        assert await _statuses(limited, 21) == [200] * 20 + [429]
        await limited.control.advance(1)
        assert await _statuses(limited, 11) == [200] * 10 + [429]


async def test_a_429_says_when_to_come_back_and_had_no_effect() -> None:
    async with bloom_tenant(Settings(burst=0), clock_stopped=True) as limited:
        answer = await limited.http.post("L10/create", json={"title": "t"})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert list(answer.json()) == ["Message"]
        assert await limited.control.ledger() == []


async def test_each_token_has_a_bucket_of_its_own() -> None:
    async with bloom_tenant(Settings(burst=1, requests_per_second=0.001), clock_stopped=True) as limited:
        headers = await limited.as_user("maria.lopez@example.com")
        assert await _statuses(limited, 2) == [200, 429]
        assert (await limited.http.get("users/mine", headers=headers)).status_code == 200


async def test_requests_in_flight_are_counted_by_token(bloom: BloomTenant) -> None:
    """§13.6: so that a client's cap can be asserted."""
    headers = await bloom.as_user("maria.lopez@example.com")
    await bloom.control.add_fault(Latency(seconds=HELD_S, times=None, path="/api/v1/"))
    async with asyncio.TaskGroup() as sending:
        for who in ({}, {}, {}, headers, headers):
            sending.create_task(bloom.http.get("users/mine", headers=who))
        while (await bloom.control.summary()).max_concurrent["all"] < 5:
            pass
        await bloom.control.clear_faults()
        await bloom.control.advance(HELD_S)
    peaks = (await bloom.control.summary()).max_concurrent
    assert peaks == {"all": 5, "token 1": 3, "token 2": 2}


TWO_WEEKS_S = 14 * 86_400


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Basic c2FuZGJveDpzYW5kYm94", "sandbox-key"])
async def test_without_a_token_a_call_is_a_401_with_a_message(bloom: BloomTenant, authorization: str) -> None:
    """§2."""
    answer = await bloom.http.get("users/mine", headers={"authorization": authorization})
    assert answer.status_code == 401
    assert answer.content == b'{"Message":"Authorization has been denied for this request."}'


async def test_a_token_dies_after_two_weeks(bloom: BloomTenant) -> None:
    await bloom.control.advance(TWO_WEEKS_S - 10)
    assert await bloom.status("GET", "users/mine") == 200
    await bloom.control.advance(10)
    assert await bloom.status("GET", "users/mine") == 401
    headers = await bloom.as_user(LOGIN["userName"])
    assert (await bloom.http.get("users/mine", headers=headers)).status_code == 200


async def test_all_tokens_can_be_made_to_die_and_a_reset_brings_the_api_key_back(bloom: BloomTenant) -> None:
    await bloom.as_user(LOGIN["userName"])
    assert await bloom.control.expire_tokens() == 2
    assert await bloom.status("GET", "users/mine") == 401
    await bloom.control.reset()
    assert await bloom.status("GET", "users/mine") == 200


async def test_a_login_leaves_older_tokens_alone(bloom: BloomTenant) -> None:
    """§15: unknown."""
    await bloom.as_user(LOGIN["userName"])
    assert await bloom.status("GET", "users/mine") == 200


async def test_strictly_a_user_has_one_token() -> None:
    """§15 ``--one-token-per-user``: a login ends the user's older ones, the API key too, and nobody else's."""
    async with bloom_tenant(Settings(requests_per_second=None, has_one_token_per_user=True)) as bloom:
        maria = await bloom.as_user("maria.lopez@example.com")
        first = await bloom.as_user(LOGIN["userName"])
        assert await bloom.status("GET", "users/mine") == 401
        second = await bloom.as_user(LOGIN["userName"])
        statuses = [(await bloom.http.get("users/mine", headers=one)).status_code for one in (first, second, maria)]
        assert statuses == [401, 200, 200]
        await bloom.control.reset()
        assert await bloom.status("GET", "users/mine") == 200


async def test_past_a_thousand_tokens_the_oldest_dies() -> None:
    async with bloom_tenant(Settings(requests_per_second=None)) as tenant:
        for _ in range(1000):
            await tenant.http.post(f"{tenant.url}/Token", data=LOGIN)
        assert (await tenant.control.state())["tokens"] == 1000
        assert await tenant.status("GET", "users/mine") == 401
