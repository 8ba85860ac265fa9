"""Every kind of fault, over real connections."""

import asyncio
import gzip
import time
from email.utils import parsedate_to_datetime

import httpx
import pytest

from sandbox.faults.fault import (
    Bomb,
    Cookies,
    Date,
    DropAfter,
    DropBefore,
    Endless,
    Garbage,
    Latency,
    MissingResults,
    OmitIdentifiers,
    Outage,
    ShuffleResults,
    Stall,
    Standing,
    Status,
    StatusAfter,
    Truncate,
)
from tests.sandbox.blueconic.tenants import Tenant, group


async def _is_applied(blueconic: Tenant) -> bool:
    return bool(await blueconic.control.ledger())


@pytest.mark.parametrize(
    ("fault", "applied"),
    [
        pytest.param(DropBefore(), False, id="drop_before applies nothing"),
        pytest.param(DropAfter(), True, id="drop_after applies"),
        pytest.param(Truncate(framing="length"), True, id="truncate under the full Content-Length"),
        pytest.param(Truncate(framing="chunked"), True, id="truncate of a chunked stream"),
        pytest.param(Outage(seconds=60), False, id="outage"),
        pytest.param(Garbage(), True, id="garbage applies"),
    ],
)
async def test_a_broken_connection_breaks_the_request(blueconic: Tenant, fault: Standing, applied: bool) -> None:
    await blueconic.control.add_fault(fault)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await blueconic.http.put("/groups", json=[group("g")])
    assert await _is_applied(blueconic) == applied


@pytest.mark.parametrize("encoding", [pytest.param("identity", id="plain"), pytest.param("gzip", id="gzip")])
async def test_a_complete_but_cut_200_cannot_be_parsed(blueconic: Tenant, encoding: str) -> None:
    await blueconic.control.add_fault(Truncate(framing="complete"))
    with pytest.raises((httpx.DecodingError, ValueError)):
        (await blueconic.http.put("/groups", json=[group("g")], headers={"accept-encoding": encoding})).json()
    assert await _is_applied(blueconic)


