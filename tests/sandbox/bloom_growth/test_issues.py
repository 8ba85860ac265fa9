"""Issues as in bloom_growth.md §3 rows 1–8 and §4."""

from typing import Any

import pytest

from tests.sandbox.bloom_growth.tenants import BloomTenant

NAMES = "Id Type Key Name DetailsUrl CreateTime CloseTime CompleteTime Complete Archived OriginId Origin Owner"


async def _create(bloom: BloomTenant, **fields: Any) -> dict[str, Any]:
    body = {"title": "t", "meetingid": await bloom.meeting(), **fields}
    issue: dict[str, Any] = await bloom.send("POST", "issues/create", body)
    return issue


async def test_a_created_issue_has_everything_a_client_reads(bloom: BloomTenant) -> None:
    """§3.1, §4: after the commit the SDK fails without one of these."""
    me, meeting = await bloom.me(), await bloom.meeting()
    issue = await _create(bloom, title="Review Q4", meetingid=meeting, ownerid=me, notes="Focus")
    key = issue["Id"]
    assert " ".join(issue) == NAMES
    assert (issue["Type"], issue["Key"], issue["Name"]) == ("AngularIssue", f"AngularIssue_{key}", "Review Q4")
    assert (issue["OriginId"], issue["Origin"]) == (meeting, "Leadership Team L10")
    assert (issue["CloseTime"], issue["Complete"], issue["Archived"]) == (None, False, False)
    assert issue["DetailsUrl"].startswith(f"{bloom.url}/p/")
    assert list(issue["Owner"]) == ["Id", "Type", "Key", "Name", "ImageUrl"]
    assert await bloom.get(f"issues/{key}") == issue


async def test_the_owner_is_the_caller_unless_named(bloom: BloomTenant) -> None:
    maria = await bloom.user("maria")
    assert (await _create(bloom))["Owner"]["Id"] == await bloom.me()
    assert (await _create(bloom, ownerid=maria))["Owner"]["Id"] == maria
    assert (await _create(bloom, ownerid=None))["Owner"]["Id"] == await bloom.me()


async def test_the_alternative_create_takes_the_meeting_from_the_path(bloom: BloomTenant) -> None:
    """§3.2: ``title``, ``ownerId``, ``details``."""
    meeting, maria = await bloom.meeting("Sales"), await bloom.user("maria")
    body = {"title": "t", "ownerId": maria, "details": "d"}
    issue = await bloom.send("POST", f"L10/{meeting}/issues", body)
    assert (issue["OriginId"], issue["Owner"]["Id"]) == (meeting, maria)


async def test_notes_are_never_echoed_but_go_to_the_pad(bloom: BloomTenant) -> None:
    issue = await _create(bloom, notes="a secret marker")
    assert "a secret marker" not in (await bloom.http.get(f"issues/{issue['Id']}")).text
    pad = (await bloom.http.get(f"{bloom.url}/_sandbox/notes/issue/{issue['Id']}")).json()
    assert pad == {"notes": "a secret marker"}


async def test_null_notes_are_absent_notes(bloom: BloomTenant) -> None:
    """§4 [client:ruby]."""
    issue = await _create(bloom, notes=None)
    assert (await bloom.http.get(f"{bloom.url}/_sandbox/notes/issue/{issue['Id']}")).json()["notes"] == ""


async def test_another_notes_text_makes_another_pad(bloom: BloomTenant) -> None:
    """§13.7 [docs]."""
    issue = await _create(bloom, notes="one")
    path = f"issues/{issue['Id']}"
    await bloom.send("PUT", path, {"notes": "one"})
    assert (await bloom.get(path))["DetailsUrl"] == issue["DetailsUrl"]
    await bloom.send("PUT", path, {"notes": "two"})
    assert (await bloom.get(path))["DetailsUrl"] != issue["DetailsUrl"]


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        pytest.param({"title": "new"}, "Name", "new", id="§4 title"),
        pytest.param({"title": None}, "Name", "t", id="null leaves alone"),
        pytest.param({"compartment": "LongTerm"}, "Name", "t", id="§4 compartment"),
        pytest.param({}, "Name", "t", id="nothing given"),
    ],
)
async def test_an_update_is_read_back(bloom: BloomTenant, change: dict[str, Any], name: str, value: str) -> None:
    issue = await _create(bloom)
    assert await bloom.send("PUT", f"issues/{issue['Id']}", change) is None
    assert (await bloom.get(f"issues/{issue['Id']}"))[name] == value


