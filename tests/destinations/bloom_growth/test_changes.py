"""Changes: in their order, with the owner kept, and read back where success may do nothing."""

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, Refused, Unavailable
from sluice.flow.outcome import Fate
from tests.destinations.bloom_growth.offline import EMPTY, answering, body, issue, paths, scripted, write
from tests.support.factories import record

DONE = httpx.Response(200, json=True)
REFUSED = httpx.Response(403, json={"Message": "no"})
GOAL = "GET rocks/7?include_origin=true"


def shown(**fields: object) -> httpx.Response:
    return httpx.Response(200, json={"Id": 7, **fields})


SOLVED, OPEN = shown(CloseTime="2026-01-05T10:00:00Z"), shown(CloseTime=None)
BOTH = issue("update", "7", title="B", complete=True)


async def test_fields_come_first_and_then_the_state() -> None:
    requests: list[httpx.Request] = []
    script = {"PUT issues/7": EMPTY, "POST issues/7/complete": DONE, "GET issues/7": SOLVED}
    outcome = await write(answering(scripted(script), requests=requests), BOTH)
    assert (outcome.fate, outcome.code, outcome.record_id) == (Fate.DELIVERED, "UPDATED", "7")
    assert paths(requests) == list(script)
    assert [body(request) for request in requests[:2]] == [{"title": "B"}, {"complete": True}]


async def test_a_state_that_is_refused_after_the_fields_is_partial() -> None:
    outcome = await write(answering(scripted({"PUT issues/7": EMPTY, "POST issues/7/complete": REFUSED})), BOTH)
    assert (outcome.fate, outcome.code, outcome.http_status) == (Fate.REJECTED, "partial", 403)
    assert outcome.message.startswith("issue 7: applied title, then: ")


async def test_a_first_step_that_is_refused_is_a_plain_refusal() -> None:
    with pytest.raises(Refused):
        await write(answering(scripted({"PUT issues/7": REFUSED})), BOTH)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(httpx.Response(429), Unavailable, id="an outage"),
        pytest.param(httpx.ReadError(""), Ambiguous, id="a lost answer"),
    ],
)
async def test_trouble_in_the_middle_lets_all_be_done_again(
    answer: httpx.Response | Exception, error: type[Exception]
) -> None:
    script = {"PUT issues/7": EMPTY, "POST issues/7/complete": answer}
    with pytest.raises(error):
        await write(answering(scripted(script)), BOTH)


@pytest.mark.parametrize(
    ("complete", "found", "fate"),
    [
        pytest.param(True, SOLVED, Fate.DELIVERED, id="solved"),
        pytest.param(True, OPEN, Fate.RETRYABLE, id="solving did nothing"),
        pytest.param(False, OPEN, Fate.DELIVERED, id="reopened"),
        pytest.param(False, SOLVED, Fate.RETRYABLE, id="reopening did nothing"),
    ],
)
async def test_a_solved_issue_is_read_back(complete: bool, found: httpx.Response, fate: Fate) -> None:
    script = {"POST issues/7/complete": DONE, "GET issues/7": found}
    outcome = await write(answering(scripted(script)), issue("update", "7", complete=complete))
    assert outcome.fate == fate
    assert outcome.code == ("UPDATED" if fate is Fate.DELIVERED else "not-applied")


@pytest.mark.parametrize(("complete", "word"), [(True, "true"), (False, "false")])
async def test_a_todo_is_completed_by_a_query(complete: bool, word: str) -> None:
    script = {f"POST todo/7/complete?status={word}": DONE}
    assert (
        await write(answering(scripted(script)), record("todo", "update", "7", {"complete": complete}))
    ).record_id == "7"


async def test_a_goals_owner_is_read_and_sent_along() -> None:
    requests: list[httpx.Request] = []
    script = {GOAL: shown(Owner={"Id": 42}), "PUT rocks/7": EMPTY}
    await write(answering(scripted(script), requests=requests), record("goal", "update", "7", {"status": "on"}))
    assert body(requests[1]) == {"completion": "OnTrack", "accountableUserId": 42}


async def test_a_goals_new_owner_is_sent_unread() -> None:
    requests: list[httpx.Request] = []
    destination = answering(scripted({"PUT rocks/7": EMPTY}), requests=requests)
    await write(destination, record("goal", "update", "7", {"title": "B", "user_id": 5}))
    assert body(requests[0]) == {"title": "B", "accountableUserId": 5}


async def test_a_goal_without_a_readable_owner_is_not_written() -> None:
    with pytest.raises(Refused, match="name `user_id`"):
        await write(answering(scripted({GOAL: shown(Owner=None)})), record("goal", "update", "7", {"title": "B"}))


@pytest.mark.parametrize(
    ("archived", "word", "shows", "code"),
    [
        pytest.param(True, "archive", True, "UPDATED", id="archived"),
        pytest.param(True, "archive", False, "not-applied", id="archiving did nothing"),
        pytest.param(False, "restore", False, "UPDATED", id="restored"),
        pytest.param(False, "restore", True, "not-applied", id="restoring did nothing"),
        pytest.param(True, "archive", None, "UPDATED", id="not shown"),
    ],
)
async def test_an_archived_goal_is_read_back(archived: bool, word: str, shows: bool | None, code: str) -> None:
    script = {f"PUT rocks/7/{word}": EMPTY, GOAL: shown(Archived=shows)}
    outcome = await write(answering(scripted(script)), record("goal", "update", "7", {"archived": archived}))
    assert outcome.code == code


@pytest.mark.parametrize(("object_", "path"), [("todo", "todo/7"), ("meeting", "L10/7"), ("headline", "headline/7")])
async def test_each_object_is_changed_by_its_call(object_: str, path: str) -> None:
    destination = answering(scripted({f"PUT {path}": EMPTY}))
    assert (await write(destination, record(object_, "update", "7", {"title": "B"}))).code == "UPDATED"
