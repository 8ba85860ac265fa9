"""Every failure that bloom_growth.md §13.5 asks for."""

import httpx
import msgspec
import pytest

from sandbox.bloom_growth.faults import AnswerAfter, ExpireToken, IgnoreWrite, NullDetailsUrl, NullTarget, VanishMeeting
from sandbox.faults.fault import DropAfter, DropBefore, Selection, Stall, Status
from tests.sandbox.bloom_growth.tenants import BloomTenant


async def _is_created(bloom: BloomTenant) -> bool:
    return bool(await bloom.control.ledger())


@pytest.mark.parametrize(
    ("fault", "status", "created"),
    [
        pytest.param(Status(status=429, retry_after_s=1), 429, False, id="§13.5 429"),
        pytest.param(Status(status=503), 503, False, id="§13.5 5xx before commit"),
        pytest.param(AnswerAfter(status=502), 502, True, id="§13.5 5xx after commit"),
        pytest.param(Status(status=200, body="<html>", content_type="text/html"), 200, False, id="§13.5 200 with HTML"),
        pytest.param(AnswerAfter(status=200, body="<html>"), 200, True, id="§10 2xx without an id, after commit"),
    ],
)
async def test_an_answer_around_the_commit(bloom: BloomTenant, fault: Selection, status: int, created: bool) -> None:
    await bloom.control.add_fault(fault)
    answer = await bloom.http.post("L10/create", json={"title": "t"})
    assert (answer.status_code, await _is_created(bloom)) == (status, created)
    assert "meetingId" not in answer.text


@pytest.mark.parametrize(
    ("fault", "created"),
    [
        pytest.param(DropBefore(), False, id="§13.5 drop before commit"),
        pytest.param(DropAfter(), True, id="§13.5 drop after commit"),
    ],
)
async def test_a_connection_drops(bloom: BloomTenant, fault: Selection, created: bool) -> None:
    await bloom.control.add_fault(fault)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await bloom.http.post("L10/create", json={"title": "t"})
    assert await _is_created(bloom) == created


async def test_an_answer_stalls_after_the_commit(bloom: BloomTenant) -> None:
    await bloom.control.add_fault(Stall(seconds=600))
    with pytest.raises(httpx.ReadTimeout):
        await bloom.http.post("L10/create", json={"title": "t"}, timeout=0.05)
    assert await _is_created(bloom)


async def test_a_details_url_is_null_in_the_next_answer_that_has_one(bloom: BloomTenant) -> None:
    await bloom.control.add_fault(NullDetailsUrl())
    await bloom.me()
    issue = await bloom.send("POST", f"L10/{await bloom.meeting()}/issues", {"title": "t"})
    assert issue["DetailsUrl"] is None
    assert (await bloom.get(f"issues/{issue['Id']}"))["DetailsUrl"] is not None


async def test_a_target_is_null_in_measurables_and_scores(bloom: BloomTenant) -> None:
    await bloom.control.add_fault(NullTarget(times=2))
    meeting = await bloom.meeting()
    measurables = await bloom.get(f"L10/{meeting}/measurables")
    scores = (await bloom.get(f"scorecard/meeting/{meeting}"))["Scores"]
    assert {one["Target"] for one in (*measurables, *scores)} == {None}
    assert None not in {one["Target"] for one in await bloom.get(f"L10/{meeting}/measurables")}


async def test_the_nth_attendee_fails(bloom: BloomTenant) -> None:
    meeting = (await bloom.send("POST", "L10/create", {"title": "t"}))["meetingId"]
    await bloom.control.add_fault(Status(status=500, skip=1, path=f"/api/v1/l10/{meeting}/attendees"))
    users = [await bloom.user(name) for name in ("maria", "jonas", "priya")]
    statuses = [await bloom.status("POST", f"L10/{meeting}/attendees/{user}") for user in users]
    assert statuses == [200, 500, 200]


