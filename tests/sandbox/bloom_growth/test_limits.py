"""The rate limit, requests in flight and bounded memory. bloom_growth.md §11, §13.6."""

import asyncio

from sandbox.bloom_growth.settings import Settings
from sandbox.faults.fault import Latency
from tests.sandbox.bloom_growth.tenants import BloomTenant, bloom_tenant

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


async def test_what_does_not_fit_is_a_503_and_changes_nothing() -> None:
    async with bloom_tenant(Settings(requests_per_second=None, max_stored_bytes=100_000)) as small:
        meeting = await small.meeting()
        before = await small.control.state()
        notes = "x" * 100_000
        assert await small.status("POST", f"L10/{meeting}/issues", {"title": "t", "notes": notes}) == 503
        assert await small.control.state() == before
        assert await small.status("POST", f"L10/{meeting}/issues", {"title": "t"}) == 200


async def test_what_is_deleted_makes_room(bloom: BloomTenant) -> None:
    before = (await bloom.control.state())["stored_bytes"]
    goal = await bloom.send("POST", "rocks/create", {"title": "x" * 1000})
    assert (await bloom.control.state())["stored_bytes"] != before
    await bloom.send("DELETE", f"rocks/{goal['Id']}")
    assert (await bloom.control.state())["stored_bytes"] == before
