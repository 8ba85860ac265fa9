"""Creates: the id that is credited, and what the server has made otherwise than asked."""

from typing import Any

import httpx
import pytest

from tests.destinations.bloom_growth.offline import answering, issue, made, scripted, write
from tests.support.factories import record


async def test_a_create_is_delivered_with_its_id() -> None:
    outcome = await write(answering(scripted({"POST issues/create": made(9001)})), issue())
    assert (outcome.fate, outcome.code, outcome.record_id, outcome.warning) == ("delivered", "CREATED", "9001", None)


@pytest.mark.parametrize(
    ("answer", "warning"),
    [
        pytest.param({"Owner": {"Id": 4}, "Name": "Late trucks"}, None, id="as asked"),
        pytest.param({"Owner": None}, None, id="no owner shown"),
        pytest.param({"Owner": {"Id": 1}}, "user_id: asked for 4, the server has made 1 the owner", id="another owner"),
        pytest.param({"Name": " Late  trucks"}, None, id="only blanks differ"),
        pytest.param({"Name": "Late"}, "title: stored as 'Late'", id="cut"),
    ],
)
async def test_what_the_server_made_otherwise_is_a_warning(answer: dict[str, Any], warning: str | None) -> None:
    outcome = await write(answering(scripted({"POST issues/create": made(**answer)})), issue(user_id=4))
    assert outcome.warning == warning


@pytest.mark.parametrize(
    ("object_", "data", "call"),
    [
        pytest.param("todo", {"title": "A", "meeting_id": 12}, "POST L10/12/todos", id="todo"),
        pytest.param("todo", {"title": "A"}, "POST todo/create", id="personal todo"),
        pytest.param("goal", {"title": "A", "meeting_id": 12}, "POST L10/12/rocks", id="goal"),
        pytest.param("headline", {"title": "A", "meeting_id": 12}, "POST L10/12/headlines", id="headline"),
    ],
)
async def test_each_object_is_made_by_its_call(object_: str, data: object, call: str) -> None:
    destination = answering(scripted({call: made(7)}))
    assert (await write(destination, record(object_, "insert", None, data))).record_id == "7"
    assert destination.newest_ids == {object_: "7"}


async def test_a_meetings_answer_has_its_id_under_another_name() -> None:
    answer = httpx.Response(200, json={"meetingId": 3001})
    outcome = await write(
        answering(scripted({"POST L10/create": answer})), record("meeting", "insert", None, {"title": "A"})
    )
    assert outcome.record_id == "3001"
