"""Upserts without a key: found by meeting, title and owner, else made."""

import httpx
import pytest

from sluice.destinations.contract import Ambiguous
from sluice.events import RecordEvent
from tests.destinations.bloom_growth.offline import EMPTY, answering, body, item_of, made, paths, scripted, write
from tests.support.factories import record
from tests.support.fake_calls import FakeCalls

LIST, PUT, POST = "GET L10/12/todos", "PUT todo/7", "POST L10/12/todos"


def upsert(**data: object) -> RecordEvent:
    return record("todo", "upsert", None, {"title": "Call", "meeting_id": 12, **data})


def rows(*found: tuple[int, str, int]) -> httpx.Response:
    return httpx.Response(200, json=[{"Id": id_, "Name": name, "Owner": {"Id": owner}} for id_, name, owner in found])


@pytest.mark.parametrize(
    ("found", "owner", "calls"),
    [
        pytest.param([], None, [LIST, POST], id="none"),
        pytest.param([(8, "Calls", 4)], None, [LIST, POST], id="another title"),
        pytest.param([(7, " Call ", 4)], None, [LIST, PUT], id="one"),
        pytest.param([(7, "Call", 4), (8, "Call", 5)], 4, [LIST, PUT], id="one of that owner"),
        pytest.param([(8, "Call", 5)], 4, [LIST, POST], id="none of that owner"),
    ],
)
async def test_what_is_found_is_changed_and_else_made(
    found: list[tuple[int, str, int]], owner: int | None, calls: list[str]
) -> None:
    requests: list[httpx.Request] = []
    script = {LIST: rows(*found), PUT: EMPTY, POST: made(9)}
    named = {} if owner is None else {"user_id": owner}
    outcome = await write(answering(scripted(script), requests=requests), upsert(due_date="2026-01-31", **named))
    assert paths(requests) == calls
    assert (outcome.code, outcome.record_id) == (("UPDATED", "7") if PUT in calls else ("CREATED", "9"))
    assert body(requests[1])["dueDate"] == "2026-01-31"


async def test_several_are_a_conflict_that_names_them() -> None:
    outcome = await write(answering(scripted({LIST: rows((7, "Call", 4), (8, "Call", 5))})), upsert())
    assert (outcome.fate, outcome.code) == ("rejected", "conflict")
    assert "got 7, 8" in outcome.message


async def test_fields_that_cannot_be_changed_are_a_warning() -> None:
    outcome = await write(answering(scripted({LIST: rows((7, "Call", 4)), PUT: EMPTY})), upsert(notes="n"))
    assert outcome.warning == "todo 7 exists, and Bloom Growth cannot change notes"


async def test_a_lost_change_is_done_again_without_looking() -> None:
    item = item_of(upsert())
    destination = answering(scripted({LIST: [rows((7, "Call", 4))], PUT: [httpx.ReadError(""), EMPTY]}))
    with pytest.raises(Ambiguous):
        await destination.write_item(item, FakeCalls(item))
    assert item.refs == {"found": "7"}
    assert (await destination.write_item(item, FakeCalls(item))).code == "UPDATED"


async def test_a_found_goal_keeps_its_owner() -> None:
    requests: list[httpx.Request] = []
    script = {
        "GET L10/12/rocks": rows((7, "Grow", 4)),
        "GET rocks/7?include_origin=true": httpx.Response(200, json={"Id": 7, "Owner": {"Id": 4}}),
        "PUT rocks/7": EMPTY,
    }
    event = record("goal", "upsert", None, {"title": "Grow", "meeting_id": 12})
    await write(answering(scripted(script), requests=requests), event)
    assert body(requests[-1]) == {"title": "Grow", "accountableUserId": 4}
