"""Goals as in bloom_growth.md §3 rows 17–25 and §6."""

import pytest

from sandbox.bloom_growth.settings import Settings
from tests.sandbox.bloom_growth.tenants import BloomTenant, bloom_tenant

NAMES = "Id Type Key Name CreateTime DueDate Complete Completion Archived Owner"


async def _ids(bloom: BloomTenant, path: str) -> list[int]:
    return [one["Id"] for one in await bloom.get(path)]


async def test_a_created_goal_has_everything_a_client_reads(bloom: BloomTenant) -> None:
    """§3.17, §6 [client], [test:ruby]."""
    goal = await bloom.create("rocks", title="Launch")
    assert " ".join(goal) == f"{NAMES} Origins"
    assert (goal["Name"], goal["Complete"], goal["Completion"], goal["Archived"]) == ("Launch", False, 1, False)
    assert goal["Owner"]["Name"] == "Alex Morgan"
    assert goal["Origins"] == [{"Id": await bloom.meeting(), "Name": "Leadership Team L10"}]


async def test_a_goal_may_be_made_without_a_meeting(bloom: BloomTenant) -> None:
    """§3.18 [docs:ref]."""
    maria = await bloom.user("maria")
    goal = await bloom.send("POST", "rocks/create", {"title": "t", "accountableUserId": maria})
    assert (goal["Owner"]["Id"], goal["Origins"]) == (maria, [])


@pytest.mark.parametrize("query", ["include_origin=true", "Include_Origin=true"])
async def test_origins_come_with_reads_that_ask_for_them(bloom: BloomTenant, query: str) -> None:
    """§3.19, §3.23, §6 [docs:ref]."""
    goal = await bloom.create("rocks")
    me = await bloom.me()
    assert " ".join(await bloom.get(f"rocks/{goal['Id']}")) == NAMES
    assert await bloom.get(f"rocks/{goal['Id']}?{query}") == goal
    assert goal in await bloom.get(f"rocks/user/{me}?{query}")
    assert all("Origins" not in one for one in await bloom.get(f"rocks/user/{me}"))


@pytest.mark.parametrize(
    ("completion", "number", "complete"),
    [
        pytest.param("AtRisk", 0, False, id="§6 AtRisk"),
        pytest.param("OnTrack", 1, False, id="§6 OnTrack"),
        pytest.param("Complete", 2, True, id="§6 Complete"),
    ],
)
async def test_completion_is_read_as_a_number(bloom: BloomTenant, completion: str, number: int, complete: bool) -> None:
    goal = await bloom.create("rocks")
    assert await bloom.send("PUT", f"rocks/{goal['Id']}", {"completion": completion}) is None
    read = await bloom.get(f"rocks/{goal['Id']}")
    assert (read["Completion"], read["Complete"]) == (number, complete)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"completion": 1}, id="§1 an enum is sent by name"),
        pytest.param({"completion": "Done"}, id="unknown completion"),
        pytest.param({"title": ""}, id="§10 blank title"),
    ],
)
async def test_a_bad_update_is_a_400_and_changes_nothing(bloom: BloomTenant, body: dict[str, object]) -> None:
    goal = await bloom.create("rocks")
    assert await bloom.status("PUT", f"rocks/{goal['Id']}", body) == 400
    assert await bloom.get(f"rocks/{goal['Id']}?include_origin=true") == goal


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="§6 the SDK's {}"),
        pytest.param({"title": None, "accountableUserId": None, "completion": None}, id="§6 Ruby's nulls"),
    ],
)
async def test_nothing_given_leaves_a_goal_and_its_owner_alone(bloom: BloomTenant, body: dict[str, object]) -> None:
    """§6 owner hazard: the owner is kept by default [assumed]."""
    goal = await bloom.create("rocks", accountableUserId=await bloom.user("maria"))
    await bloom.send("PUT", f"rocks/{goal['Id']}", body)
    assert await bloom.get(f"rocks/{goal['Id']}?include_origin=true") == goal


