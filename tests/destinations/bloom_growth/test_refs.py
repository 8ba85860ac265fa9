"""Refs that a stranger has written end no writer, and prove nothing."""

import httpx
import pytest

from sluice.destinations.bloom_growth.refs import id_in
from sluice.events import RecordEvent
from sluice.flow.batch import InDoubt
from tests.destinations.bloom_growth.offline import EMPTY, answering, issue, item_of, made, paths, scripted, write
from tests.support.factories import NOON, make_batch, record
from tests.support.instant_clock import instantly, now_s

BAD = ["", "x", "-1", "0", "7.5", " 7", "7\n", "\u0667", "9" * 4000, "7/../../../users/1"]
TODO = record("todo", "upsert", None, {"title": "Call", "meeting_id": 12})


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_id_is_not_there(text: str) -> None:
    assert id_in({"meeting": text}, "meeting") is None
    assert id_in({"meeting": "7"}, "found") is None
    assert id_in({"meeting": "7"}, "meeting") == 7


@pytest.mark.parametrize("text", BAD)
async def test_a_strangers_refs_are_passed_over(text: str) -> None:
    requests: list[httpx.Request] = []
    script = {
        "POST L10/create": httpx.Response(200, json={"meetingId": 3001}),
        "POST L10/3001/attendees/5": EMPTY,
        "GET L10/12/todos": httpx.Response(200, json=[]),
        "POST L10/12/todos": made(),
        "GET weeks/current": httpx.Response(200, json={"ForWeekNumber": 2917}),
        "PUT measurables/77/week/2917": EMPTY,
    }
    destination = answering(scripted(script), requests=requests)
    meeting = record("meeting", "insert", None, {"title": "Weekly", "attendees": [5]})
    assert (await write(destination, meeting, {"meeting": text})).record_id == "3001"
    assert (await write(destination, TODO, {"found": text})).code == "CREATED"
    score = record("measurable", "update", "77", {"value": 1})
    assert (await write(destination, score, {"week": text})).code == "UPDATED"
    assert paths(requests) == list(script)


@pytest.mark.parametrize(
    ("event", "refs"),
    [
        pytest.param(issue(), {"meeting": "7"}, id="a meeting's at an issue"),
        pytest.param(issue(), {"found": "7"}, id="an upsert's at an insert"),
        pytest.param(TODO, {"found": "x"}, id="no id"),
    ],
)
@instantly
async def test_refs_of_other_work_do_not_stand_for_a_question(event: RecordEvent, refs: dict[str, str]) -> None:
    """A record can be changed when it is redriven; written again without a question, it would be there twice."""
    item = item_of(event, refs)
    there = httpx.Response(200, json=[{"Id": 101, "Name": "Call"}, {"Id": 102, "Name": "Late trucks"}])
    script = {"GET L10/12/todos?INCLUDE_CLOSED=true": there, "GET L10/12/issues?include_resolved=true": there}
    in_doubt = InDoubt(batch_id="b", refs={"issue": "100", "todo": "100"}, requested_at=NOON, lost_at_s=now_s())
    [(_, found)] = [one async for one in answering(scripted(script)).recover(make_batch([item]), in_doubt)]
    assert found is not None
