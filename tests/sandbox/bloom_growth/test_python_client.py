"""The public client, ``bloomy-python``, unmodified: all its calls against the sandbox.

It needs Python 3.12; on 3.11 these tests are skipped, and the raw calls in the other tests remain.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from sandbox.bloom_growth.faults import AnswerAfter, NullDetailsUrl
from sandbox.bloom_growth.settings import Settings
from sandbox.faults.fault import Latency, Status
from tests.sandbox.bloom_growth.tenants import LOGIN, BloomTenant, bloom_tenant

HELD_S = 600
EXAMPLES = Settings(requests_per_second=None, meeting_ids=(123,), user_ids=(400, 456, 789))
"""The ids that the public guides hard-code; 400 is the caller."""
bloomy = pytest.importorskip("bloomy", reason="bloomy-python wants Python 3.12")


@pytest_asyncio.fixture(name="client")
async def _client(bloom: BloomTenant) -> AsyncIterator[Any]:
    async with bloomy.AsyncClient(api_key="sandbox-key", base_url=f"{bloom.url}/api/v1") as client:
        yield client


async def test_people_are_found(client: Any) -> None:
    me = await client.user.details(include_direct_reports=True, include_positions=True)
    assert (me.name, len(me.direct_reports), me.positions[0].name) == ("Alex Morgan", 4, "Integrator")
    everybody = await client.user.list(include_placeholders=True)
    assert len(everybody) == len(await client.user.list()) + 1
    assert [one.email for one in await client.user.search("maria")] == ["maria.lopez@example.com"]


async def test_an_issue_lives_its_life(bloom: BloomTenant, client: Any) -> None:
    issue = await client.issue.create(meeting_id=await bloom.meeting(), title="t", notes="n")
    assert (await client.issue.update(issue.id, title="new", notes="m")).title == "new"
    assert issue.id in [one.id for one in await client.issue.list()]
    assert (await client.issue.complete(issue.id)).completed_at is not None
    assert issue.id not in [one.id for one in await client.issue.list()]


async def test_a_todo_lives_its_life(bloom: BloomTenant, client: Any) -> None:
    todo = await client.todo.create(title="t", meeting_id=await bloom.meeting(), due_date="2026-12-31", notes="n")
    assert (await client.todo.update(todo.id, title="new")).name == "new"
    assert (await client.todo.complete(todo.id)).complete
    personal = await client.todo.create(title="p")
    assert (personal.meeting_id, personal.id) == (None, (await client.todo.list())[-1].id)


async def test_a_goal_lives_its_life(bloom: BloomTenant, client: Any) -> None:
    goal = await client.goal.create(title="t", meeting_id=await bloom.meeting())
    assert (goal.meeting_title, goal.status) == ("Leadership Team L10", "on")
    await client.goal.update(goal.id, title="new", status="complete")
    assert (await client.goal.details(goal.id)).title == "new"
    await client.goal.archive(goal.id)
    assert goal.id in [one.id for one in (await client.goal.list(archived=True)).archived]
    await client.goal.restore(goal.id)
    await client.goal.delete(goal.id)
    assert goal.id not in [one.id for one in await client.goal.list()]


async def test_a_headline_lives_its_life(bloom: BloomTenant, client: Any) -> None:
    meeting = await bloom.meeting()
    headline = await client.headline.create(meeting_id=meeting, title="t", notes="n")
    await client.headline.update(headline.id, title="new")
    assert (await client.headline.details(headline.id)).title == "new"
    assert headline.id in [one.id for one in await client.headline.list(meeting_id=meeting)]
    await client.headline.delete(headline.id)
    assert headline.id not in [one.id for one in await client.headline.list()]


async def test_a_score_is_entered(client: Any) -> None:
    week = await client.scorecard.current_week()
    [measurable] = {one.measurable_id for one in await client.scorecard.list()}
    assert await client.scorecard.score(measurable, 5)
    assert (await client.scorecard.get(measurable)).value == 5
    assert [one.week_id for one in await client.scorecard.list(week_offset=-1)] == [week.week_number - 1]


async def test_meetings_are_made_and_read_in_bulk(bloom: BloomTenant, client: Any) -> None:
    """§7, §9: failures by place and input, the others in their order."""
    maria = await bloom.user("maria")
    made = await client.meeting.create_many([{"title": "a", "attendees": [maria]}, {"title": "b"}, {"title": None}])
    assert [one["title"] for one in made.successful] == ["a", "b"]
    assert [(one.index, one.error) for one in made.failed] == [(2, "title is required")]
    ids = [one["meeting_id"] for one in made.successful]
    read = await client.meeting.get_many([ids[1], 1, ids[0], await bloom.meeting()])
    assert [one.name for one in read.successful] == ["b", "a", "Leadership Team L10"]
    assert [(one.index, one.input_data) for one in read.failed] == [(1, {"meeting_id": 1})]
    assert [one.name for one in read.successful[1].attendees] == ["Alex Morgan", "Maria Lopez"]
    assert await client.meeting.delete(ids[0])
    assert ids[0] not in [one.id for one in await client.meeting.list()]


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in ("issue", "todo", "goal")])
async def test_children_are_made_in_bulk(bloom: BloomTenant, client: Any, name: str) -> None:
    """§9: best effort, and each failure by its place."""
    meeting = await bloom.meeting()
    await bloom.control.add_fault(Status(status=503, skip=3, method="POST"))
    items = [{"meeting_id": meeting, "title": f"{name} {number}"} for number in range(10)]
    made = await getattr(client, name).create_many(items)
    assert (len(made.successful), len(made.failed)) == (9, 1)
    assert "503" in made.failed[0].error


@pytest.mark.parametrize(
    ("name", "item", "error"),
    [
        pytest.param("issue", {}, "meeting_id is required", id="§9 issue, meeting_id first"),
        pytest.param("issue", {"meeting_id": 1, "title": None}, "title is required", id="§9 issue, title"),
        pytest.param("todo", {"title": "t"}, "meeting_id is required", id="§9 todo"),
        pytest.param("goal", {"meeting_id": 1}, "title is required", id="§9 goal"),
        pytest.param("meeting", {}, "title is required", id="§9 meeting"),
    ],
)
async def test_what_the_client_itself_refuses_is_never_sent(
    bloom: BloomTenant, client: Any, name: str, item: dict[str, object], error: str
) -> None:
    """§9, local validation."""
    made = await getattr(client, name).create_many([item])
    assert [(one.index, one.input_data, one.error) for one in made.failed] == [(0, item, error)]
    assert (await bloom.control.summary()).requests == {}


async def test_an_empty_title_reaches_the_server(bloom: BloomTenant, client: Any) -> None:
    """§9: it passes the client's own validation, and is a 400 here (§10)."""
    made = await client.goal.create_many([{"meeting_id": await bloom.meeting(), "title": ""}])
    assert "400" in made.failed[0].error


