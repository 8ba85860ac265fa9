"""Recovery without a network: when it asks, how often, and what a list that fails is worth."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import httpx
import pytest

from sluice.destinations.bloom_growth.assumptions import MAX_NAMESAKES
from sluice.destinations.bloom_growth.destination import BloomGrowth
from sluice.destinations.contract import Unavailable
from sluice.flow.batch import InDoubt, Item
from sluice.flow.outcome import Fate, Outcome
from tests.destinations.bloom_growth.offline import (
    PAGE,
    SETTINGS,
    Answer,
    answering,
    issue,
    item_of,
    made,
    paths,
    scripted,
)
from tests.support.factories import NOON, make_batch, record
from tests.support.fake_calls import FakeCalls
from tests.support.instant_clock import duration_s, instantly, now_s

ISSUES, TODOS, MEETINGS = (
    "GET L10/12/issues?include_resolved=true",
    "GET L10/12/todos?INCLUDE_CLOSED=true",
    "GET L10/list",
)
NONE = httpx.Response(200, json=[])
TODO = record("todo", "insert", None, {"title": "Call", "meeting_id": 12})
MEETING = record("meeting", "insert", None, {"title": "Weekly"})
Found = dict[int, Outcome | None]


def lost_now(vendor_at: datetime | None = None) -> InDoubt:
    refs = {"issue": "100", "todo": "100", "meeting": "100"}
    return InDoubt(batch_id="b", refs=refs, requested_at=NOON, lost_at_s=now_s(), vendor_at=vendor_at)


async def ask(
    destination: BloomGrowth, items: Sequence[Item], found: Found, *, vendor_at: datetime | None = None
) -> None:
    async for item, outcome in destination.recover(make_batch(items), lost_now(vendor_at)):
        found[item.row] = outcome


def rows(*made: tuple[int, str]) -> httpx.Response:
    return httpx.Response(200, json=[{"Id": id_, "Name": name} for id_, name in made])


@instantly
async def test_it_waits_until_the_vendor_has_given_up() -> None:
    requests: list[httpx.Request] = []
    destination = answering(scripted({ISSUES: NONE}), requests=requests)
    found: Found = {}
    assert await duration_s(ask(destination, [item_of(issue())], found)) == pytest.approx(SETTINGS.settle_s)
    assert found == {0: None}


@instantly
async def test_what_can_go_on_is_neither_waited_for_nor_asked_about() -> None:
    items = [
        item_of(issue("update", "7", title="B"), row=0),
        item_of(MEETING, {"meeting": "3001"}, row=1),
        item_of(record("todo", "upsert", None, {"title": "A", "meeting_id": 12}), {"found": "7"}, row=2),
    ]
    found: Found = {}
    assert await duration_s(ask(answering(scripted({})), items, found)) == 0
    assert found == {0: None, 1: None, 2: None}


@instantly
async def test_one_list_serves_all_items_of_a_place() -> None:
    requests: list[httpx.Request] = []
    items = [item_of(issue(title=f"T{row}"), key=b"12", row=row) for row in range(20)]
    destination = answering(scripted({ISSUES: rows((101, "T3"), (102, "other"))}), requests=requests)
    found: Found = {}
    await ask(destination, items, found)
    assert paths(requests).count(ISSUES) == 1
    adopted = [row for row, outcome in found.items() if outcome is not None]
    assert (adopted, len(found)) == ([3], 20)


@instantly
async def test_what_one_item_has_adopted_is_not_there_for_another() -> None:
    destination = answering(scripted({ISSUES: rows((101, "Late trucks"))}))
    first: Found = {}
    second: Found = {}
    await ask(destination, [item_of(issue(), key=b"12")], first)
    await ask(destination, [item_of(issue(), key=b"12")], second)
    assert (first[0] is not None, second[0]) == (True, None)


@instantly
async def test_what_an_item_has_made_is_its_own_when_its_lane_comes_back() -> None:
    """Its answer came, the lane was lost before the receipt was committed, and its next owner has not settled it."""
    requests: list[httpx.Request] = []
    destination = answering(scripted({"POST issues/create": made(101)}), requests=requests)
    await destination.write_item(item := item_of(issue()), FakeCalls(item))
    found: Found = {}
    assert await duration_s(ask(destination, [item], found)) == 0
    assert found[0] is not None
    assert (found[0].fate, found[0].record_id, len(requests)) == (Fate.DELIVERED, "101", 1)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.Response(503), id="503"),
        pytest.param(httpx.Response(429), id="429"),
        pytest.param(httpx.ReadError(""), id="reset"),
        pytest.param(httpx.Response(401), id="401"),
    ],
)
@instantly
async def test_a_list_that_fails_for_now_is_asked_for_again_and_others_are_not(answer: Answer) -> None:
    items = [item_of(issue(), row=0), item_of(TODO, row=1)]
    destination = answering(scripted({ISSUES: [answer, NONE], TODOS: NONE}))
    found: Found = {}
    with pytest.raises(Unavailable):
        await ask(destination, items, found)
    assert found == {1: None}
    await ask(destination, items[:1], found)
    assert found == {0: None, 1: None}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.Response(404, json={"Message": "gone"}), id="404"),
        pytest.param(httpx.Response(403, json={"Message": "no"}), id="403"),
        pytest.param(PAGE, id="a page that stays"),
        pytest.param(httpx.Response(200, json={"Id": 1}), id="no array"),
    ],
)
@instantly
async def test_a_list_that_is_refused_tells_nothing(answer: httpx.Response) -> None:
    found: Found = {}
    await ask(answering(scripted({ISSUES: answer})), [item_of(issue())], found)
    assert found[0] is not None
    assert (found[0].fate, found[0].code) == (Fate.AMBIGUOUS, "no-answer")


@instantly
async def test_a_page_that_passes_in_a_moment_costs_one_more_list() -> None:
    found: Found = {}
    await ask(answering(scripted({ISSUES: [PAGE, NONE]})), [item_of(issue())], found)
    assert found == {0: None}


@instantly
async def test_a_list_of_megabytes_is_read() -> None:
    long = rows(
        *((1 + row, f"Something else, and long enough {row} " * 5) for row in range(9000)), (99_999, "Late trucks")
    )
    assert len(long.content) > 1_500_000
    found: Found = {}
    await ask(answering(scripted({ISSUES: long})), [item_of(issue(), key=b"12")], found)
    assert found[0] is not None
    assert found[0].record_id == "99999"


@instantly
async def test_a_page_instead_of_everything_is_asked_about_again() -> None:
    found: Found = {}
    for probe in (PAGE, httpx.Response(403), httpx.Response(302)):
        with pytest.raises(Unavailable):
            await ask(answering(scripted({ISSUES: PAGE, "GET users/mine": probe})), [item_of(issue())], found)
    assert found == {}


@instantly
async def test_namesakes_of_a_meeting_are_read_one_by_one() -> None:
    def shown(at: datetime) -> httpx.Response:
        return httpx.Response(200, json={"Id": 1, "CreateTime": at.isoformat(), "Basics": {"Name": "Weekly"}})

    names = rows((99, "Weekly"), (101, "Weekly"), (102, "Weekly"), (103, "Daily"))
    old, new = shown(NOON - timedelta(minutes=6)), shown(NOON + timedelta(minutes=1))
    destination = answering(scripted({MEETINGS: names, "GET L10/101": old, "GET L10/102": new}))
    found: Found = {}
    await ask(destination, [item_of(MEETING, key=b"Weekly")], found, vendor_at=NOON)
    assert found[0] is not None
    assert (found[0].code, found[0].record_id) == ("adopted", "102")


@instantly
async def test_too_many_namesakes_of_a_meeting_are_not_read() -> None:
    names = rows(*((101 + row, "Weekly") for row in range(MAX_NAMESAKES + 1)))
    found: Found = {}
    await ask(answering(scripted({MEETINGS: names})), [item_of(MEETING, key=b"Weekly")], found)
    assert found[0] is not None
    assert "found 11 meetings" in found[0].message


@instantly
async def test_a_user_s_list_has_todos_of_meetings_too() -> None:
    mine = httpx.Response(200, json=[{"Id": 101, "Name": "Call", "OriginId": 12}])
    event = record("todo", "insert", None, {"title": "Call"})
    found: Found = {}
    await ask(answering(scripted({"GET todo/users/mine": mine})), [item_of(event, key=b"Call")], found)
    assert found == {0: None}


@instantly
async def test_a_meeting_that_is_found_and_lacks_attendees_is_gone_on_with() -> None:
    """Its id is in the item, from where the writer puts it into the journal."""
    event = record("meeting", "insert", None, {"title": "Weekly", "attendees": [5]})
    shown = httpx.Response(200, json={"Id": 1, "Basics": {"Name": "Weekly"}})
    requests: list[httpx.Request] = []
    script = {MEETINGS: rows((101, "Weekly")), "GET L10/101": shown, "POST L10/101/attendees/5": httpx.Response(200)}
    destination, item = answering(scripted(script), requests=requests), item_of(event, key=b"Weekly")
    found: Found = {}
    await ask(destination, [item], found)
    assert (found, item.refs["meeting"]) == ({0: None}, "101")
    outcome = await destination.write_item(item, FakeCalls(item))
    assert (outcome.code, outcome.record_id, paths(requests)[-1]) == ("adopted", "101", "POST L10/101/attendees/5")
