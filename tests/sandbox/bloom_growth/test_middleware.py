"""Recording of writes in the ledger, and their atomicity. bloom_growth.md §12, §13."""

import asyncio

import pytest

from sandbox.ledger.ledger import LedgerFilter
from tests.sandbox.bloom_growth.tenants import BloomTenant


async def test_every_write_is_recorded_with_what_it_did(bloom: BloomTenant) -> None:
    meeting, maria = await bloom.meeting("Sales"), await bloom.user("maria")
    issue = (await bloom.send("POST", f"L10/{meeting}/issues", {"title": "marker"}))["Id"]
    await bloom.send("PUT", f"issues/{issue}", {"title": "new"})
    await bloom.send("PUT", f"issues/{issue}", {"title": "new"})
    await bloom.send("POST", f"issues/{issue}/complete", {"complete": True})
    await bloom.send("POST", f"L10/{meeting}/attendees/{maria}")
    await bloom.send("DELETE", f"L10/{meeting}/issues/{issue}")
    found = [(one.object, one.key, one.operation, one.effect) for one in await bloom.control.ledger()]
    assert found == [
        ("issue", str(issue), "create", "CREATED"),
        ("issue", str(issue), "update", "CHANGED"),
        ("issue", str(issue), "update", "UNCHANGED"),
        ("issue", str(issue), "complete", "CHANGED"),
        ("attendee", f"{meeting}/{maria}", "create", "CREATED"),
        ("issue", str(issue), "delete", "DELETED"),
    ]


async def test_a_refused_write_is_recorded_and_changed_nothing(bloom: BloomTenant) -> None:
    await bloom.status("PUT", "issues/1", {"title": "t"})
    await bloom.status("POST", "L10/1/todos", {})
    found = [(one.key, one.effect, one.changed) for one in await bloom.control.ledger()]
    assert found == [("1", "REFUSED 404", False), ("1", "REFUSED 400", False)]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("PUT", "issues/{issue}", {"title": "new"}, id="§12 PUT"),
        pytest.param("POST", "issues/{issue}/complete", {"complete": True}, id="§12 complete an issue"),
        pytest.param("POST", "todo/{todo}/complete?status=true", None, id="§12 complete a todo"),
        pytest.param("PUT", "rocks/{goal}/archive", None, id="§12 archive"),
        pytest.param("PUT", "rocks/{goal}/restore", None, id="§12 restore"),
        pytest.param("POST", "L10/{meeting}/attendees/{maria}", None, id="§7 an attendee"),
    ],
)
async def test_a_repeat_leaves_what_the_first_left(bloom: BloomTenant, method: str, path: str, body: object) -> None:
    meeting = (await bloom.send("POST", "L10/create", {"title": "t"}))["meetingId"]
    names = {"issue": "issues", "todo": "todos", "goal": "rocks"}
    ids = {name: (await bloom.send("POST", f"L10/{meeting}/{of}", {"title": "t"}))["Id"] for name, of in names.items()}
    path = path.format_map({**ids, "meeting": meeting, "maria": await bloom.user("maria")})
    for _ in range(2):
        await bloom.send(method, path, body)
    assert (await bloom.control.ledger())[-1].effect == "UNCHANGED"


async def test_creates_of_one_title_are_told_as_repeats(bloom: BloomTenant) -> None:
    """§12: only the title identifies a duplicate."""
    path = f"L10/{await bloom.meeting()}/todos"
    for title in ("once", "twice", "twice"):
        await bloom.send("POST", path, {"title": title})
    repeats = (await bloom.control.summary()).repeats
    assert repeats is not None
    assert [(one.identifier, one.changed) for one in repeats.first] == [("twice", 2)]
    assert len(await bloom.control.ledger(LedgerFilter(identifier="twice"))) == 2


async def test_the_ledger_keeps_the_beginning_of_a_long_title(bloom: BloomTenant) -> None:
    await bloom.send("POST", "rocks/create", {"title": "x" * 5000})
    [entry] = await bloom.control.ledger()
    assert entry.identifier == "x" * 200


async def test_requests_are_counted_by_path_and_status(bloom: BloomTenant) -> None:
    await bloom.get("L10/list")
    await bloom.get("l10/list")
    await bloom.status("GET", "issues/1")
    requests = (await bloom.control.summary()).requests
    assert requests == {"GET /api/v1/issues/{id} 404": 1, "GET /api/v1/l10/list 200": 2}


async def test_readers_never_see_half_of_a_write(bloom: BloomTenant) -> None:
    """One client moves a goal between two owners; another finds it in one list or the other, never in both."""
    me, maria = await bloom.me(), await bloom.user("maria")
    goal = (await bloom.send("POST", "rocks/create", {"title": "t"}))["Id"]

    async def move() -> None:
        for turn in range(40):
            owner = maria if turn % 2 else me
            await bloom.send("PUT", f"rocks/{goal}", {"accountableUserId": owner, "title": f"of {owner}"})

    async def look() -> None:
        for _ in range(40):
            read = await bloom.get(f"rocks/{goal}")
            assert read["Name"] in ("t", f"of {read['Owner']['Id']}")

    async with asyncio.TaskGroup() as clients:
        clients.create_task(move())
        clients.create_task(look())
