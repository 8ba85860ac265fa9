"""Statuses and bodies that other tests do not cause: blueconic.md §6 and §7, row by row."""

import httpx
import pytest

from sandbox.faults.fault import DropAfter, DropBefore, Stall, Standing, Status, Truncate
from tests.sandbox.blueconic.tenants import Tenant, group


async def test_a_400_has_the_documents_bytes(blueconic: Tenant) -> None:
    answer = await blueconic.http.put("/groups", content=b'[{"groupId":7}]')
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == (
        '{"code":400,"message":"Bad Request","errors":[{"field":"[0].groupId","message":"Expected `str`, got `int`"}]}'
    )


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Status(status=413, body="too large"), id="§7 413, anything else"),
        pytest.param(Status(status=503), id="§7 503: an empty body"),
        pytest.param(Status(status=503, retry_after_s=1), id="§7 503: Retry-After when configured"),
        pytest.param(Status(status=500), id="§7 500"),
        pytest.param(Status(status=502), id="§7 502"),
        pytest.param(Status(status=504), id="§7 504"),
        pytest.param(
            Status(status=400, body='{"error":{"status":400,"message":"no"}}', content_type="application/json"),
            id="§7 other error shapes: an object in error",
        ),
        pytest.param(Status(status=400, body="no"), id="§7 other shapes: plain text"),
        pytest.param(Status(status=502, body="<h1>no</h1>", content_type="text/html"), id="§7 other shapes: HTML"),
    ],
)
async def test_a_refusal_can_be_had_and_applies_nothing(blueconic: Tenant, fault: Status) -> None:
    await blueconic.control.add_fault(fault)
    answer = await blueconic.http.put("/groups", json=[group("g")])
    assert (answer.status_code, answer.text) == (fault.status, fault.body)
    assert await blueconic.control.ledger() == []


@pytest.mark.parametrize("path", ["/groups/company/g", "/profiles/p", "/profiles?property=email&value=a"])
async def test_a_read_can_be_a_408(blueconic: Tenant, path: str) -> None:
    await blueconic.control.add_fault(Status(status=408, method="GET"))
    answer = await blueconic.http.get(path)
    assert (answer.status_code, answer.content) == (408, b"")


@pytest.mark.parametrize(
    ("fault", "keys"),
    [
        pytest.param(DropBefore(), [], id="§7 reset, nothing applied"),
        pytest.param(DropAfter(), ["g"], id="§7 reset after sending, applied"),
        pytest.param(Truncate(framing="length"), ["g"], id="§7 truncated 200, applied"),
        pytest.param(Truncate(framing="complete"), ["g"], id="§7 unparsable 200, applied"),
    ],
)
async def test_an_unknown_outcome_can_be_had(blueconic: Tenant, fault: Standing, keys: list[str]) -> None:
    await blueconic.control.add_fault(fault)
    with pytest.raises((httpx.TransportError, httpx.DecodingError, ValueError)):
        (await blueconic.http.put("/groups", json=[group("g")])).json()
    assert [entry.key for entry in await blueconic.control.ledger()] == keys


async def test_a_timeout_can_come_after_the_request_was_applied(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(Stall(seconds=600))
    with pytest.raises(httpx.ReadTimeout):
        await blueconic.http.put("/groups", json=[group("g")], timeout=0.1)
    while not (entries := await blueconic.control.ledger()):
        pass
    assert [entry.key for entry in entries] == ["g"]


async def test_there_is_no_limit_of_rate_and_no_quota_header(blueconic: Tenant) -> None:
    answers = [await blueconic.http.put("/groups", json=[group("g")]) for _ in range(100)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("limit" in name or name == "retry-after" for answer in answers for name in answer.headers)


async def test_there_is_no_limit_of_body_bytes_by_default(blueconic: Tenant) -> None:
    [result] = await blueconic.put_groups(group("g", p="x" * (5 << 20)))
    assert result["state"] == "CREATED"


async def test_a_listing_may_ask_for_a_million(blueconic: Tenant) -> None:
    """§6; for one more see the reads of groups."""
    assert (await blueconic.http.get("/groups/company?count=1000000")).status_code == 200


@pytest.mark.parametrize("path", [pytest.param("/groups", id="groups"), pytest.param("/profiles", id="profiles")])
async def test_a_request_may_have_1000_entries(blueconic: Tenant, path: str) -> None:
    """§6; for one more see the bulk calls."""
    answer = await blueconic.http.put(path, json=[{}] * 1000)
    assert (answer.status_code, len(answer.json())) == (200, 1000)
