"""Lost answers against the stand-in: what was made is found, what was not is made once, and nothing is guessed."""

import asyncio

import msgspec
import pytest

from sandbox.bloom_growth.faults import AnswerAfter, VanishMeeting
from sandbox.faults.fault import DropAfter, DropBefore, Garbage, Latency, Standing, Status, StatusAfter, Truncate
from sluice.destinations.contract import Ambiguous
from sluice.events import RecordEvent
from sluice.flow.batch import InDoubt
from sluice.flow.outcome import Fate
from tests.destinations.bloom_growth.offline import issue, item_of
from tests.destinations.bloom_growth.tenant import (
    JONAS,
    ME,
    MEETING,
    PRIYA,
    QUICK,
    Tenant,
    client,
    deliver,
    recover,
    tenant,
)
from tests.support.factories import NOON, make_batch, record
from tests.support.fake_calls import FakeCalls

PAGE = "<html><div id=app></div></html>"
TITLE = "Late trucks"

CREATES = [
    pytest.param("issue", {"title": TITLE, "meeting_id": MEETING, "user_id": PRIYA}, b"12", id="issue"),
    pytest.param("todo", {"title": TITLE, "meeting_id": MEETING, "user_id": PRIYA}, b"12", id="todo"),
    pytest.param("todo", {"title": TITLE, "user_id": PRIYA}, TITLE.encode(), id="personal todo"),
    pytest.param("goal", {"title": TITLE, "meeting_id": MEETING, "user_id": PRIYA}, b"12", id="goal"),
    pytest.param("goal", {"title": TITLE, "user_id": PRIYA}, TITLE.encode(), id="goal without a meeting"),
    pytest.param("headline", {"title": TITLE, "meeting_id": MEETING}, b"12", id="headline"),
    pytest.param("meeting", {"title": TITLE}, TITLE.encode(), id="meeting"),
]
LOSSES = [
    pytest.param(DropBefore(method="POST"), "CREATED", id="dropped before"),
    pytest.param(DropAfter(method="POST"), "adopted", id="dropped after"),
    pytest.param(Status(method="POST", status=503), "CREATED", id="503 before"),
    pytest.param(AnswerAfter(status=502), "adopted", id="502 after"),
    pytest.param(AnswerAfter(status=200, body=PAGE), "adopted", id="a page after"),
    pytest.param(StatusAfter(method="POST", status=302, location="/login"), "adopted", id="302 after"),
    pytest.param(StatusAfter(method="POST", status=403, body="<html>"), "adopted", id="a firewall's 403 after"),
    pytest.param(Truncate(method="POST"), "adopted", id="cut short"),
    pytest.param(Garbage(method="POST"), "adopted", id="garbage"),
]


@pytest.mark.parametrize(("object_", "data", "key"), CREATES)
@pytest.mark.parametrize(("fault", "code"), LOSSES)
async def test_a_lost_create_is_there_once(
    acme: Tenant, object_: str, data: dict[str, object], key: bytes, fault: Standing, code: str
) -> None:
    await acme.control.add_fault(fault)
    outcome = await acme.deliver(record(object_, "insert", None, data), key=key)
    assert (outcome.fate, outcome.code) == (Fate.DELIVERED, code)
    (made,) = await acme.control.created()
    assert (str(made.id), made.title) == (outcome.record_id, TITLE)


async def test_a_page_that_stays_ends_as_a_refusal_and_not_in_a_loop(acme: Tenant) -> None:
    await acme.control.add_fault(Status(path="/api/v1/issues/create", status=200, body=PAGE, times=None))
    outcome = await acme.deliver(issue())
    assert (outcome.fate, outcome.code) == (Fate.REJECTED, "no-json")


async def test_a_create_that_arrives_after_its_client_has_left_is_not_made_twice() -> None:
    """The rule of looking twice a second apart makes two. rules_bloom_liquid_reads.md X1"""
    async with tenant(timeout_s=0.2, settle_s=2.0) as acme:
        await acme.control.add_fault(Latency(path="/api/v1/issues/create", seconds=0.6))
        item = item_of(issue(), key=b"12")
        refs = dict(acme.destination.newest_ids)
        with pytest.raises(Ambiguous):
            await acme.destination.write_item(item, FakeCalls(item))
        lost_at_s = asyncio.get_running_loop().time()
        in_doubt = InDoubt(batch_id="b", refs=refs, requested_at=NOON, lost_at_s=lost_at_s)
        assert await acme.titles("issue") == []
        [(_, found)] = [one async for one in acme.destination.recover(make_batch([item]), in_doubt)]
        assert found is not None
        assert found.code == "adopted"
        assert await acme.titles("issue") == [TITLE]


async def test_another_publishers_namesake_is_not_adopted_without_the_key(acme: Tenant) -> None:
    """X2"""
    async with client(acme.url) as other:
        await acme.control.add_fault(DropBefore(method="POST"))
        item = item_of(issue())
        refs = dict(acme.destination.newest_ids)
        with pytest.raises(Ambiguous):
            await acme.destination.write_item(item, FakeCalls(item))
        await deliver(other, item_of(issue()))
        found = await recover(acme.destination, item, refs)
    assert found is not None
    assert (found.fate, found.code) == (Fate.AMBIGUOUS, "no-answer")
    assert "message key" in found.message


async def test_with_no_namesakes_promised_any_key_will_do() -> None:
    async with tenant(namesakes="none") as acme:
        await acme.control.add_fault(DropAfter(method="POST"))
        assert (await acme.deliver(issue(), key=None)).code == "adopted"


