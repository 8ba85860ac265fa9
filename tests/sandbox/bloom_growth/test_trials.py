"""Trials of rules_bloom_liquid_reads.md, staged: what a naive client does here goes wrong as the document says."""

import asyncio
from contextlib import suppress
from typing import Any

import httpx
import pytest

from sandbox.bloom_growth.audit import CreatedFilter
from sandbox.bloom_growth.faults import VanishMeeting
from sandbox.bloom_growth.settings import Settings
from sandbox.faults.fault import DropAfter, DropBefore, Latency
from tests.sandbox.bloom_growth.tenants import BloomTenant, bloom_tenant

LATE_S = 600
STRICT_OWNER = Settings(requests_per_second=None, binds_personal_owner=False)


async def _lose(bloom: BloomTenant, method: str, path: str, body: object) -> None:
    """Send a request whose connection a fault drops."""
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await bloom.http.request(method, path, json=body)


async def _give_up(bloom: BloomTenant, method: str, path: str, body: dict[str, str]) -> None:
    """Send a request, and leave once a latency holds it."""
    await bloom.control.add_fault(Latency(seconds=LATE_S, method=method, contains=body["title"]))
    sending = asyncio.create_task(bloom.http.request(method, path, json=body))
    while await bloom.control.faults():
        pass
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending


async def _arrive(bloom: BloomTenant) -> None:
    """Let the time of the latency pass, and wait until the vendor has done what waits for it."""
    before = (await bloom.control.summary()).entries
    await bloom.control.advance(LATE_S)
    while (await bloom.control.summary()).entries == before:
        pass


async def _titles(bloom: BloomTenant, path: str) -> list[str]:
    return [one["Name"] for one in await bloom.get(path)]


async def test_a_create_is_applied_long_after_its_client_has_left(bloom: BloomTenant) -> None:
    """X1: who looks twice, finds nothing and creates again has made two issues of one record. §15."""
    path = f"L10/{await bloom.meeting()}/issues"
    await _give_up(bloom, "POST", path, {"title": "late"})
    assert [(await _titles(bloom, path)).count("late") for _ in range(2)] == [0, 0]
    await bloom.send("POST", path, {"title": "late"})
    await _arrive(bloom)
    assert [one.times for one in await bloom.control.created(CreatedFilter(title="late"))] == [2, 2]


async def test_a_lost_create_looks_like_anothers_issue(bloom: BloomTenant) -> None:
    """X2: one create never arrives, a namesake of another client does; the list has one."""
    path = f"L10/{await bloom.meeting()}/issues"
    await bloom.control.add_fault(DropBefore(method="POST"))
    await _lose(bloom, "POST", path, {"title": "same"})
    other = await bloom.as_user("maria.lopez@example.com")
    body = {"title": "same", "ownerId": await bloom.me()}
    assert (await bloom.http.post(path, json=body, headers=other)).status_code == 200
    [seen] = [one for one in await bloom.get(path) if one["Name"] == "same"]
    assert seen["Owner"]["Id"] == await bloom.me()
    assert len(await bloom.control.created(CreatedFilter(title="same"))) == 1


async def test_a_personal_todo_for_somebody_else_is_mine() -> None:
    """X3: under a server that ignores the owner it is in the caller's list only."""
    async with bloom_tenant(STRICT_OWNER) as bloom:
        maria = await bloom.user("maria")
        await bloom.control.add_fault(DropAfter(method="POST"))
        await _lose(bloom, "POST", "todo/create", {"title": "lost", "accountableUserId": maria})
        assert "lost" not in await _titles(bloom, f"todo/user/{maria}")
        assert "lost" in await _titles(bloom, "todo/users/mine")


@pytest.mark.parametrize("is_deleted", [pytest.param(False, id="renamed"), pytest.param(True, id="deleted")])
async def test_a_person_hides_a_lost_create(bloom: BloomTenant, is_deleted: bool) -> None:
    """X4: the title is in no list, and yet it was created."""
    path = f"L10/{await bloom.meeting()}/issues"
    await bloom.control.add_fault(DropAfter(method="POST"))
    await _lose(bloom, "POST", path, {"title": "lost"})
    [made] = await bloom.control.created()
    if is_deleted:
        await bloom.send("DELETE", f"{path}/{made.id}")
    else:
        await bloom.send("PUT", f"issues/{made.id}", {"title": "new"})
    assert "lost" not in await _titles(bloom, f"{path}?include_resolved=true")
    assert [one.title for one in await bloom.control.created()] == ["lost"]


async def test_an_older_namesake_looks_like_a_lost_create(bloom: BloomTenant) -> None:
    """X5: the create never arrives; only a baseline tells that the listed one is older."""
    path = f"L10/{await bloom.meeting()}/issues"
    older = await bloom.create("issues", title="same")
    await bloom.control.advance(3600)
    await bloom.control.add_fault(DropBefore(method="POST"))
    await _lose(bloom, "POST", path, {"title": "same"})
    assert [one for one in await bloom.get(path) if one["Name"] == "same"] == [older]
    assert (await bloom.create("issues"))["CreateTime"] > older["CreateTime"]


async def test_a_lost_meeting_without_its_maker_is_in_nobodys_list(bloom: BloomTenant) -> None:
    """X6."""
    await bloom.control.add_fault(DropAfter(method="POST"))
    await _lose(bloom, "POST", "L10/create", {"title": "lost", "addSelf": False})
    assert "lost" not in await _titles(bloom, "L10/list")
    assert [one.attendees for one in await bloom.control.created()] == [[]]


async def test_an_update_that_timed_out_wins_over_a_later_one(bloom: BloomTenant) -> None:
    """X7: v1 is given up, v2 is answered, v1 stands at the end."""
    path = f"issues/{(await bloom.create('issues', title='v0'))['Id']}"
    await _give_up(bloom, "PUT", path, {"title": "v1"})
    await bloom.send("PUT", path, {"title": "v2"})
    assert (await bloom.get(path))["Name"] == "v2"
    await _arrive(bloom)
    assert (await bloom.get(path))["Name"] == "v1"


async def test_a_meeting_vanishes_between_two_calls(bloom: BloomTenant) -> None:
    """X15: its first read succeeds, its four lists are unknown."""
    meeting = await bloom.meeting()
    await bloom.control.add_fault(VanishMeeting(path=f"/api/v1/L10/{meeting}"))
    paths = [f"L10/{meeting}{name}" for name in ("", "/attendees", "/issues", "/todos", "/measurables")]
    assert [await bloom.status("GET", path) for path in paths] == [200, 404, 404, 404, 404]


async def test_a_bad_attendee_leaves_an_orphan_without_its_id(bloom: BloomTenant) -> None:
    """X19, by ``bloomy-python``."""
    bloomy: Any = pytest.importorskip("bloomy", reason="bloomy-python wants Python 3.12")
    async with bloomy.AsyncClient(api_key="sandbox-key", base_url=f"{bloom.url}/api/v1") as client:
        made = await client.meeting.create_many([{"title": "orphan", "attendees": [1]}])
    assert (made.successful, len(made.failed)) == ([], 1)
    assert [(one.title, one.exists) for one in await bloom.control.created()] == [("orphan", True)]