async def test_an_update_may_change_the_owner(bloom: BloomTenant) -> None:
    """§4 [docs:ref]; the issue moves from one list to the other."""
    issue, maria = await _create(bloom), await bloom.user("maria")
    await bloom.send("PUT", f"issues/{issue['Id']}", {"ownerId": maria})
    assert issue["Id"] in [one["Id"] for one in await bloom.get(f"issues/users/{maria}")]
    assert issue["Id"] not in [one["Id"] for one in await bloom.get("issues/users/mine")]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"title": ""}, id="§10 blank title"),
        pytest.param({"title": " \t"}, id="§10 title of blanks"),
        pytest.param({"compartment": "MidTerm"}, id="§4 unknown compartment"),
    ],
)
async def test_a_bad_update_is_a_400_and_changes_nothing(bloom: BloomTenant, change: dict[str, str]) -> None:
    issue = await _create(bloom)
    assert await bloom.status("PUT", f"issues/{issue['Id']}", change) == 400
    assert await bloom.get(f"issues/{issue['Id']}") == issue


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"meetingid": 0}, id="§10 no title"),
        pytest.param({"meetingid": 0, "title": None}, id="§10 null title"),
        pytest.param({"meetingid": 0, "title": " "}, id="§10 blank title"),
        pytest.param({"title": "t"}, id="§4 no meetingid"),
        pytest.param({"title": "t", "meetingid": "12"}, id="§10 an id in quotes"),
        pytest.param({"title": "t", "meetingid": 2**63}, id="§1 beyond 64 bits"),
    ],
)
async def test_a_create_without_what_it_needs_is_a_400(bloom: BloomTenant, body: dict[str, object]) -> None:
    if body.get("meetingid") == 0:
        body = {**body, "meetingid": await bloom.meeting()}
    assert await bloom.status("POST", "issues/create", body) == 400


async def test_a_solved_issue_has_a_close_time_and_leaves_the_default_list(bloom: BloomTenant) -> None:
    """§3.5, §3.8, §4 [test:live], [docs:ref]; ``complete: false`` reopens."""
    issue = await _create(bloom)
    path, listing = f"issues/{issue['Id']}", f"L10/{issue['OriginId']}/issues"
    await bloom.send("POST", f"{path}/complete", {"complete": True})
    solved = await bloom.get(path)
    assert solved["CloseTime"] is not None
    assert solved["Complete"]
    assert issue["Id"] not in [one["Id"] for one in await bloom.get(listing)]
    assert solved in await bloom.get(f"{listing}?include_resolved=true")
    await bloom.send("POST", f"{path}/complete", {"complete": False})
    assert await bloom.get(path) == issue


async def test_solving_again_keeps_the_close_time(bloom: BloomTenant) -> None:
    issue = await _create(bloom)
    await bloom.send("POST", f"issues/{issue['Id']}/complete", {"complete": True})
    solved = await bloom.get(f"issues/{issue['Id']}")
    await bloom.control.advance(60)
    await bloom.send("POST", f"issues/{issue['Id']}/complete", {"complete": True})
    assert await bloom.get(f"issues/{issue['Id']}") == solved


async def test_a_long_term_issue_is_archived_and_cannot_be_solved(bloom: BloomTenant) -> None:
    """§15; back in the short term it can."""
    issue = await _create(bloom)
    path = f"issues/{issue['Id']}"
    await bloom.send("PUT", path, {"compartment": "LongTerm"})
    assert await bloom.send("POST", f"{path}/complete", {"complete": True}) is None
    assert await bloom.get(path) == {**issue, "Archived": True}
    await bloom.send("PUT", path, {"compartment": "ShortTerm"})
    await bloom.send("POST", f"{path}/complete", {"complete": True})
    assert (await bloom.get(path))["Complete"]


async def test_a_solve_that_does_not_say_which_is_a_400(bloom: BloomTenant) -> None:
    assert await bloom.status("POST", f"issues/{(await _create(bloom))['Id']}/complete", {}) == 400


async def test_an_issue_is_deleted_from_its_own_meeting_only(bloom: BloomTenant) -> None:
    issue = await _create(bloom)
    assert await bloom.status("DELETE", f"L10/{await bloom.meeting('Sales')}/issues/{issue['Id']}") == 404
    assert await bloom.status("GET", f"issues/{issue['Id']}") == 200


async def test_lists_by_owner_are_open_issues_in_order_of_creation(bloom: BloomTenant) -> None:
    """§3.7, by ``mine`` and by id."""
    created = [(await _create(bloom))["Id"] for _ in range(3)]
    mine = await bloom.get("issues/users/mine")
    assert [one["Id"] for one in mine][-3:] == created
    assert await bloom.get(f"issues/users/{await bloom.me()}") == mine
    assert all(one["CloseTime"] is None for one in mine)


async def test_a_repeated_create_is_a_duplicate(bloom: BloomTenant) -> None:
    """§12 [assumed]: nothing de-duplicates."""
    first, second = await _create(bloom), await _create(bloom)
    assert first["Id"] != second["Id"]
