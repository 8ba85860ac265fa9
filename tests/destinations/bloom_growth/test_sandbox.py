"""The client against its stand-in, over HTTP: the two were written from bloom_growth.md by different hands."""

from typing import Any

import msgspec
import pytest

from sandbox.bloom_growth.faults import ExpireToken, IgnoreWrite
from sandbox.faults.fault import DropAfter, DropBefore, Status
from sluice.destinations.contract import Unavailable
from sluice.events import Operation
from sluice.flow.outcome import Fate, Outcome
from sluice.setting_types import Secret
from tests.destinations.bloom_growth.offline import issue
from tests.destinations.bloom_growth.tenant import JONAS, ME, MEETING, PRIYA, QUICK, STRANGER, Tenant, client, tenant
from tests.support.factories import record

PAGE = "<html><div id=app></div></html>"


async def delivered(acme: Tenant, object_: str, operation: Operation, key: str | None, **data: object) -> Outcome:
    outcome = await acme.deliver(record(object_, operation, key, data))
    assert outcome.fate is Fate.DELIVERED, outcome
    return outcome


async def test_an_issue_lives_from_its_making_to_its_end(acme: Tenant) -> None:
    made = await delivered(
        acme, "issue", "insert", None, title="Late trucks", meeting_id=MEETING, user_id=PRIYA, notes="n"
    )
    key = made.record_id or ""
    await delivered(acme, "issue", "update", key, title="Trucks are late", user_id=JONAS, complete=True)
    shown = await acme.read(f"/issues/{key}")
    assert (shown["Name"], shown["Owner"]["Id"], shown["CloseTime"] is None) == ("Trucks are late", JONAS, False)
    await delivered(acme, "issue", "update", key, complete=False)
    assert (await acme.read(f"/issues/{key}"))["CloseTime"] is None
    assert (await delivered(acme, "issue", "delete", key)).code == "DELETED"
    assert (await acme.deliver(issue("delete", key))).code == "404"


async def test_todos_of_a_meeting_and_personal_ones(acme: Tenant) -> None:
    made = await delivered(
        acme, "todo", "insert", None, title="Call", meeting_id=MEETING, user_id=PRIYA, due_date="2026-01-31"
    )
    shown = await acme.read(f"/todo/{made.record_id}")
    assert (shown["Owner"]["Id"], shown["DueDate"][:10], made.warning) == (PRIYA, "2026-01-31", None)
    await delivered(acme, "todo", "update", made.record_id, due_date="2026-02-01", complete=True)
    shown = await acme.read(f"/todo/{made.record_id}")
    assert (shown["DueDate"][:10], shown["Complete"]) == ("2026-02-01", True)
    own = await delivered(acme, "todo", "insert", None, title="Mine")
    assert (await acme.read(f"/todo/{own.record_id}"))["OriginId"] is None


async def test_a_goal_keeps_its_owner_is_archived_and_restored() -> None:
    async with tenant(msgspec.structs.replace(QUICK, reassigns_goals=True)) as acme:
        made = await delivered(acme, "goal", "insert", None, title="Grow", meeting_id=MEETING, user_id=PRIYA)
        await delivered(acme, "goal", "update", made.record_id, status="off")
        shown = await acme.read(f"/rocks/{made.record_id}")
        assert (shown["Owner"]["Id"], shown["Completion"]) == (PRIYA, 0)
        for archived in (True, False):
            await delivered(acme, "goal", "update", made.record_id, archived=archived)
            assert (await acme.read(f"/rocks/{made.record_id}"))["Archived"] == archived
        await delivered(acme, "goal", "delete", made.record_id)


async def test_a_success_that_does_nothing_is_seen(acme: Tenant) -> None:
    made = await delivered(acme, "goal", "insert", None, title="Grow", meeting_id=MEETING)
    await acme.control.add_fault(IgnoreWrite())
    outcome = await acme.deliver(record("goal", "update", made.record_id, {"archived": True}))
    assert (outcome.fate, outcome.code) == (Fate.RETRYABLE, "not-applied")


async def test_a_meeting_is_made_with_its_attendees_renamed_and_deleted(acme: Tenant) -> None:
    made = await delivered(acme, "meeting", "insert", None, title="Weekly", attendees=[JONAS, PRIYA, JONAS])
    key = made.record_id or ""
    assert {one["Id"] for one in await acme.read(f"/L10/{key}/attendees")} == {ME, PRIYA, JONAS}
    await delivered(acme, "meeting", "update", key, title="Daily", attendees=[4])
    await delivered(acme, "meeting_attendee", "insert", None, meeting_id=int(key), user_id=5)
    assert {one["Id"] for one in await acme.read(f"/L10/{key}/attendees")} == {ME, PRIYA, JONAS, 4, 5}
    assert (await acme.read(f"/L10/{key}"))["Basics"]["Name"] == "Daily"
    await delivered(acme, "meeting", "delete", key)


