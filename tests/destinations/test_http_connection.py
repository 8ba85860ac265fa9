"""Answers as servers write them, in any pieces."""

import asyncio

import pytest

from sluice.destinations.contract import Ambiguous
from sluice.destinations.http import send
from tests.destinations.http_server import OK, Server, client, put

JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x;name=value\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        pytest.param(OK, 200, b"[]", id="a length"),
        pytest.param(JSON + b"transfer-encoding: chunked\r\n\r\n" + chunked(b"[1", b",2]"), 200, b"[1,2]", id="chunks"),
        pytest.param(
            JSON + b"transfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\nx-sum: 1\r\n\r\n", 200, b"[]", id="a trailer"
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"[]", id="100 first"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\ncontent-length: 9\r\n\r\n" + OK, 200, b"[]", id="103 first"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", id="no body"),
        pytest.param(b"HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", 200, b"", id="no reason"),
    ],
)
@pytest.mark.parametrize("whole", [True, False], ids=["at once", "byte by byte"])
async def test_an_answer_is_read_and_its_connection_used_again(
    answer: bytes, status: int, body: bytes, whole: bool
) -> None:
    async def write(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(answer), len(answer) if whole else 1):
            writer.write(answer[start : start + (len(answer) if whole else 1)])
            await writer.drain()
            await asyncio.sleep(0)

    server = Server(write)
    async with server.running() as url, client(url) as http:
        for _ in range(2):
            response = await put(http)
            assert (response.status_code, response.content) == (status, body)
            assert "x-sum" not in response.headers
    assert (server.requests, server.connections) == (2, 1)


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_a_body_without_a_length_ends_with_its_connection(version: bytes) -> None:
    async def write(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/" + version + b" 200 OK\r\n\r\n[1]")
        writer.close()

    server = Server(write)
    async with server.running() as url, client(url) as http:
        assert (await put(http)).content == (await put(http)).content == b"[1]"
    assert server.connections == 2


async def test_an_answer_to_head_has_no_body() -> None:
    async def write(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")

    async with Server(write).running() as url, client(url) as http:
        answer = await send(http, http.build_request("HEAD", "/groups"))
        assert (answer.headers["content-length"], answer.content) == ("1000", b"")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(b"", "closed the connection without an answer", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nconte", "closed the connection without an answer", id="half a head"),
        pytest.param(OK[:-1], "closed the connection within its answer", id="half a body"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", "closed the connection without an answer", id="100 alone"),
        pytest.param(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "HTTP", id="101"),
        pytest.param(
            JSON + b"content-length: 2\r\ncontent-length: 3\r\n\r\n[]", "expected an answer", id="two lengths"
        ),
        pytest.param(b"HTTP/1.9 200 OK\r\ncontent-length: 0\r\n\r\n", "expected an answer", id="HTTP/1.9"),
    ],
)
async def test_an_answer_that_is_none_is_lost_and_the_error_says_why(answer: bytes, said: str) -> None:
    async def write(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    server = Server(write)
    async with server.running() as url, client(url) as http:
        with pytest.raises(Ambiguous, match=said):
            await put(http)
    assert server.requests == 1


async def test_headers_are_kept_as_they_came() -> None:
    async def write(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Two: a\r\nx-two: b\r\nX-Name: caf\xe9\r\nContent-Length: 0\r\n\r\n")

    async with Server(write).running() as url, client(url) as http:
        headers = (await put(http)).headers
    assert headers.get_list("x-two") == ["a", "b"]
    assert (b"X-Name", b"caf\xe9") in headers.raw


async def test_the_vendor_gets_the_request_as_it_was_made() -> None:
    got: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(3))
        writer.write(OK)

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, client(f"{url}/rest/v2") as http:
        request = http.build_request("PUT", "groups", content=b"[1]", params={"ids": "a,b"}, headers={"accept": "x/y"})
        await send(http, request)
    head, _, body = got[0].partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    assert (line, body) == (b"PUT /rest/v2/groups?ids=a%2Cb HTTP/1.1", b"[1]")
    names = [field.partition(b": ")[0] for field in fields]
    assert names == [b"host", b"user-agent", b"accept", b"accept-encoding", b"content-length"]
    assert b"accept: x/y" in fields
