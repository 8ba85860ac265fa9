"""The sandbox's own endpoints, the same for every vendor."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from sandbox.blueconic.vendor import BlueConic
from sandbox.faults.fault import Status
from sandbox.serving.app import App
from sandbox.serving.server import serve
from tests.sandbox.blueconic.tenants import Tenant, group


@pytest_asyncio.fixture(name="admin")
async def _admin() -> AsyncIterator[httpx.AsyncClient]:
    async with serve(App(BlueConic())) as url, httpx.AsyncClient(base_url=f"{url}/_sandbox", trust_env=False) as http:
        yield http


async def test_health_names_the_sandbox(admin: httpx.AsyncClient) -> None:
    health = (await admin.get("/health")).json()
    assert (health["sandbox"], health["status"]) == ("blueconic", "ok")


@pytest.mark.parametrize(
    ("method", "path", "body", "expected", "came"),
    [
        pytest.param("POST", "/faults", b"", "a fault like", "an empty body", id="fault: nothing"),
        pytest.param("POST", "/faults", b'{"kind":"fire"}', "kinds: latency, status", '"fire"', id="fault: kind"),
        pytest.param("POST", "/faults", b'{"kind":"status"}', "a fault like", "`status`", id="fault: a part missing"),
        pytest.param(
            "POST", "/faults", b'{"kind":"stall","seconds":1,"tims":2}', "a fault like", "`tims`", id="fault: a typo"
        ),
        pytest.param("POST", "/faults", b'{"kind":"stall","seconds":-1}', "a fault like", ">= 0", id="fault: range"),
        pytest.param("POST", "/faults", b"\xff", "a fault like", "\ufffd", id="fault: not UTF-8"),
        pytest.param("POST", "/clock", b'{"advance_s":-1}', '{"advance_s": seconds}', "-1", id="clock: back"),
        pytest.param("POST", "/clock", b"[]", '{"advance_s": seconds}', "[]", id="clock: no object"),
        pytest.param("GET", "/ledger?limit=x", b"", "a query of after, limit", "limit=x", id="ledger: limit"),
        pytest.param("GET", "/ledger?identifer=x", b"", "identifier", "identifer=x", id="ledger: a typo"),
        pytest.param("GET", "/ledger/summary?repeats=yes", b"", "repeats=true", "yes", id="summary: repeats"),
    ],
)
async def test_a_wrong_request_is_told_what_was_expected_and_what_came(
    admin: httpx.AsyncClient, method: str, path: str, body: bytes, expected: str, came: str
) -> None:
    answer = await admin.request(method, path, content=body)
    assert answer.status_code == 400
    assert f"expected {expected}" in answer.json()["error"] or expected in answer.json()["error"]
    assert came in answer.json()["error"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/faults", 405)])
async def test_an_unknown_admin_path_is_refused(admin: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await admin.request(method, path)
    assert answer.status_code == status
    assert "expected one of GET /_sandbox/health" in answer.json()["error"]


async def test_a_fault_is_shown_as_it_was_added(admin: httpx.AsyncClient) -> None:
    added = await admin.post("/faults", json={"kind": "status", "status": 503, "times": None, "path": "/x"})
    assert added.status_code == 201
    [shown] = (await admin.get("/faults")).json()
    assert shown == added.json()
    assert shown["fault"] == {
        "kind": "status",
        "times": None,
        "skip": 0,
        "method": None,
        "path": "/x",
        "contains": None,
        "status": 503,
        "retry_after_s": None,
        "body": "",
        "content_type": "text/plain",
        "location": None,
    }


async def test_the_clock_moves_forward(admin: httpx.AsyncClient) -> None:
    before = (await admin.get("/health")).json()["now"]
    moved = (await admin.post("/clock", json={"advance_s": 3600})).json()
    assert moved["offset_s"] == 3600
    assert moved["now"] >= before + 3600


async def test_state_says_what_the_vendor_holds(blueconic: Tenant) -> None:
    await blueconic.put_groups(group("a"), group("b"), group("c", group_type="airport"))
    state = await blueconic.control.state()
    assert state == {"groups": {"company": 2, "airport": 1}, "profiles": 0, "tokens": 1}


async def test_reset_makes_everything_as_at_the_start(blueconic: Tenant) -> None:
    await blueconic.put_groups(group("a"))
    await blueconic.control.add_fault(Status(status=503))
    await blueconic.control.advance(3600)
    await blueconic.control.reset()
    summary = await blueconic.control.summary()
    assert (summary.entries, summary.requests, await blueconic.control.faults()) == (0, {}, [])
    assert await blueconic.control.state() == {"groups": {"company": 0, "airport": 0}, "profiles": 0, "tokens": 0}


async def test_a_sandbox_that_is_stopped_refuses_connections_and_served_again_remembers() -> None:
    app = App(BlueConic())
    async with serve(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        await http.post("/_sandbox/faults", json={"kind": "drop_before"})
    port = int(url.rpartition(":")[2])
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("/_sandbox/health")
        async with serve(app, port=port):
            assert len((await http.get("/_sandbox/faults")).json()) == 1
