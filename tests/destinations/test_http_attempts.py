"""Attempts: the deadline of each, its span and figures, the last check before it leaves."""

import asyncio
import json
import subprocess
import sys

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, Unavailable
from sluice.destinations.http import send
from sluice.destinations.http_attempts import PRE_SEND_CHECK
from tests.destinations.http_server import Server, client, put


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send one byte at a time, each before any read timeout, until the client gives up."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while not reader.at_eof():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.005)


async def test_an_answer_that_never_ends_is_given_up_at_the_deadline() -> None:
    server = Server(drip)
    async with server.running() as url, client(url, timeout_s=0.1) as http:
        with pytest.raises(Ambiguous) as error:
            await put(http)
    assert (server.requests, error.value.overloaded) == (1, True)


async def test_a_peer_without_tls_sent_nothing() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server, client(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout_s=0.001) as http:
        with pytest.raises(Unavailable, match="cannot reach"):
            await put(http)


async def test_each_attempt_is_told_with_its_status_or_error() -> None:
    told: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/lost":
            raise httpx.ReadError("gone")
        return httpx.Response(503)

    def on_request(status: str, seconds: float) -> None:
        assert seconds >= 0
        told.append(status)

    async with client(handler=answer, on_request=on_request) as http:
        await put(http)
        with pytest.raises(Ambiguous):
            await put(http, "/lost")
    assert told == ["503", "ReadError"]


def test_attempts_are_client_spans_when_the_current_span_is_recorded() -> None:
    """Run in another process: OpenTelemetry allows one provider in each."""
    command = [sys.executable, "-m", "tests.support.http_spans"]
    spans = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    common = {"server.address": "vendor.test", "server.port": 443}
    token = {**common, "http.request.method": "POST", "url.path": "/token", "http.response.status_code": 200}
    write = {**common, "http.request.method": "PUT", "url.path": "/groups"}
    assert spans == [
        ["POST", "CLIENT", "UNSET", token],
        ["PUT", "CLIENT", "ERROR", {**write, "http.response.status_code": 401, "error.type": "401"}],
        ["POST", "CLIENT", "UNSET", token],
        ["PUT", "CLIENT", "UNSET", {**write, "http.response.status_code": 200, "http.request.resend_count": 1}],
        ["PUT", "CLIENT", "ERROR", {**write, "error.type": "ReadError"}],
    ]


@pytest.mark.parametrize("size", [0, 2, 4 * 2**20])
async def test_a_request_that_is_stopped_in_the_last_moment_does_not_arrive(size: int) -> None:
    """Nothing of it does: head and body leave in one write, after the check."""
    calls: list[None] = []
    arrived = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set_result(await reader.read())
        writer.close()

    def stop() -> None:
        calls.append(None)
        raise Unavailable("frozen", "too late")

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server, client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as http:
        request = http.build_request("PUT", "groups", content=b"x" * size, extensions={PRE_SEND_CHECK: stop})
        with pytest.raises(Unavailable, match="too late"):
            await send(http, request)
        assert (await arrived, len(calls)) == (b"", 1)