async def test_failed_items_are_sent_again_as_they_were(bloom: BloomTenant, client: Any) -> None:
    """§9, retry: there is none built in; the guide sends ``failed[].input_data`` once more."""
    await bloom.control.add_fault(Status(status=503, method="POST"))
    made = await client.todo.create_many([{"meeting_id": await bloom.meeting(), "title": "t"}])
    again = await client.todo.create_many([one.input_data for one in made.failed])
    assert [one.name for one in again.successful] == ["t"]


@pytest.mark.parametrize(
    ("names", "peak"),
    [
        pytest.param(("issue",), 5, id="§9 max_concurrent is 5 by default"),
        pytest.param(("issue", "todo", "goal"), 15, id="§9 several runs at once, a cap each"),
    ],
)
async def test_a_run_has_five_in_flight(bloom: BloomTenant, client: Any, names: tuple[str, ...], peak: int) -> None:
    """§9, as the sandbox's count by token shows (§13.6)."""
    me, meeting = await bloom.me(), await bloom.meeting()
    items = [{"meeting_id": meeting, "title": f"{number}", "user_id": me} for number in range(10)]
    await bloom.control.add_fault(Latency(seconds=HELD_S, times=None, method="POST", path="/api/v1/"))
    runs = [asyncio.create_task(getattr(client, name).create_many(items)) for name in names]
    while (await bloom.control.summary()).max_concurrent["token 1"] < peak:
        pass
    await bloom.control.clear_faults()
    await bloom.control.advance(HELD_S)
    assert [len((await run).successful) for run in runs] == [10] * len(names)
    assert (await bloom.control.summary()).max_concurrent["token 1"] == peak


