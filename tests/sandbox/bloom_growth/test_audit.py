"""Audits: how often an object was created, by which request, with which title and attendees."""

import httpx
import pytest

from sandbox.bloom_growth.audit import CreatedFilter
from sandbox.faults.fault import StatusAfter
from tests.sandbox.bloom_growth.tenants import BloomTenant


async def test_a_repeated_create_is_told_with_both_requests(bloom: BloomTenant) -> None:
    """rules_bloom_liquid_reads.md X1: "no issue twice" is one look."""
    path = f"L10/{await bloom.meeting()}/issues"
    for title in ("twice", "once", "twice"):
        await bloom.send("POST", path, {"title": title})
    found = await bloom.control.created(CreatedFilter(object="issue"))
    assert [(one.title, one.times) for one in found] == [("twice", 2), ("once", 1), ("twice", 2)]
    assert len({one.request for one in found}) == 3
    assert {one.endpoint for one in found} == {"POST /api/v1/L10/{mid}/issues"}


async def test_a_title_of_another_kind_is_no_repeat(bloom: BloomTenant) -> None:
    await bloom.create("issues", title="same")
    await bloom.create("todos", title="same")
    found = await bloom.control.created(CreatedFilter(title="same"))
    assert [(one.object, one.times) for one in found] == [("issue", 1), ("todo", 1)]


async def test_a_meeting_is_told_with_all_its_attendees(bloom: BloomTenant) -> None:
    """§7: also those of ``addSelf``, of which the ledger has no entry of their own."""
    meeting = (await bloom.send("POST", "L10/create", {"title": "m", "addSelf": True}))["meetingId"]
    maria = await bloom.user("maria")
    for _ in range(2):
        await bloom.send("POST", f"L10/{meeting}/attendees/{maria}")
    [found] = await bloom.control.created()
    assert (found.object, found.id, found.title, found.times) == ("meeting", meeting, "m", 1)
    assert found.attendees == [await bloom.me(), maria]


async def test_an_object_is_told_with_its_owner_and_meetings_until_it_is_gone(bloom: BloomTenant) -> None:
    meeting, maria = await bloom.meeting(), await bloom.user("maria")
    goal = (await bloom.create("rocks", accountableUserId=maria))["Id"]
    [found] = await bloom.control.created()
    assert (found.exists, found.owner, found.meetings) == (True, maria, [meeting])
    await bloom.send("DELETE", f"rocks/{goal}")
    [found] = await bloom.control.created()
    assert (found.id, found.title, found.exists) == (goal, "t", False)


async def test_a_create_whose_answer_was_lost_is_told_and_a_refused_one_is_not(bloom: BloomTenant) -> None:
    await bloom.control.add_fault(StatusAfter(status=502))
    assert await bloom.status("POST", "L10/create", {"title": "lost"}) == 502
    assert await bloom.status("POST", "L10/create", {"title": " "}) == 400
    assert [one.title for one in await bloom.control.created()] == ["lost"]


async def test_a_deleted_meeting_is_gone(bloom: BloomTenant) -> None:
    meeting = (await bloom.send("POST", "L10/create", {"title": "m"}))["meetingId"]
    await bloom.send("DELETE", f"L10/{meeting}")
    assert [(one.exists, one.attendees) for one in await bloom.control.created()] == [(False, [])]


async def test_an_unknown_filter_is_a_400(bloom: BloomTenant) -> None:
    answer = await bloom.http.get(f"{bloom.url}/_sandbox/created?titel=x")
    assert (answer.status_code, "titel" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize("path", ["issue/1", "issue/x", "goal/5265048"])
async def test_notes_of_nothing_are_a_404(bloom: BloomTenant, path: str) -> None:
    assert (await bloom.http.get(f"{bloom.url}/_sandbox/notes/{path}")).status_code == 404


async def test_notes_are_shown_at_once(bloom: BloomTenant) -> None:
    issue = await bloom.create("issues", notes="n")
    assert await bloom.control.notes("issue", issue["Id"]) == "n"
    with pytest.raises(httpx.HTTPStatusError):
        await bloom.control.notes("todo", issue["Id"])