async def test_a_truncation_waits_for_a_200_with_a_body(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(Truncate())
    assert (await blueconic.http.put("/groups", content=b"?")).status_code == 400
    with pytest.raises(httpx.RemoteProtocolError):
        await blueconic.http.put("/groups", json=[group("g")])


async def test_a_status_comes_instead_of_the_vendors_answer(blueconic: Tenant) -> None:
    fault = Status(status=503, retry_after_s=7, body='{"busy":true}', content_type="application/json")
    await blueconic.control.add_fault(fault)
    answer = await blueconic.http.put("/groups", json=[group("g")])
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (503, {"busy": True}, "7")
    assert not await _is_applied(blueconic)


async def test_a_proxys_answer_can_come_after_the_vendor_has_applied_it(blueconic: Tenant) -> None:
    fault = StatusAfter(status=302, location="/login", body="<html>", content_type="text/html")
    await blueconic.control.add_fault(fault)
    answer = await blueconic.http.put("/groups", json=[group("g")])
    assert (answer.status_code, answer.headers["location"], answer.text) == (302, "/login", "<html>")
    assert await _is_applied(blueconic)


async def test_an_endless_answer_ends_when_its_client_hangs_up(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(Endless())
    async with blueconic.http.stream("PUT", "/groups", json=[group("g")]) as answer:
        taken = 0
        async for piece in answer.aiter_raw():
            taken += len(piece)
            if taken > 2**20:
                break
    assert (await blueconic.http.get("/groupTypes")).status_code == 200
    assert await _is_applied(blueconic)


async def test_a_bomb_is_packed_though_nobody_asked_for_it(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(Bomb(unpacked_mib=64))
    async with blueconic.http.stream("GET", "/groupTypes", headers={"accept-encoding": "identity"}) as answer:
        packed = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert len(packed) < 128 * 1024
    assert len(gzip.decompress(packed)) == 64 * 2**20


async def test_cookies_have_new_names_in_each_answer(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(Cookies(count=2, times=None))
    answers = [await blueconic.http.get("/groupTypes") for _ in range(2)]
    names = {line.partition("=")[0] for answer in answers for line in answer.headers.get_list("set-cookie")}
    assert len(names) == 4


async def test_the_date_is_the_sandboxes_unless_a_fault_says_otherwise(blueconic: Tenant) -> None:
    async def date() -> float | None:
        value = (await blueconic.http.get("/groupTypes")).headers.get("date")
        return None if value is None else parsedate_to_datetime(value).timestamp()

    await blueconic.control.advance(3600)
    plain = await date()
    await blueconic.control.add_fault(Date())
    await blueconic.control.add_fault(Date(ahead_s=-7200, skip=1))
    absent, behind = await date(), await date()
    assert plain is not None
    assert absent is None
    assert behind is not None
    assert plain - time.time() == pytest.approx(3600, abs=30)
    assert plain - behind == pytest.approx(7200, abs=30)


async def test_a_cut_answer_may_stand_still_before_it_breaks(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(Truncate(seconds=600))
    async with asyncio.TaskGroup() as sending:
        sent = sending.create_task(_broken(blueconic))
        while not await _is_applied(blueconic):
            pass
        await asyncio.sleep(0)
        assert not sent.done()
        await blueconic.control.advance(600)
    assert sent.result()


async def _broken(blueconic: Tenant) -> bool:
    try:
        await blueconic.http.put("/groups", json=[group("g")])
    except httpx.RemoteProtocolError:
        return True
    return False


@pytest.mark.parametrize("status", [pytest.param(code, id=str(code)) for code in (400, 403, 408, 429, 500, 502, 504)])
async def test_any_status_can_be_had(blueconic: Tenant, status: int) -> None:
    await blueconic.control.add_fault(Status(status=status))
    answer = await blueconic.http.get("/groupTypes")
    assert (answer.status_code, answer.content) == (status, b"")


async def test_results_can_be_missing(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(MissingResults(count=3))
    results = await blueconic.put_groups(*(group(f"g{index}") for index in range(10)))
    assert len(results) == 7
    assert len(await blueconic.control.ledger()) == 10


async def test_more_results_can_be_missing_than_there_are(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(MissingResults(count=3))
    assert await blueconic.put_groups(group("g")) == []


async def test_results_can_be_shuffled(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(ShuffleResults())
    ids = [result["groupId"] for result in await blueconic.put_groups(*(group(f"g{index}") for index in range(50)))]
    assert ids != [f"g{index}" for index in range(50)]
    assert sorted(ids) == sorted(f"g{index}" for index in range(50))


async def test_identifiers_can_be_omitted(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(OmitIdentifiers())
    [result] = await blueconic.put_groups(group("g"))
    assert result == {"groupId": "g", "groupTypeId": "company", "state": "CREATED"}


async def test_a_fault_on_results_waits_for_an_answer_that_has_some(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(MissingResults())
    await blueconic.http.get("/groupTypes")
    assert await blueconic.put_groups(group("g")) == []


@pytest.mark.parametrize(
    ("fault", "applied"),
    [
        pytest.param(Latency(seconds=600), [], id="latency waits before"),
        pytest.param(Latency(seconds=600, jitter_s=60), [], id="latency with jitter"),
        pytest.param(Stall(seconds=600), ["g"], id="stall waits after"),
    ],
)
async def test_a_delay_lasts_by_the_sandboxes_clock(blueconic: Tenant, fault: Standing, applied: list[str]) -> None:
    await blueconic.control.add_fault(fault)
    async with asyncio.TaskGroup() as sending:
        sent = sending.create_task(blueconic.put_groups(group("g")))
        while await blueconic.control.faults():
            pass
        seen = [entry.key for entry in await blueconic.control.ledger()]
        assert (seen, sent.done()) == (applied, False)
        await blueconic.control.advance(660)
    assert sent.result()[0]["state"] == "CREATED"


async def test_a_delayed_request_is_applied_though_its_client_left(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(Latency(seconds=600))
    with pytest.raises(httpx.ReadTimeout):
        await blueconic.http.put("/groups", json=[group("late")], timeout=0.1)
    await blueconic.control.advance(600)
    while not (entries := await blueconic.control.ledger()):
        pass
    assert [entry.key for entry in entries] == ["late"]


async def test_delayed_requests_wait_side_by_side(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(Latency(seconds=600, times=10))
    async with asyncio.TaskGroup() as sending:
        for _ in range(10):
            sending.create_task(blueconic.http.get("/groupTypes"))
        while await blueconic.control.faults():
            pass
        await blueconic.control.advance(600)
    assert (await blueconic.control.summary()).max_concurrent["all"] == 10


async def test_an_outage_ends_by_the_sandboxes_clock(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(Outage(seconds=60, status=503))
    during = [(await blueconic.http.get("/groupTypes")).status_code for _ in range(3)]
    await blueconic.control.advance(60)
    assert (during, (await blueconic.http.get("/groupTypes")).status_code) == ([503] * 3, 200)
    assert await blueconic.control.faults() == []


async def test_expired_tokens_are_dead_and_new_ones_are_not(blueconic: Tenant) -> None:
    assert await blueconic.control.expire_tokens() == 1
    assert (await blueconic.http.get("/groupTypes")).status_code == 401
    blueconic.http.headers["authorization"] = f"Bearer {await blueconic.token()}"
    assert (await blueconic.http.get("/groupTypes")).status_code == 200


async def _statuses(blueconic: Tenant, requests: int) -> list[int]:
    return [(await blueconic.http.get("/groupTypes")).status_code for _ in range(requests)]


@pytest.mark.parametrize(
    ("faults", "statuses"),
    [
        pytest.param([Status(status=503)], [503, 200, 200, 200], id="once unless told otherwise"),
        pytest.param([Status(status=503, times=2)], [503, 503, 200, 200], id="times counts down"),
        pytest.param([Status(status=503, times=None)], [503, 503, 503, 503], id="null lasts until cleared"),
        pytest.param([Status(status=503, skip=2)], [200, 200, 503, 200], id="skip lets the first ones pass"),
        pytest.param([Status(status=503, times=2), Status(status=429)], [503, 503, 429, 200], id="as they were added"),
        pytest.param([Status(status=503, method="put")], [200, 200, 200, 200], id="another method is not met"),
        pytest.param([Status(status=503, path="/rest/v2/groups")], [200, 200, 200, 200], id="another path is not met"),
        pytest.param([Status(status=503, method="get", path="/rest/v2/group")], [503, 200, 200, 200], id="prefix"),
    ],
)
async def test_a_fault_meets_requests_it_names(blueconic: Tenant, faults: list[Standing], statuses: list[int]) -> None:
    for fault in faults:
        await blueconic.control.add_fault(fault)
    assert await _statuses(blueconic, 4) == statuses


async def test_cleared_faults_act_no_more(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(Status(status=503, times=None))
    await blueconic.control.clear_faults()
    assert await _statuses(blueconic, 1) == [200]


async def test_the_board_shows_what_still_may_act(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(Status(status=503, times=2))
    await blueconic.control.add_fault(Status(status=429, path="/nowhere"))
    await _statuses(blueconic, 1)
    board = await blueconic.control.faults()
    assert [(active.fault, active.acted) for active in board] == [
        (Status(status=503, times=2), 1),
        (Status(status=429, path="/nowhere"), 0),
    ]


async def test_no_fault_touches_the_sandboxes_own_endpoints(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(DropBefore(times=None))
    assert await blueconic.control.ledger() == []


@pytest.mark.parametrize("fault", [DropBefore(contains='"g2"'), DropAfter(contains='"g2"')], ids=["before", "after"])
async def test_a_fault_is_chosen_by_a_part_of_the_body(blueconic: Tenant, fault: Standing) -> None:
    await blueconic.control.add_fault(fault)
    await blueconic.put_groups(group("g1"))
    with pytest.raises(httpx.RemoteProtocolError):
        await blueconic.http.put("/groups", json=[group("g2")])
    await blueconic.put_groups(group("g2"))
    assert len(await blueconic.control.ledger()) == (2 if isinstance(fault, DropBefore) else 3)