async def test_a_failure_after_the_commit_is_reported_although_it_is_there(bloom: BloomTenant, client: Any) -> None:
    """§4, §9 trap (d): with the sandbox's faults the client fails as it does live."""
    meeting = await bloom.meeting()
    for fault in (AnswerAfter(method="POST"), NullDetailsUrl(method="POST", skip=1)):
        await bloom.control.add_fault(fault)
    made = await client.issue.create_many([{"meeting_id": meeting, "title": f"{number}"} for number in range(2)])
    assert len(made.failed) == 2
    assert {"0", "1"} <= {one["Name"] for one in await bloom.get(f"L10/{meeting}/issues")}


async def test_the_synchronous_client_sends_one_request_at_a_time(bloom: BloomTenant) -> None:
    """§9, sync mode."""
    meeting = await bloom.meeting()

    def work() -> list[str]:
        with bloomy.Client(api_key="sandbox-key", base_url=f"{bloom.url}/api/v1") as client:
            made = client.issue.create_many([{"meeting_id": meeting, "title": f"{number}"} for number in range(5)])
            read = client.meeting.get_many([meeting])
            return [*(one.title for one in made.successful), *(one.name for one in read.successful)]

    assert await asyncio.to_thread(work) == ["0", "1", "2", "3", "4", "Leadership Team L10"]
    assert (await bloom.control.summary()).max_concurrent["token 1"] == 1


async def test_the_guides_examples_find_the_ids_they_name() -> None:
    """§9, §15: meeting 123, users 456 and 789."""
    people = {"issue": 456, "todo": 456, "goal": 789}
    async with (
        bloom_tenant(EXAMPLES) as bloom,
        bloomy.AsyncClient(api_key="sandbox-key", base_url=f"{bloom.url}/api/v1") as client,
    ):
        for name, user in people.items():
            items = [{"meeting_id": 123, "title": f"{number}", "user_id": user} for number in range(50)]
            made = await getattr(client, name).create_many(items, max_concurrent=10)
            assert (len(made.successful), made.failed) == (50, [])
        made = await client.meeting.create_many([{"title": "Weekly Team Sync", "attendees": [456, 789]}])
        read = await client.meeting.get_many([123, made.successful[0]["meeting_id"], 999])
    assert [len(one.attendees) for one in read.successful] == [6, 3]
    assert [one.input_data for one in read.failed] == [{"meeting_id": 999}]


async def test_the_default_rate_limit_fails_a_guides_example() -> None:
    """§11: 429 after the burst of 20; the client does not try again."""
    settings = Settings(meeting_ids=(123,))
    async with (
        bloom_tenant(settings, clock_stopped=True) as bloom,
        bloomy.AsyncClient(api_key="sandbox-key", base_url=f"{bloom.url}/api/v1") as client,
    ):
        me = await bloom.me()
        items = [{"meeting_id": 123, "title": f"{number}", "user_id": me} for number in range(50)]
        made = await client.issue.create_many(items)
    assert (len(made.successful), len(made.failed)) == (19, 31)
    assert all("429" in one.error for one in made.failed)


async def test_its_key_is_what_the_token_endpoint_grants(bloom: BloomTenant) -> None:
    headers = await bloom.as_user(LOGIN["userName"])
    key = headers["authorization"].removeprefix("Bearer ")
    async with bloomy.AsyncClient(api_key=key, base_url=f"{bloom.url}/api/v1") as client:
        assert (await client.user.details()).name == "Alex Morgan"
