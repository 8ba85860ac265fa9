"""Bodies of answers: bounded on the wire, unpacked and decoded, with flat memory."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest

from sluice.destinations.answer_bodies import MAX_ANSWER_BYTES, MAX_ANSWER_VALUES
from sluice.destinations.contract import Ambiguous, BatchError, Unavailable
from sluice.destinations.http import send
from sluice.destinations.oauth import TokenAuth
from tests.destinations.http_server import OK, Serve, Server, client, put

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
MIB = 2**20


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@contextmanager
def flat_memory() -> Iterator[None]:
    """Fail when more is held at any time than two whole answers of the largest size."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 2 * MAX_ANSWER_BYTES + 8 * MIB
    finally:
        tracemalloc.stop()


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send chunks until the client has closed the connection."""
    writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    piece = chunk(b" " * 65536)
    while not writer.is_closing():
        writer.write(piece)
        await writer.drain()


def gzip_bomb(unpacked_mib: int) -> bytes:
    """Return spaces packed a thousandfold: each block of a MiB is a kilobyte that stands alone."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + block * unpacked_mib + b"\x03\x00" + bytes(8)


async def bomb(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    body = gzip_bomb(3072)
    assert len(body) < 4 * MIB
    writer.write(HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body) + body)


async def claim_more(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"content-length: 100000000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" " * 65536)
        await writer.drain()


async def endless_headers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"x-more: " + b"a" * 8192 + b"\r\n")
        await writer.drain()


async def endless_trailers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\n")
    while not writer.is_closing():
        writer.write(b"x-more: " + b"a" * 8192 + b"\r\n")
        await writer.drain()


async def endless_preliminaries(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not writer.is_closing():
        writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 20)
        await writer.drain()


async def many_values(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    body = b"[" + b"{}," * (MAX_ANSWER_VALUES + 1) + b"{}]"
    writer.write(HEAD + b"content-length: %d\r\n\r\n" % len(body) + body)


TOO_MUCH = [
    pytest.param(endless, id="chunks without end"),
    pytest.param(claim_more, id="a length of 100 GB"),
    pytest.param(bomb, id="3 GiB in 3 MB of gzip"),
    pytest.param(endless_headers, id="headers without end"),
    pytest.param(endless_trailers, id="trailers without end"),
    pytest.param(endless_preliminaries, id="preliminary answers without end"),
    pytest.param(many_values, id="a million values"),
]


@pytest.mark.parametrize("answer", TOO_MUCH)
@pytest.mark.parametrize(("method", "fate"), [("PUT", Ambiguous), ("GET", Unavailable)])
async def test_an_answer_that_is_too_large_is_lost_and_takes_no_memory(
    answer: Serve, method: str, fate: type[BatchError]
) -> None:
    server = Server(answer)
    async with server.running() as url, client(url, timeout_s=2.0) as http:
        with flat_memory(), pytest.raises(fate):
            await send(http, http.build_request(method, "/groups", content=b"[]" if method == "PUT" else b""))
    assert server.requests == 1


async def test_an_endless_answer_to_the_request_for_a_token_is_an_outage() -> None:
    server = Server(endless)
    async with server.running() as url, client(url, auth=TokenAuth(f"{url}/token", {})) as http:
        with flat_memory(), pytest.raises(Unavailable):
            await put(http)
    assert server.requests == 1


async def test_connection_of_an_endless_answer_is_closed_and_the_next_request_has_its_own() -> None:
    closed = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.requests > 1:
            writer.write(OK)
            return
        try:
            await endless(reader, writer)
        finally:
            closed.set()

    server = Server(answer)
    async with server.running() as url, client(url) as http:
        with pytest.raises(Ambiguous, match="longer than 16 MiB"):
            await put(http)
        await closed.wait()
        assert (await put(http)).status_code == 200
    assert server.connections == 2


def answered(body: bytes, coding: str) -> httpx.Response:
    """An answer as it comes from the wire, which httpx has not unpacked."""

    class Wire(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for start in range(0, len(body), 7):
                yield body[start : start + 7]

    return httpx.Response(200, headers={"content-encoding": coding}, stream=Wire())


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        pytest.param(b"[1]", "identity", id="plain"),
        pytest.param(gzip.compress(b"[1]"), "gzip", id="gzip"),
        pytest.param(gzip.compress(b"[1]"), " GZip", id="gzip, spelt otherwise"),
        pytest.param(zlib.compress(b"[1]"), "deflate", id="deflate"),
    ],
)
async def test_an_answer_that_is_compressed_unasked_is_unpacked(body: bytes, coding: str) -> None:
    async with client(handler=lambda _: answered(body, coding)) as http:
        assert (await put(http)).content == b"[1]"


@pytest.mark.parametrize(
    ("body", "coding", "said"),
    [
        pytest.param(b"[1]", "br", "content-encoding br", id="brotli"),
        pytest.param(b"[1]", "zstd", "content-encoding zstd", id="zstd"),
        pytest.param(gzip.compress(gzip.compress(b"[1]")), "gzip, gzip", "content-encoding gzip, gzip", id="twice"),
        pytest.param(b"[1]", "gzip", "cannot be unpacked", id="plain, under another name"),
        pytest.param(gzip.compress(b"[1]")[:-9], "gzip", "ends in the middle", id="cut"),
    ],
)
async def test_an_answer_that_cannot_be_unpacked_is_lost(body: bytes, coding: str, said: str) -> None:
    async with client(handler=lambda _: answered(body, coding)) as http:
        with pytest.raises(Ambiguous, match=said):
            await put(http)


async def test_cookies_are_neither_kept_nor_sent() -> None:
    sent: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"set-cookie": f"session-{len(sent)}={'x' * 4000}; Path=/"})

    async with client(handler=answer) as http:
        for _ in range(3):
            await put(http)
    assert sent == [None, None, None]
