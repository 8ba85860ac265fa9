"""Bodies that are read while they come: bounded in time, in bytes and in memory."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from sluice.destinations.answer_bodies import StreamedBody
from sluice.destinations.contract import Unavailable
from sluice.destinations.http import stream
from sluice.destinations.http_client import VendorClient
from tests.destinations.http_server import Serve, Server, client
from tests.destinations.test_answer_bodies import HEAD, MIB, chunk, endless, gzip_bomb

TEXT = b"".join(b"%d,row\n" % row for row in range(50_000))


def content(body: bytes, coding: str = "") -> Serve:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = HEAD + (f"content-encoding: {coding}\r\n".encode() if coding else b"")
        writer.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)

    return answer


async def read(http: VendorClient, max_bytes: int = 64 * MIB) -> bytes:
    body = b""
    async with stream(http, http.build_request("GET", "/result"), max_bytes) as (response, pieces):
        assert response.status_code == 200
        async for piece in pieces:
            body += piece
    return body


async def skip(http: VendorClient, max_bytes: int) -> None:
    async with stream(http, http.build_request("GET", "/result"), max_bytes) as (_, pieces):
        async for _ in pieces:
            pass


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(content(TEXT), id="plain"),
        pytest.param(content(gzip.compress(TEXT), "gzip"), id="gzip"),
        pytest.param(content(zlib.compress(TEXT), "deflate"), id="deflate"),
    ],
)
async def test_a_body_comes_piece_by_piece(answer: Serve) -> None:
    told: list[str] = []
    async with Server(answer).running() as url, client(url, on_request=lambda status, _: told.append(status)) as http:
        assert await read(http) == TEXT
        assert await read(http) == TEXT
    assert told == ["200", "200"]


async def test_a_streamed_answer_is_told_when_its_body_has_ended() -> None:
    told: list[str] = []
    async with (
        Server(content(TEXT)).running() as url,
        client(url, on_request=lambda status, _: told.append(status)) as http,
        stream(http, http.build_request("GET", "/"), MIB) as (_, pieces),
    ):
        await anext(pieces)
        assert told == []
    assert told == ["200"]


async def test_whoever_stops_early_closes_the_connection() -> None:
    server = Server(endless)
    async with server.running() as url, client(url) as http:
        for _ in range(3):
            async with stream(http, http.build_request("GET", "/"), 64 * MIB) as (_, pieces):
                await anext(pieces)
        assert server.connections == 3


@pytest.mark.parametrize(
    "answer", [pytest.param(endless, id="without end"), pytest.param(content(gzip_bomb(3072), "gzip"), id="a bomb")]
)
async def test_a_body_beyond_its_bound_is_an_outage_in_flat_memory(answer: Serve) -> None:
    told: list[str] = []
    async with Server(answer).running() as url, client(url, on_request=lambda status, _: told.append(status)) as http:
        tracemalloc.start()
        try:
            with pytest.raises(Unavailable, match="longer than 33554432 bytes"):
                await skip(http, 32 * MIB)
            assert tracemalloc.get_traced_memory()[1] < 16 * MIB
        finally:
            tracemalloc.stop()
    assert told == ["RemoteProtocolError"]


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        pytest.param(gzip.compress(TEXT)[:-9], "gzip", id="cut off"),
        pytest.param(TEXT, "gzip", id="not packed"),
        pytest.param(TEXT, "br", id="an unknown coding"),
    ],
)
async def test_a_body_that_cannot_be_unpacked_is_an_outage(body: bytes, coding: str) -> None:
    async with Server(content(body, coding)).running() as url, client(url) as http:
        with pytest.raises(Unavailable, match="lost the rest of the answer of GET"):
            await read(http)


async def lame(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send two chunks and then nothing more."""
    writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunk(b"a") + chunk(b"b"))
    await writer.drain()
    await asyncio.Event().wait()


async def test_a_body_that_does_not_come_is_an_outage() -> None:
    async with Server(lame).running() as url, client(url, timeout_s=0.2) as http:
        with pytest.raises(Unavailable, match="no more of the answer") as error:
            await read(http)
    assert error.value.overloaded


async def test_a_body_that_comes_byte_by_byte_ends_when_its_pieces_have_taken_too_long_together() -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b"a"

    told: list[str] = []
    body = StreamedBody(httpx.Response(200, content=drip()), MIB, 0.2, told.append, max_wait_s=0.3)
    with pytest.raises(httpx.ReadTimeout, match="no more of the answer"):
        async for _ in body:
            pass
    assert told == ["ReadTimeout"]


async def test_a_connection_that_breaks_is_an_outage() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"content-length: 100\r\n\r\nabc")
        await writer.drain()
        writer.close()

    async with Server(hang_up).running() as url, client(url) as http:
        with pytest.raises(Unavailable, match="lost the rest"):
            await read(http)


async def test_the_body_of_an_error_is_in_the_answer() -> None:
    async with (
        client(handler=lambda _: httpx.Response(404, content=b"none")) as http,
        stream(http, http.build_request("GET", "/"), 1) as (response, pieces),
    ):
        assert (response.status_code, response.content) == (404, b"none")
        assert [piece async for piece in pieces] == [b"none"]
