"""Requests that are lost, turned away or answered, half of them on a real socket."""

import asyncio
import tracemalloc

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, Unavailable
from sluice.destinations.http import (
    MAX_MESSAGE_CHARS,
    MAX_RETRY_AFTER_S,
    error_message,
    retry_after_s,
    send,
    unavailable_from,
)
from tests.destinations.http_server import OK, Serve, Server, client, put

NOW = "Wed, 22 Jan 2025 11:00:00 GMT"


async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def truncate(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[")
    writer.close()


async def truncate_chunked(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n[\r\n")
    writer.close()


async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x01\x02\r\n\r\n")


async def garble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n[]")


async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


async def miscount(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nmany\r\n[]\r\n0\r\n\r\n")


async def wait_and_reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send half an answer, nothing for long, and then a reset."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[")
    await writer.drain()
    await asyncio.sleep(0.3)
    writer.transport.abort()


LOST = [close, reset, truncate, truncate_chunked, babble, garble, greet, miscount, wait_and_reset]


@pytest.mark.parametrize("answer", LOST)
async def test_a_lost_answer_to_a_write_is_ambiguous_and_sent_once(answer: Serve) -> None:
    server = Server(answer)
    async with server.running() as url, client(url) as http:
        with pytest.raises(Ambiguous) as error:
            await put(http)
    assert (server.requests, error.value.overloaded) == (1, False)


@pytest.mark.parametrize("answer", LOST)
async def test_a_lost_answer_to_a_read_is_an_outage(answer: Serve) -> None:
    server = Server(answer)
    async with server.running() as url, client(url) as http:
        with pytest.raises(Unavailable, match="lost the answer") as error:
            await send(http, http.build_request("GET", "/groupTypes"))
    assert (server.requests, error.value.reason) == (1, "no-answer")


async def test_a_write_on_a_dropped_connection_is_not_sent_again() -> None:
    """Unlike aiohttp, which repeats a PUT here by itself and would apply an increment twice."""

    async def answer_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.requests == 1:
            writer.write(OK)
        else:
            writer.transport.abort()

    server = Server(answer_once)
    async with server.running() as url, client(url) as http:
        await put(http)
        with pytest.raises(Ambiguous):
            await put(http)
    assert (server.requests, server.connections) == (2, 1)


async def test_a_connection_that_the_server_has_closed_while_idle_is_not_used() -> None:
    closed = asyncio.Event()

    async def answer_and_close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        writer.close()
        await writer.wait_closed()
        closed.set()

    server = Server(answer_and_close)
    async with server.running() as url, client(url) as http:
        await put(http)
        await closed.wait()
        assert (await put(http)).status_code == 200
    assert (server.requests, server.connections) == (2, 2)


async def test_connections_are_kept_alive() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    server = Server(answer)
    async with server.running() as url, client(url) as http:
        await put(http)
        await put(http)
    assert (server.requests, server.connections) == (2, 1)


async def test_a_refused_connection_sent_nothing() -> None:
    async with Server(close).running() as url:
        pass
    async with client(url) as http:
        with pytest.raises(Unavailable, match="cannot reach PUT") as error:
            await put(http)
    assert (error.value.reason, error.value.overloaded) == ("connect", False)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(httpx.ConnectError, Unavailable, id="refused, DNS or TLS"),
        pytest.param(httpx.ConnectTimeout, Unavailable, id="no connection in time"),
        pytest.param(httpx.PoolTimeout, Unavailable, id="no free connection in time"),
        pytest.param(httpx.ProxyError, Unavailable, id="the proxy refuses"),
        pytest.param(httpx.ReadTimeout, Ambiguous, id="no answer in time"),
        pytest.param(httpx.WriteTimeout, Ambiguous, id="not sent in time"),
        pytest.param(httpx.ReadError, Ambiguous, id="read error"),
        pytest.param(httpx.WriteError, Ambiguous, id="write error"),
        pytest.param(httpx.RemoteProtocolError, Ambiguous, id="protocol error"),
        pytest.param(httpx.DecodingError, Ambiguous, id="broken compression"),
    ],
)
async def test_an_error_after_sending_is_ambiguous(error: type[httpx.RequestError], expected: type[Exception]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("so it is", request=request)

    async with client(handler=fail) as http:
        with pytest.raises(expected, match="so it is"):
            await put(http)


async def test_a_redirect_is_not_followed() -> None:
    def redirect(_: httpx.Request) -> httpx.Response:
        return httpx.Response(307, headers={"location": "http://elsewhere.test/"})

    async with client(handler=redirect) as http:
        assert (await put(http)).status_code == 307


async def test_the_vendor_gets_no_trace_context_and_is_asked_for_plain_bodies() -> None:
    def look(request: httpx.Request) -> httpx.Response:
        assert "traceparent" not in request.headers
        assert request.headers["accept-encoding"] == "identity"
        assert request.headers["user-agent"].startswith("sluice/")
        return httpx.Response(200)

    async with client(handler=look) as http:
        await put(http)


def answered(status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> httpx.Response:
    request = httpx.Request("PUT", "http://user:pass@vendor.test/groups?key=t", headers={"authorization": "Bearer T0K"})
    return httpx.Response(status, content=content, headers=headers, request=request)


@pytest.mark.parametrize(
    ("status", "reason", "overloaded"),
    [
        pytest.param(401, "auth", False, id="401"),
        pytest.param(403, "auth", False, id="403"),
        pytest.param(429, "429", True, id="429"),
        pytest.param(503, "503", True, id="503"),
    ],
)
def test_a_request_that_was_turned_away_is_an_outage(status: int, reason: str, overloaded: bool) -> None:
    outage = unavailable_from(answered(status, headers={"retry-after": "7"}))
    assert outage is not None
    assert (outage.reason, outage.overloaded, outage.retry_after_s) == (reason, overloaded, 7.0)
    assert "PUT http://vendor.test/groups answered" in str(outage)


@pytest.mark.parametrize("status", [200, 204, 302, 400, 404, 408, 413, 422, 500, 502, 504])
def test_no_other_status_is_an_outage(status: int) -> None:
    assert unavailable_from(answered(status)) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({}, None, id="absent"),
        pytest.param({"retry-after": "0"}, 0.0, id="at once"),
        pytest.param({"retry-after": " 120 "}, 120.0, id="seconds"),
        pytest.param({"retry-after": "1.5"}, 1.5, id="a fraction"),
        pytest.param({"retry-after": "99999999"}, MAX_RETRY_AFTER_S, id="years"),
        pytest.param({"retry-after": "9" * 5000}, MAX_RETRY_AFTER_S, id="aeons"),
        pytest.param({"retry-after": "-1"}, None, id="negative"),
        pytest.param({"retry-after": "nan"}, None, id="not a number"),
        pytest.param({"retry-after": "soon"}, None, id="a word"),
        pytest.param({"retry-after": "Wed, 22 Jan 2025 11:00:30 GMT", "date": NOW}, 30.0, id="a date"),
        pytest.param({"retry-after": "Wed, 22 Jan 2025 10:00:00 GMT", "date": NOW}, 0.0, id="a date in the past"),
        pytest.param({"retry-after": "Wed, 99 Jan 2025 11:00:00 GMT", "date": NOW}, None, id="no date there is"),
        pytest.param({"retry-after": "Wed, 22 Jan 2025 11:00:30 GMT"}, None, id="a date by an unknown clock"),
        pytest.param(
            {"retry-after": "Wed, 22 Jan 2025 15:00:10 GMT", "date": "Wed, 22 Jan 2025 15:00:00 GMT"},
            10.0,
            id="a date by a clock that is four hours ahead",
        ),
    ],
)
def test_retry_after_is_read_as_seconds(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(answered(429, headers=headers)) == seconds


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "no message", id="empty"),
        pytest.param(b'{"code":400,"message":"Bad Request"}', "Bad Request", id="message"),
        pytest.param(
            b'{"code":400,"message":"Bad Request","errors":[{"field":"[0].groupId","message":"expected a string"}]}',
            "Bad Request; [0].groupId: expected a string",
            id="message and errors",
        ),
        pytest.param(b'{"errors":[{"message":"a"},{"message":"b"}]}', "a; b", id="errors without a field"),
        pytest.param(b'{"error":"invalid_client","error_description":"who?"}', "who?; invalid_client", id="oauth"),
        pytest.param(b'{"error":{"status":400,"message":"deep"}}', "deep", id="error as an object"),
        pytest.param(b'[{"message":"in a list","errorCode":"X"}]', "in a list", id="a list"),
        pytest.param(b'{"Message":"Authorization has been denied"}', "Authorization has been denied", id="capitals"),
        pytest.param(b'"just text"', "just text", id="a json string"),
        pytest.param(b"plain\n  text", "plain text", id="plain text"),
        pytest.param(b"<html><h1>502</h1>Bad <b>Gateway</b></html>", "502 Bad Gateway", id="html"),
        pytest.param(b'{"unknown":1}', '{"unknown":1}', id="an unknown shape"),
        pytest.param(b"\xff\xfe", "\ufffd\ufffd", id="not text"),
        pytest.param(b'{"message":"Bearer T0K was refused"}', "Bearer *** was refused", id="the token repeated"),
        pytest.param(b"[" * 5000, "[" * (MAX_MESSAGE_CHARS - 1) + "…", id="nested beyond reason"),
    ],
)
def test_an_error_message_is_read_from_any_shape(content: bytes, message: str) -> None:
    assert error_message(answered(400, content)) == message


def test_an_error_message_is_cut_and_keeps_secrets() -> None:
    said = error_message(answered(400, b"your s3cret is " + b"x" * 10_000), ["s3cret"])
    assert said.startswith("your *** is xxx")
    assert len(said) == MAX_MESSAGE_CHARS


def test_a_message_of_megabytes_takes_no_more_than_itself() -> None:
    answer = answered(400, b'{"message":"' + b"a " * 4_000_000 + b'"}')
    tracemalloc.start()
    assert len(error_message(answer)) == MAX_MESSAGE_CHARS
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 4 * 8_000_000
