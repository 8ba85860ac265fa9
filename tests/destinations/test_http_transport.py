"""The network: who waits for a connection, which one is used again, and what ends an answer."""

import asyncio

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, Unavailable
from sluice.destinations.http import open_client, send
from sluice.destinations.http_route import Route
from sluice.destinations.http_transport import Network
from sluice.destinations.settings import DestinationSettings
from tests.destinations.http_server import OK, Server, client, put


def network(*, connections: int = 1, connect_timeout_s: float = 0.05, idle_s: float = 3.0) -> Network:
    return Network(Route(None), connections, connect_timeout_s=connect_timeout_s, idle_s=idle_s)


async def ok(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


async def get(using: Network, url: str) -> bytes:
    answer = await using.handle_async_request(httpx.Request("GET", url))
    try:
        return await answer.aread()
    finally:
        await answer.aclose()


async def test_a_request_waits_for_a_connection_and_then_gives_up() -> None:
    async with Server(ok).running() as url, network() as using:
        first = await using.handle_async_request(httpx.Request("GET", url))
        with pytest.raises(httpx.PoolTimeout, match=r"no free connection within 0\.05 s"):
            await get(using, url)
        await first.aclose()
        assert await get(using, url) == b"[]"


async def test_no_more_connections_are_used_than_allowed() -> None:
    busy: list[None] = []
    most = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most
        busy.append(None)
        most = max(most, len(busy))
        for _ in range(10):
            await asyncio.sleep(0)
        busy.pop()
        writer.write(OK)

    server = Server(count)
    async with server.running() as url, network(connections=3, connect_timeout_s=5) as using:
        await asyncio.gather(*(get(using, url) for _ in range(20)))
    assert (server.requests, server.connections, most) == (20, 3, 3)


async def test_a_request_that_is_cancelled_gives_its_connection_up() -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        if server.requests == 1:
            await never.wait()
        writer.write(OK)

    server = Server(hang)
    async with server.running() as url, network() as using:
        task = asyncio.create_task(get(using, url))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await get(using, url) == b"[]"
        never.set()
    assert server.connections == 2


async def test_a_connection_that_was_idle_for_long_is_not_used() -> None:
    server = Server(ok)
    async with server.running() as url, network(idle_s=0.0) as using:
        await get(using, url)
        await get(using, url)
    assert server.connections == 2


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(OK, id="a second answer"),
        pytest.param(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n", id="a word that nobody asked for"),
        pytest.param(b"\r\n?", id="garbage"),
    ],
)
@pytest.mark.parametrize("later", [False, True])
async def test_what_follows_an_answer_is_not_taken_for_the_next_one(extra: bytes, later: bool) -> None:
    """aiohttp gives it to the next request."""
    sent = asyncio.Event()

    async def say_more(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.requests > 1:
            writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n")
            return
        writer.write(OK if later else OK + extra)
        if later:
            await read.wait()
            writer.write(extra)
        await writer.drain()
        sent.set()

    read = asyncio.Event()
    server = Server(say_more)
    async with server.running() as url, client(url) as http:
        await put(http)
        read.set()
        await sent.wait()
        assert (await put(http)).status_code == 201
    assert server.connections == 2


async def test_a_connection_that_is_to_be_closed_is_not_used_again() -> None:
    async def part(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n[]")

    server = Server(part)
    async with server.running() as url, client(url) as http:
        assert (await put(http)).content == (await put(http)).content == b"[]"
    assert server.connections == 2


async def test_an_answer_before_the_whole_request_counts_and_ends_the_connection() -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer by the head alone, and read nothing of 64 MiB."""
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\n[]")
        await closed.wait()

    closed = asyncio.Event()
    server = Server(refuse)
    async with server.running() as url, client(url) as http:
        answer = await send(http, http.build_request("PUT", "/groups", content=bytes(64 * 2**20)))
        assert (answer.status_code, answer.content) == (413, b"[]")
        closed.set()
        assert (await put(http)).status_code == 413
    assert server.connections == 2


async def test_a_closed_network_keeps_no_connection() -> None:
    server = Server(ok)
    async with server.running() as url:
        using = network()
        answer = await using.handle_async_request(httpx.Request("GET", url))
        await using.aclose()
        await answer.aclose()
        await get(using, url)
        await get(using, url)
    assert server.connections == 3


async def test_waiting_for_a_connection_does_not_count_as_waiting_for_the_answer() -> None:
    """With a deadline that is far shorter than the wait, the request would seem to have arrived."""
    server = Server(ok)
    settings = DestinationSettings(url="http://vendor.test", timeout_s=0.01)
    async with server.running() as url, network(connect_timeout_s=0.1) as using:
        http = open_client(settings, base_url=url, max_connections=1, auth=httpx.Auth(), transport=using)
        held = await using.handle_async_request(httpx.Request("GET", url))
        with pytest.raises(Unavailable, match="PoolTimeout"):
            await put(http)
        await held.aclose()
    assert server.requests == 1


async def test_only_http_is_spoken() -> None:
    async with client("ftp://vendor.test") as http:
        with pytest.raises(Unavailable, match="expected http"):
            await put(http)


@pytest.mark.parametrize("value", ["a\r\nx-injected: b", "a\nb", "a\0b"])
async def test_a_header_with_a_line_break_is_not_sent(value: str) -> None:
    server = Server(ok)
    async with server.running() as url, client(url) as http:
        with pytest.raises(Ambiguous, match="line break"):
            await send(http, http.build_request("PUT", "/groups", headers={"x-one": value}))
    assert server.requests == 0