async def test_strictly_an_update_without_an_owner_makes_it_the_callers() -> None:
    """§6 owner hazard [docs:ref]."""
    async with bloom_tenant(Settings(requests_per_second=None, reassigns_goals=True)) as strict:
        maria = await strict.user("maria")
        goal = await strict.create("rocks", accountableUserId=maria)
        await strict.send("PUT", f"rocks/{goal['Id']}", {"title": "x", "accountableUserId": maria})
        assert (await strict.get(f"rocks/{goal['Id']}"))["Owner"]["Id"] == maria
        await strict.send("PUT", f"rocks/{goal['Id']}", {"title": "y"})
        assert (await strict.get(f"rocks/{goal['Id']}"))["Owner"]["Id"] == await strict.me()


async def test_an_archived_goal_changes_lists_and_back(bloom: BloomTenant) -> None:
    """§3.21, §3.23, §3.24, §6 [test:live]; each has an empty answer, and doing it again changes nothing."""
    goal, me = await bloom.create("rocks"), await bloom.me()
    active, archived = f"rocks/user/{me}", f"archivedrocks/user/{me}"
    for _ in range(2):
        assert await bloom.send("PUT", f"rocks/{goal['Id']}/archive") is None
    assert goal["Id"] not in await _ids(bloom, active)
    assert goal["Id"] in await _ids(bloom, archived)
    for _ in range(2):
        assert await bloom.send("PUT", f"rocks/{goal['Id']}/restore") is None
    assert goal["Id"] in await _ids(bloom, active)
    assert goal["Id"] not in await _ids(bloom, archived)


async def test_a_meetings_list_has_archived_goals_when_asked_for(bloom: BloomTenant) -> None:
    """§3.25 ``INCLUDE_ARCHIVE``; the seed has an archived one."""
    path = f"L10/{await bloom.meeting()}/rocks"
    assert len(await bloom.get(f"{path}?INCLUDE_ARCHIVE=true")) == len(await bloom.get(path)) + 1


async def test_archiving_detaches_a_goal_and_restoring_attaches_it_again(bloom: BloomTenant) -> None:
    """§15."""
    goal = await bloom.create("rocks")
    path = f"rocks/{goal['Id']}"
    await bloom.send("PUT", f"{path}/archive")
    assert (await bloom.get(f"{path}?include_origin=true"))["Origins"] == []
    assert goal["Id"] not in await _ids(bloom, f"L10/{await bloom.meeting()}/rocks")
    await bloom.send("PUT", f"{path}/restore")
    assert await bloom.get(f"{path}?include_origin=true") == goal


async def test_a_goal_is_attached_to_a_meeting_and_detached(bloom: BloomTenant) -> None:
    """§3.25 [docs:ref]."""
    goal, sales = await bloom.create("rocks"), await bloom.meeting("Sales")
    path = f"L10/{sales}/rocks/{goal['Id']}"
    for _ in range(2):
        assert await bloom.send("POST", path) is None
    origins = (await bloom.get(f"rocks/{goal['Id']}?include_origin=true"))["Origins"]
    assert [one["Name"] for one in origins] == ["Leadership Team L10", "Sales Weekly"]
    assert goal["Id"] in await _ids(bloom, f"L10/{sales}/rocks")
    await bloom.send("DELETE", path)
    assert goal["Id"] not in await _ids(bloom, f"L10/{sales}/rocks")
    assert await bloom.status("DELETE", path) == 404


@pytest.mark.parametrize("body", [pytest.param({}, id="§3.17 none"), pytest.param({"title": "\n"}, id="§10 blank")])
async def test_a_goal_without_a_title_is_a_400(bloom: BloomTenant, body: dict[str, str]) -> None:
    for path in (f"L10/{await bloom.meeting()}/rocks", "rocks/create"):
        assert await bloom.status("POST", path, body) == 400


@pytest.mark.parametrize(("length", "status"), [(255, 200), (256, 400)])
async def test_strictly_a_title_has_at_most_so_many_characters(length: int, status: int) -> None:
    """§10."""
    async with bloom_tenant(Settings(requests_per_second=None, max_title_chars=255)) as strict:
        assert await strict.status("POST", "rocks/create", {"title": "ü" * length}) == status


async def test_by_default_a_title_may_be_long(bloom: BloomTenant) -> None:
    assert (await bloom.create("rocks", title="x" * 5000))["Name"] == "x" * 5000