async def test_refused_attendees_are_named_and_a_redrive_goes_on_with_the_meeting(acme: Tenant) -> None:
    event = record("meeting", "insert", None, {"title": "Weekly", "attendees": [STRANGER, PRIYA, 999]})
    outcome = await acme.deliver(event)
    assert (outcome.fate, outcome.code) == (Fate.REJECTED, "partial")
    assert f"attendees are missing: {STRANGER}, 999; " in outcome.message
    corrected = record("meeting", "insert", None, {"title": "Weekly", "attendees": [PRIYA, JONAS]})
    again = await acme.deliver(corrected, refs={"meeting": outcome.record_id or ""})
    assert (again.code, again.record_id) == ("CREATED", outcome.record_id)
    assert await acme.titles("meeting") == ["Weekly"]
    assert {one["Id"] for one in await acme.read(f"/L10/{again.record_id}/attendees")} == {ME, PRIYA, JONAS}


async def test_headlines_and_scores(acme: Tenant) -> None:
    made = await delivered(acme, "headline", "insert", None, title="News", meeting_id=MEETING, notes="n")
    await delivered(acme, "headline", "update", made.record_id, title="More news")
    await delivered(acme, "headline", "delete", made.record_id)
    measurable = (await acme.read(f"/L10/{MEETING}/measurables"))[0]["Id"]
    week = (await acme.read("/weeks/current"))["ForWeekNumber"]
    await delivered(acme, "measurable", "update", str(measurable), value=1.5)
    await delivered(acme, "measurable", "update", str(measurable), value=2, week=week - 1)
    scores = (await acme.read(f"/scorecard/meeting/{MEETING}"))["Scores"]
    found = {one["ForWeek"]: one["Measured"] for one in scores if one["MeasurableId"] == measurable}
    assert (found[week], found[week - 1]) == (1.5, 2)


async def test_an_upsert_makes_once_and_then_changes(acme: Tenant) -> None:
    data = {"title": "Call", "meeting_id": MEETING, "user_id": PRIYA, "due_date": "2026-01-31"}
    codes = [(await acme.deliver(record("todo", "upsert", None, data))).code for _ in range(2)]
    assert codes == ["CREATED", "UPDATED"]
    assert await acme.titles("todo") == ["Call"]


async def test_an_owner_that_the_server_ignores_is_a_warning() -> None:
    async with tenant(msgspec.structs.replace(QUICK, binds_personal_owner=False)) as acme:
        made = await delivered(acme, "todo", "insert", None, title="Call", user_id=PRIYA)
    assert made.warning == f"user_id: asked for {PRIYA}, the server has made {ME} the owner"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param({"meeting_id": 999}, 404, id="unknown meeting"),
        pytest.param({"user_id": 999}, 404, id="unknown owner"),
        pytest.param({"user_id": STRANGER}, 403, id="owner of another organization"),
    ],
)
async def test_a_refusal_is_the_items_own(acme: Tenant, data: dict[str, Any], status: int) -> None:
    outcome = await acme.deliver(issue(**data))
    assert (outcome.fate, outcome.code, outcome.http_status) == (Fate.REJECTED, str(status), status)
    assert await acme.titles("issue") == []


async def test_updates_are_repeated_until_they_are_answered(acme: Tenant) -> None:
    made = await delivered(acme, "issue", "insert", None, title="A", meeting_id=MEETING)
    for fault in (DropAfter(method="PUT"), DropBefore(method="PUT"), Status(method="PUT", status=503)):
        await acme.control.add_fault(fault)
        await delivered(acme, "issue", "update", made.record_id, title="B")
    await acme.control.add_fault(DropAfter(method="DELETE"))
    await delivered(acme, "issue", "delete", made.record_id)


async def test_a_login_page_in_place_of_everything_holds() -> None:
    async with tenant() as acme:
        await acme.control.add_fault(Status(status=200, body=PAGE, content_type="text/html", times=None))
        with pytest.raises(AssertionError, match="no fate after ten tries"):
            await acme.deliver(issue("update", "7", title="B"))
        await acme.control.clear_faults()
        await delivered(acme, "issue", "insert", None, title="A", meeting_id=MEETING)


async def test_a_token_that_ends_in_the_middle_is_renewed_unseen() -> None:
    login: dict[str, Any] = {"api_key": None, "user_name": QUICK.user_name, "password": Secret(QUICK.password)}
    async with tenant(**login) as acme:
        await acme.control.add_fault(ExpireToken(skip=1))
        outcome = await acme.deliver(record("meeting", "insert", None, {"title": "A", "attendees": [PRIYA, JONAS]}))
        assert outcome.code == "CREATED"
        async with client(acme.url, **{**login, "password": Secret("wrong")}) as other:
            with pytest.raises(Unavailable, match="no login is tried"):
                await other.check()
