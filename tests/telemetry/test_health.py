"""Probes, and the heartbeat behind them."""

import asyncio
import json
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from sluice.setting_types import Secret
from sluice.telemetry.health import HealthServer, Heartbeat
from sluice.telemetry.metrics import CONTENT_TYPE
from sluice.telemetry.settings import HttpSettings


@asynccontextmanager
async def served(
    *, port: int = 0, liveness: str | None = None, readiness: str | None = None, status: dict[str, Any] | None = None
) -> AsyncIterator[tuple[HealthServer, int]]:
    """Yield a server and its port."""
    settings = HttpSettings(host="127.0.0.1", port=port)
    server = HealthServer(
        settings, lambda: b"sluice_lanes_owned 3\n", lambda: liveness, lambda: readiness, lambda: status or {}
    )
    try:
        yield server, await server.start()
    finally:
        await server.stop()


async def ask(port: int, method: str, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.request(method, f"http://127.0.0.1:{port}{path}")


async def answer(path: str, **states: Any) -> tuple[int, str, str]:
    async with served(**states) as (_, port):
        response = await ask(port, "GET", path)
        return response.status_code, response.headers["Content-Type"], response.text


@pytest.mark.parametrize(
    ("path", "obstacles", "expected"),
    [
        pytest.param("/livez", {}, (200, "ok\n"), id="alive"),
        pytest.param("/livez", {"liveness": "the fetch loop stands"}, (503, "the fetch loop stands\n"), id="not alive"),
        pytest.param("/livez", {"readiness": "no lanes yet"}, (200, "ok\n"), id="alive though not ready"),
        pytest.param("/readyz", {}, (200, "ok\n"), id="ready"),
        pytest.param("/readyz", {"readiness": "no lanes yet"}, (503, "no lanes yet\n"), id="not ready"),
        pytest.param("/nothing", {}, (404, "404: Not Found"), id="no such path"),
    ],
)
async def test_a_probe_answers_with_the_reason(path: str, obstacles: dict[str, str], expected: tuple[int, str]) -> None:
    status, _, text = await answer(path, **obstacles)
    assert (status, text) == expected


async def test_metrics_come_in_the_format_of_prometheus() -> None:
    assert await answer("/metrics") == (200, CONTENT_TYPE, "sluice_lanes_owned 3\n")


async def test_the_status_is_json_and_shows_no_secret() -> None:
    status, content_type, text = await answer("/status", status={"lanes": [1, 2], "password": Secret("hunter2")})
    assert (status, content_type) == (200, "application/json")
    assert json.loads(text) == {"lanes": [1, 2], "password": "***"}


async def test_a_head_request_is_answered_without_a_body() -> None:
    async with served() as (_, port):
        response = await ask(port, "HEAD", "/metrics")
    assert (response.status_code, response.headers["Content-Length"], response.content) == (200, "21", b"")


async def test_another_method_is_refused_with_those_that_are_allowed() -> None:
    async with served() as (_, port):
        response = await ask(port, "POST", "/livez")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET,HEAD")


async def test_what_is_no_request_is_refused_and_the_next_one_answered() -> None:
    async with served() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16\x03\x01\x00 this is TLS, not HTTP\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
        assert (await ask(port, "GET", "/livez")).status_code == 200


async def test_requests_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "uvicorn")
    await answer("/livez")
    assert [record.name for record in caplog.records if record.name.startswith("uvicorn")] == []


async def test_signals_are_left_to_the_process() -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with served():
        assert signal.getsignal(signal.SIGTERM) is before


async def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_open() -> None:
    async with served() as (_, port):
        with pytest.raises(OSError, match="address already in use"):
            async with served(port=port):
                pass


async def test_a_stopped_server_has_freed_its_port_also_with_a_client_that_stays() -> None:
    async with served() as (server, port):
        _, idle = await asyncio.open_connection("127.0.0.1", port)
        await ask(port, "GET", "/livez")
        await server.stop()
        async with served(port=port) as (_, again):
            assert again == port
        idle.close()


@pytest.mark.parametrize(("waited_s", "expected"), [(10.0, None), (11.0, "the fetch loop has not turned for 11 s")])
def test_a_loop_that_no_longer_turns_is_named(waited_s: float, expected: str | None) -> None:
    now_s = 0.0
    heartbeat = Heartbeat(10.0, lambda: now_s)
    heartbeat.beat("fetch")
    now_s = waited_s
    heartbeat.beat("commit")
    assert heartbeat.obstacle() == expected


def test_a_loop_that_ended_in_good_order_is_not_missed() -> None:
    now_s = 0.0
    heartbeat = Heartbeat(10.0, lambda: now_s)
    heartbeat.beat("lane 3")
    heartbeat.ended("lane 3")
    now_s = 100.0
    assert heartbeat.obstacle() is None