async def test_one_person_fails_in_any_meeting(bloom: BloomTenant) -> None:
    """§7: the meeting's id is not known before."""
    maria, jonas = await bloom.user("maria"), await bloom.user("jonas")
    await bloom.control.add_fault(Status(status=403, times=None, path=f"/api/v1/L10/*/attendees/{maria}"))
    for _ in range(2):
        meeting = (await bloom.send("POST", "L10/create", {"title": "t"}))["meetingId"]
        statuses = [await bloom.status("POST", f"L10/{meeting}/attendees/{user}") for user in (maria, jonas)]
        assert statuses == [403, 200]


async def test_one_title_fails_among_many(bloom: BloomTenant) -> None:
    path = f"L10/{await bloom.meeting()}/issues"
    await bloom.control.add_fault(AnswerAfter(status=502, method="POST", contains="b"))
    assert [await bloom.status("POST", path, {"title": one}) for one in "abc"] == [200, 502, 200]


@pytest.mark.parametrize(
    ("kind", "path", "method", "change", "body"),
    [
        pytest.param("rocks", "rocks/{id}", "PUT", "/archive", None, id="§15 archive a goal"),
        pytest.param("issues", "issues/{id}", "POST", "/complete", {"complete": True}, id="§15 solve an issue"),
        pytest.param("todos", "todo/{id}", "POST", "/complete", None, id="complete a todo"),
        pytest.param("headlines", "headline/{id}", "PUT", "", {"title": "new"}, id="update a headline"),
    ],
)
async def test_a_change_may_succeed_and_do_nothing(
    bloom: BloomTenant, kind: str, path: str, method: str, change: str, body: object
) -> None:
    path = path.format(id=(await bloom.create(kind))["Id"])
    before = await bloom.get(path)
    await bloom.control.add_fault(IgnoreWrite(method=method))
    await bloom.send(method, path + change, body)
    assert await bloom.get(path) == before
    assert (await bloom.control.ledger())[-1].effect == "UNCHANGED"
    await bloom.send(method, path + change, body)
    assert await bloom.get(path) != before


async def test_creates_and_deletes_are_never_ignored(bloom: BloomTenant) -> None:
    await bloom.control.add_fault(IgnoreWrite())
    goal = (await bloom.create("rocks"))["Id"]
    await bloom.send("DELETE", f"rocks/{goal}")
    assert [one.effect for one in await bloom.control.ledger()] == ["CREATED", "DELETED"]


async def test_after_a_refused_change_writes_are_made_again(bloom: BloomTenant) -> None:
    await bloom.control.add_fault(IgnoreWrite())
    assert await bloom.status("PUT", "rocks/1", {"title": "new"}) == 404
    assert (await bloom.create("rocks", title="t"))["Name"] == "t"


async def test_a_meeting_vanishes_only_after_a_call_that_succeeds(bloom: BloomTenant) -> None:
    """§7: between the calls of a batch read. See test_trials.py."""
    await bloom.control.add_fault(VanishMeeting())
    assert await bloom.status("GET", "L10/1") == 404
    meeting = await bloom.meeting()
    assert [await bloom.status("GET", f"L10/{meeting}/issues") for _ in range(2)] == [200, 404]
    assert await bloom.control.ledger() == []


async def test_the_token_expires_in_mid_batch(bloom: BloomTenant) -> None:
    path = f"L10/{await bloom.meeting()}/issues"
    await bloom.control.add_fault(ExpireToken(method="POST", skip=2))
    assert [await bloom.status("POST", path, {"title": "t"}) for _ in range(4)] == [200, 200, 401, 401]
    assert len(await bloom.control.ledger()) == 2


async def test_the_vendors_faults_are_listed_as_they_stand(bloom: BloomTenant) -> None:
    await bloom.control.add_fault(AnswerAfter(times=None))
    [standing] = await bloom.control.faults(AnswerAfter)
    assert msgspec.to_builtins(standing.fault)["kind"] == "answer_after"
