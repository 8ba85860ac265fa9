"""Concurrency and atomicity, as in blueconic.md §6 and §1."""

import asyncio

import pytest

from sandbox.blueconic.settings import Settings
from sandbox.faults.fault import Latency
from tests.sandbox.blueconic.tenants import Tenant, group, tenant


async def _put_at_once(app: Tenant, requests: int, limit: int) -> list[int]:
    """Send groups and profiles in turn; those that are admitted are answered when all have arrived."""
    await app.control.add_fault(Latency(seconds=600, times=None, method="PUT"))
    paths = ["/groups" if index % 2 else "/profiles" for index in range(requests)]
    async with asyncio.TaskGroup() as sending:
        sent = [sending.create_task(app.http.put(path, json=[{"groupId": "g"}])) for path in paths]
        let_in = 0
        while let_in < min(limit, requests) or sum(task.done() for task in sent) < requests - limit:
            let_in = (await app.control.summary()).max_concurrent.get("bulk", 0)
        await app.control.clear_faults()
        await app.control.advance(600)
    return sorted(task.result().status_code for task in sent)


@pytest.mark.parametrize(
    ("limit", "statuses"),
    [
        pytest.param(4, [200] * 4 + [429] * 2, id="§6 concurrency: the default of 4"),
        pytest.param(2, [200] * 2 + [429] * 4, id="§6 concurrency: 2"),
        pytest.param(6, [200] * 6, id="§6 concurrency: as many as there are"),
    ],
)
async def test_too_many_bulk_requests_at_once_get_429(limit: int, statuses: list[int]) -> None:
    async with tenant(Settings(max_concurrent=limit)) as app:
        assert await _put_at_once(app, 6, limit) == statuses
        assert len(await app.control.ledger()) == statuses.count(200)


async def test_reads_do_not_count_against_the_limit() -> None:
    async with tenant(Settings(max_concurrent=0)) as app:
        assert (await app.http.get("/groupTypes")).status_code == 200


@pytest.mark.parametrize(("seconds", "header"), [(None, None), (5, "5")])
async def test_a_429_has_a_retry_after_only_when_configured(seconds: int | None, header: str | None) -> None:
    """§7."""
    async with tenant(Settings(max_concurrent=0, retry_after_s=seconds)) as app:
        answer = await app.http.put("/groups", json=[group("g")])
        assert (answer.status_code, answer.content, answer.headers.get("retry-after")) == (429, b"", header)


async def test_a_request_is_applied_at_once_or_not_yet(blueconic: Tenant) -> None:
    """A reader sees both groups of a request with the same value, whatever other requests are in progress."""

    async def write(value: int) -> None:
        for turn in range(10):
            await blueconic.put_groups(group("a", p=f"{value}-{turn}"), group("b", p=f"{value}-{turn}"))

    async def read() -> None:
        for _ in range(20):
            page = (await blueconic.http.get("/groups/company")).json()
            assert len({str(one["properties"][1:]) for one in page["groups"]}) <= 1

    async with asyncio.TaskGroup() as group_of_tasks:
        for value in range(2):
            group_of_tasks.create_task(write(value))
        group_of_tasks.create_task(read())


async def test_a_tenant_that_is_full_takes_no_more() -> None:
    async with tenant(Settings(max_stored=2)) as app:
        await app.put_groups(group("a"), group("b"))
        answer = await app.http.put("/groups", json=[group("c")])
        assert (answer.status_code, len(await app.control.ledger())) == (503, 2)
