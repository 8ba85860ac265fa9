"""Meetings in several calls: made once, whatever becomes of their attendees."""

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, Unavailable
from sluice.flow.outcome import Fate
from tests.destinations.bloom_growth.offline import EMPTY, Answer, answering, item_of, paths, scripted, write
from tests.support.factories import record
from tests.support.fake_calls import FakeCalls

CREATE = "POST L10/create"
MADE = httpx.Response(200, json={"meetingId": 3001})
MEETING = record("meeting", "insert", None, {"title": "Weekly", "attendees": [5, 4, 5]})
UNKNOWN = httpx.Response(404, json={"Message": "There is no user 4."})
ATTENDING = "GET L10/3001/attendees"


def attendee(user_id: int) -> str:
    return f"POST L10/3001/attendees/{user_id}"


async def test_the_id_is_noted_before_the_first_attendee_is_added() -> None:
    requests: list[httpx.Request] = []
    item = item_of(MEETING)
    calls = FakeCalls(item)
    destination = answering(
        scripted({CREATE: MADE, attendee(5): httpx.ReadError(""), attendee(4): EMPTY}), requests=requests
    )
    with pytest.raises(Ambiguous):
        await destination.write_item(item, calls)
    assert calls.notes == [{"meeting": "3001"}]
    assert paths(requests) == [CREATE, attendee(5)]


async def test_a_half_made_meeting_is_gone_on_with() -> None:
    requests: list[httpx.Request] = []
    destination = answering(scripted({attendee(5): EMPTY, attendee(4): EMPTY}), requests=requests)
    outcome = await write(destination, MEETING, {"meeting": "3001"})
    assert (outcome.code, outcome.record_id) == ("CREATED", "3001")
    assert paths(requests) == [attendee(5), attendee(4)]


async def test_a_refused_attendee_ends_as_partial_after_the_others() -> None:
    requests: list[httpx.Request] = []
    script = {CREATE: MADE, attendee(5): UNKNOWN, attendee(4): EMPTY, ATTENDING: httpx.Response(200, json=[{"Id": 4}])}
    outcome = await write(answering(scripted(script), requests=requests), MEETING)
    assert (outcome.fate, outcome.code, outcome.record_id, outcome.http_status) == (
        Fate.REJECTED,
        "partial",
        "3001",
        404,
    )
    assert outcome.message.startswith("the meeting 3001 is made, and attendees are missing: 5; ")
    assert paths(requests) == [CREATE, attendee(5), attendee(4), ATTENDING]


@pytest.mark.parametrize(
    ("attending", "code"),
    [
        pytest.param(httpx.Response(200, json=[{"Id": 4}, {"Id": 5}]), "CREATED", id="who is there is not missing"),
        pytest.param(httpx.Response(403, json={}), "partial", id="not readable"),
    ],
)
async def test_a_refusal_of_somebody_who_attends_already_is_none(attending: httpx.Response, code: str) -> None:
    script: dict[str, Answer | list[Answer]] = {attendee(5): UNKNOWN, attendee(4): UNKNOWN, ATTENDING: attending}
    assert (await write(answering(scripted(script)), MEETING, {"meeting": "3001"})).code == code


async def test_an_outage_in_the_middle_is_held_and_then_gone_on_with() -> None:
    item = item_of(MEETING)
    script: dict[str, Answer | list[Answer]] = {
        CREATE: [MADE],
        attendee(5): EMPTY,
        attendee(4): [httpx.Response(429), EMPTY],
    }
    destination = answering(scripted(script))
    with pytest.raises(Unavailable):
        await destination.write_item(item, FakeCalls(item))
    assert (await destination.write_item(item, FakeCalls(item))).code == "CREATED"


async def test_more_attendees_are_added_to_a_meeting_that_exists() -> None:
    update = record("meeting", "update", "3001", {"title": "Daily", "attendees": [5, 4]})
    requests: list[httpx.Request] = []
    script = {"PUT L10/3001": EMPTY, attendee(5): EMPTY, attendee(4): EMPTY}
    assert (await write(answering(scripted(script), requests=requests), update)).code == "UPDATED"
    assert paths(requests) == list(script)


async def test_one_attendee_more_is_a_record_too() -> None:
    event = record("meeting_attendee", "insert", None, {"meeting_id": 3001, "user_id": 5})
    outcome = await write(answering(scripted({attendee(5): EMPTY})), event)
    assert (outcome.code, outcome.record_id) == ("ADDED", "5")
