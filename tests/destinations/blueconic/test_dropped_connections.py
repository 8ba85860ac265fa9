"""An increment on a kept-alive connection that the server drops: sent exactly once, on real sockets."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import msgspec
import pytest

from sluice.destinations.blueconic.destination import BlueConic
from sluice.destinations.contract import Ambiguous
from sluice.flow.outcome import Fate
from tests.destinations.blueconic.offline import SETTINGS
from tests.destinations.blueconic.test_destination import INCREMENT
from tests.support.factories import encode_batch, send_now

TOKEN = {"access_token": "T", "token_type": "Bearer", "expires_in": 3600}
RESULT = [{"groupId": "c-1", "groupTypeId": "company", "state": "CREATED", "identifier": "0-0"}]


def answer(body: object) -> bytes:
    content = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(content) + content


class Tenant:
    """A server that answers a token and the first write; it notes each write that it has got, whole."""

    def __init__(self, drop: Callable[[asyncio.StreamWriter], None]) -> None:
        self.writes = 0
        self.connections = 0
        self._drop = drop

    @asynccontextmanager
    async def running(self) -> AsyncIterator[BlueConic]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server, at(server.sockets[0].getsockname()[1]) as destination:
            yield destination

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while head := (await reader.readuntil(b"\r\n\r\n") if not writer.is_closing() else b""):
            await reader.readexactly(body_length(head))
            self.writes += head.startswith(b"PUT ")
            if self.writes == 2:
                self._drop(writer)
            else:
                writer.write(answer(RESULT if head.startswith(b"PUT ") else TOKEN))


@asynccontextmanager
async def at(port: int) -> AsyncIterator[BlueConic]:
    destination = BlueConic(msgspec.structs.replace(SETTINGS, url=f"http://127.0.0.1:{port}"))
    try:
        yield destination
    finally:
        await destination.aclose()


def body_length(head: bytes) -> int:
    found = re.search(rb"(?i)content-length: ([0-9]+)", head)
    return int(found[1]) if found else 0


async def increment(destination: BlueConic) -> None:
    outcomes = await destination.write(encode_batch(destination, [INCREMENT]), send_now)
    assert [outcome.fate for outcome in outcomes] == [Fate.DELIVERED]


@pytest.mark.parametrize(
    "drop",
    [
        pytest.param(lambda writer: writer.close(), id="closed"),
        pytest.param(lambda writer: writer.transport.abort(), id="aborted"),
        pytest.param(lambda writer: (writer.write(b"HTTP/1.1 200 OK\r\n"), writer.close()), id="closed in the head"),
    ],
)
async def test_an_increment_whose_connection_is_dropped_is_sent_once_and_ambiguous(
    drop: Callable[[asyncio.StreamWriter], None],
) -> None:
    tenant = Tenant(drop)
    async with tenant.running() as destination:
        await increment(destination)
        with pytest.raises(Ambiguous):
            await increment(destination)
    assert (tenant.writes, tenant.connections) == (2, 1)


@contextmanager
def closes_when_idle() -> Iterator[tuple[int, threading.Event, list[bytes]]]:
    """Serve in a thread and close each connection after its second answer; then set the event."""
    closed, writes = threading.Event(), list[bytes]()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                with connection, connection.makefile("rb") as reader:
                    for _ in range(2 - len(writes)):
                        lines = iter(reader.readline, b"\r\n")
                        head = b"".join(lines)
                        body = reader.read(body_length(head))
                        writes.extend([body] if head.startswith(b"PUT ") else [])
                        connection.sendall(answer(RESULT if head.startswith(b"PUT ") else TOKEN))
                closed.set()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], closed, writes
        thread.join()


async def test_an_increment_is_not_sent_on_a_connection_that_was_closed_while_idle() -> None:
    """The loop has not come to read that it was closed, for this test keeps it waiting: the socket is asked."""
    with closes_when_idle() as (port, closed, writes):
        async with at(port) as destination:
            await increment(destination)
            assert closed.wait(5)
            await increment(destination)
    assert len(writes) == 2
