"""Meetings as in bloom_growth.md §3 rows 26–32 and §7."""

from typing import Any

import pytest

from tests.sandbox.bloom_growth.tenants import BloomTenant


async def _create(bloom: BloomTenant, **fields: Any) -> int:
    answer = await bloom.send("POST", "L10/create", {"title": "m", "addSelf": True, **fields})
    return int(answer["meetingId"])


async def _names(bloom: BloomTenant, path: str = "L10/list") -> list[str]:
    return [one["Name"] for one in await bloom.get(path)]


async def test_a_create_answers_its_id_alone_and_in_camel_case(bloom: BloomTenant) -> None:
    """§1, §3.26, §7."""
    answer = await bloom.send("POST", "L10/create", {"title": "Weekly Team Sync", "addSelf": True})
    assert list(answer) == ["meetingId"]


@pytest.mark.parametrize(
    ("fields", "is_listed"),
    [
        pytest.param({"addSelf": True}, True, id="§7 true"),
        pytest.param({"addSelf": False}, False, id="§7 false"),
        pytest.param({"addSelf": None}, False, id="§7 false is the server's default"),
        pytest.param({"ADDSELF": True, "addSelf": True}, True, id="§1 any case"),
    ],
)
async def test_add_self_lists_the_meeting(bloom: BloomTenant, fields: dict[str, object], is_listed: bool) -> None:
    """§7 [test:live]: without, the creator can still read and delete it."""
    meeting = await _create(bloom, **fields)
    assert ("m" in await _names(bloom)) == is_listed
    assert await bloom.status("GET", f"L10/{meeting}") == 200
    assert await bloom.status("DELETE", f"L10/{meeting}") == 200


async def test_a_meeting_has_everything_a_client_reads(bloom: BloomTenant) -> None:
    """§3.30, §7."""
    meeting = await _create(bloom, title="Weekly")
    read = await bloom.get(f"L10/{meeting}")
    assert list(read) == ["Id", "Type", "Key", "CreateTime", "StartDateUtc", "OrganizationId", "Basics"]
    assert (read["Type"], read["Key"]) == ("AngularRecurrence", f"AngularRecurrence_{meeting}")
    assert read["CreateTime"].endswith("Z")
    assert read["Basics"] == {"Name": "Weekly"}


@pytest.mark.parametrize("title", [pytest.param(None, id="null"), pytest.param(..., id="absent")])
async def test_a_title_is_optional_for_a_meeting(bloom: BloomTenant, title: object) -> None:
    """§7 [docs:ref]."""
    body = {} if title is ... else {"title": title}
    meeting = (await bloom.send("POST", "L10/create", body))["meetingId"]
    assert isinstance((await bloom.get(f"L10/{meeting}"))["Basics"]["Name"], str)


async def test_a_blank_title_is_a_400(bloom: BloomTenant) -> None:
    assert await bloom.status("POST", "L10/create", {"title": " "}) == 400
    assert await bloom.status("PUT", f"L10/{await bloom.meeting()}", {"title": " "}) == 400


async def test_rows_of_a_list_have_the_four_keys_the_sdk_requires(bloom: BloomTenant) -> None:
    """§3.31, §7, by ``L10/list`` and by ``L10/{uid}/list``."""
    meeting = await _create(bloom, title="Weekly")
    mine = await bloom.get("L10/list")
    assert mine[-1] == {"Id": meeting, "Type": "NameId", "Key": f"NameId_{meeting}", "Name": "Weekly"}
    assert await bloom.get(f"L10/{await bloom.me()}/list") == mine


async def test_an_attendee_is_added_once(bloom: BloomTenant) -> None:
    """§3.27, §3.32, §7: adding again is a no-op, 200."""
    meeting, maria = await _create(bloom), await bloom.user("maria")
    for _ in range(2):
        assert await bloom.send("POST", f"L10/{meeting}/attendees/{maria}") is None
    attendees = await bloom.get(f"L10/{meeting}/attendees")
    assert [one["Name"] for one in attendees] == ["Alex Morgan", "Maria Lopez"]
    assert all(isinstance(one["ImageUrl"], str) for one in attendees)
    assert "m" in await _names(bloom, f"L10/{maria}/list")


async def test_a_meeting_is_renamed_and_what_is_in_it_shows_its_name(bloom: BloomTenant) -> None:
    """§3.28 [docs:ref]."""
    meeting = await _create(bloom)
    issue = await bloom.send("POST", f"L10/{meeting}/issues", {"title": "t"})
    assert await bloom.send("PUT", f"L10/{meeting}", {"title": "renamed"}) is None
    assert (await bloom.get(f"L10/{meeting}"))["Basics"]["Name"] == "renamed"
    assert (await bloom.get(f"issues/{issue['Id']}"))["Origin"] == "renamed"


async def test_a_deleted_meeting_is_unknown(bloom: BloomTenant) -> None:
    """§3.29, §7."""
    meeting = await _create(bloom)
    assert await bloom.send("DELETE", f"L10/{meeting}") is None
    assert "m" not in await _names(bloom)
    for method, path in (("DELETE", ""), ("GET", ""), ("GET", "/attendees"), ("GET", "/issues"), ("GET", "/todos")):
        assert await bloom.status(method, f"L10/{meeting}{path}") == 404


async def test_what_was_in_a_deleted_meeting_can_still_be_read(bloom: BloomTenant) -> None:
    """§13.3 [assumed]; names that clients want as strings stay."""
    meeting = await _create(bloom)
    issue = await bloom.send("POST", f"L10/{meeting}/issues", {"title": "t"})
    goal = await bloom.send("POST", f"L10/{meeting}/rocks", {"title": "t"})
    await bloom.send("DELETE", f"L10/{meeting}")
    assert await bloom.get(f"issues/{issue['Id']}") == issue
    assert await bloom.get(f"rocks/{goal['Id']}?include_origin=true") == goal


async def test_an_attendee_that_fails_leaves_an_orphan_meeting(bloom: BloomTenant) -> None:
    """§7: not atomic."""
    meeting = await _create(bloom)
    assert await bloom.status("POST", f"L10/{meeting}/attendees/1") == 404
    assert await bloom.status("GET", f"L10/{meeting}") == 200