async def test_a_personal_todo_that_became_mine_is_found() -> None:
    """X3"""
    async with tenant(msgspec.structs.replace(QUICK, binds_personal_owner=False)) as acme:
        await acme.control.add_fault(DropAfter(method="POST"))
        event = record("todo", "insert", None, {"title": TITLE, "user_id": PRIYA})
        assert (await acme.deliver(event, key=TITLE.encode())).code == "adopted"


async def test_an_old_namesake_is_not_adopted(acme: Tenant) -> None:
    """X5"""
    first = await acme.deliver(issue())
    await acme.control.add_fault(DropBefore(method="POST"))
    second = await acme.deliver(issue())
    assert (second.code, second.record_id != first.record_id) == ("CREATED", True)
    assert await acme.titles("issue") == [TITLE] * 2


async def test_a_meeting_that_we_do_not_attend_is_ambiguous(acme: Tenant) -> None:
    """X6"""
    await acme.control.add_fault(DropAfter(method="POST"))
    event = record("meeting", "insert", None, {"title": TITLE, "add_self": False, "attendees": [PRIYA]})
    outcome = await acme.deliver(event, key=TITLE.encode())
    assert (outcome.fate, outcome.code) == (Fate.AMBIGUOUS, "no-answer")
    assert "add_self" in outcome.message


async def test_a_found_meeting_gets_its_attendees(acme: Tenant) -> None:
    await acme.control.add_fault(DropAfter(path="/api/v1/L10/create"))
    event = record("meeting", "insert", None, {"title": TITLE, "attendees": [PRIYA, JONAS]})
    outcome = await acme.deliver(event, key=TITLE.encode())
    assert outcome.code == "adopted"
    (made,) = await acme.control.created()
    assert (made.title, made.attendees) == (TITLE, [ME, PRIYA, JONAS])


async def test_an_attendee_whose_answer_is_lost_is_added_again(acme: Tenant) -> None:
    await acme.control.add_fault(DropAfter(path="/api/v1/L10/", method="POST", skip=1, times=2))
    outcome = await acme.deliver(record("meeting", "insert", None, {"title": TITLE, "attendees": [PRIYA, JONAS]}))
    assert outcome.code == "CREATED"
    assert await acme.titles("meeting") == [TITLE]


async def test_a_title_that_the_server_has_trimmed_is_found() -> None:
    async with tenant(msgspec.structs.replace(QUICK, normalizes_titles=True)) as acme:
        await acme.control.add_fault(DropAfter(method="POST"))
        assert (await acme.deliver(issue(title="  Late   trucks "))).code == "adopted"


@pytest.mark.parametrize(
    ("object_", "change"),
    [
        pytest.param("issue", {"complete": True}, id="solved"),
        pytest.param("todo", {"complete": True}, id="completed"),
        pytest.param("goal", {"archived": True}, id="archived"),
    ],
)
async def test_what_a_person_has_finished_meanwhile_is_found(
    acme: Tenant, object_: str, change: dict[str, object]
) -> None:
    await acme.control.add_fault(DropAfter(method="POST"))
    item = item_of(record(object_, "insert", None, {"title": TITLE, "meeting_id": MEETING}), key=b"12")
    refs = dict(acme.destination.newest_ids)
    with pytest.raises(Ambiguous):
        await acme.destination.write_item(item, FakeCalls(item))
    (made,) = await acme.control.created()
    await acme.deliver(record(object_, "update", str(made.id), change))
    found = await recover(acme.destination, item, refs)
    assert found is not None
    assert (found.code, found.record_id) == ("adopted", str(made.id))


async def test_a_meeting_that_is_gone_tells_nothing(acme: Tenant) -> None:
    await acme.control.add_fault(VanishMeeting())
    item = item_of(record("todo", "insert", None, {"title": TITLE, "meeting_id": MEETING}), key=b"12")
    await acme.control.add_fault(DropAfter(method="POST"))
    with pytest.raises(Ambiguous):
        await acme.destination.write_item(item, FakeCalls(item))
    found = await recover(acme.destination, item)
    assert found is not None
    assert found.fate is Fate.AMBIGUOUS
    assert "404" in found.message


def twins(count: int) -> list[RecordEvent]:
    return [issue(user_id=PRIYA) for _ in range(count)]


async def test_twins_are_each_there_once_through_losses(acme: Tenant) -> None:
    ids = []
    for event, fault in zip(twins(4), (None, DropAfter(method="POST"), DropBefore(method="POST"), None), strict=True):
        if fault is not None:
            await acme.control.add_fault(fault)
        ids.append((await acme.deliver(event)).record_id)
    assert len(set(ids)) == 4
    assert await acme.titles("issue") == [TITLE] * 4


async def test_a_new_process_knows_by_the_journal_what_is_its_own(acme: Tenant) -> None:
    first = await acme.deliver(issue())
    item = item_of(issue(), key=b"12")
    refs = dict(acme.destination.newest_ids)
    await acme.control.add_fault(DropAfter(method="POST"))
    with pytest.raises(Ambiguous):
        await acme.destination.write_item(item, FakeCalls(item))
    async with client(acme.url) as restarted:
        found = await recover(restarted, item, refs)
        unbounded = await recover(restarted, item_of(issue(), key=b"12"))
    assert found is not None
    assert (found.code, found.record_id != first.record_id) == ("adopted", True)
    # Without a bound the first one may be it, too.
    assert unbounded is not None
    assert unbounded.fate is Fate.AMBIGUOUS


async def test_a_lost_upsert_is_there_once(acme: Tenant) -> None:
    event = record("todo", "upsert", None, {"title": TITLE, "meeting_id": MEETING})
    await acme.control.add_fault(DropAfter(method="POST"))
    assert (await acme.deliver(event)).code == "adopted"
    await acme.control.add_fault(DropAfter(method="PUT"))
    assert (await acme.deliver(event)).code == "UPDATED"
    assert await acme.titles("todo") == [TITLE]
