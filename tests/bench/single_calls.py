"""Calls per CPU-second of a destination's client over those of a bare aiohttp loop, for a vendor that takes one by one.

Both POST a small JSON body to a server in another process, 50 calls in flight, in turn: a machine's speed varies.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from statistics import median
from typing import NamedTuple

import aiohttp
import httpx

from sluice.destinations.http import open_client, send
from sluice.destinations.http_attempts import PRE_SEND_CHECK
from sluice.destinations.oauth import Token, TokenAuth
from sluice.destinations.settings import DestinationSettings
from tests.bench.report import Figure, ratio_at_least
from tests.bench.vendor import ENVIRON
from tests.support.paths import ROOT

IN_FLIGHT = 50
PATH = "api/v1/issues/create"
_BODY = b'{"title":"What we talk about","meetingid":1036,"ownerid":600,"notes":"In some words."}'
_ANSWER = b'{"Id":12345,"Name":"What we talk about","Owner":{"Id":600,"Name":"Maria Lopez"}}'
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: Wed, 22 Jan 2025 11:00:00 GMT\r\n"

Call = Callable[[], Awaitable[object]]


class Round(NamedTuple):
    """Calls per CPU-second, one after the other."""

    ours: float
    aiohttp: float


async def measure_single_calls(rounds: int, calls: int) -> list[Round]:
    """Measure ``rounds`` of so many calls each, after one to warm up."""
    with _served() as url:
        async with _our_calls(url) as ours, _aiohttp_calls(url) as bare:
            return [Round(await _rate(ours, calls), await _rate(bare, calls)) for _ in range(rounds + 1)][1:]


def call_figures(found: Sequence[Round]) -> list[Figure]:
    rate = median(one.ours for one in found)
    return [
        Figure(case="single-calls", what="calls per CPU-second", value=rate, unit="/CPU-s"),
        ratio_at_least("single-calls", "client / bare aiohttp", [one.ours / one.aiohttp for one in found], 0.6),
    ]


async def _rate(call: Call, calls: int) -> float:
    left = iter(range(calls))

    async def work() -> None:
        for _ in left:
            await call()

    started_s = time.process_time()
    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return calls / (time.process_time() - started_s)


@asynccontextmanager
async def _our_calls(url: str) -> AsyncIterator[Call]:
    """Yield a call with all that a kind's has: a login, a deadline, the pre-send check, figures."""
    client = open_client(
        DestinationSettings(url=url),
        base_url=url,
        max_connections=IN_FLIGHT,
        auth=_Login(f"{url}/token", {}),
        on_request=lambda status, seconds: None,
    )
    headers, extensions = {"content-type": "application/json"}, {PRE_SEND_CHECK: lambda: None}

    async def call() -> None:
        request = client.build_request("POST", PATH, content=_BODY, headers=headers, extensions=extensions)
        assert (await send(client, request)).content == _ANSWER

    async with client:
        yield call


@asynccontextmanager
async def _aiohttp_calls(url: str) -> AsyncIterator[Call]:
    headers = {"content-type": "application/json", "authorization": "Bearer token"}
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(f"{url}/", headers=headers, connector=connector) as session:

        async def call() -> None:
            async with session.post(PATH, data=_BODY) as answer:
                assert await answer.read() == _ANSWER

        yield call


class _Login(TokenAuth):
    """A login whose every answer grants a token."""

    def read_token(self, response: httpx.Response) -> Token:
        return Token("token", None)


@contextmanager
def _served() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.bench.single_calls"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRON, cwd=ROOT) as server:
        try:
            assert server.stdout
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.kill()


class _Vendor(asyncio.Protocol):
    """The server, which only looks for the end of a request: a slow one would leave nothing to measure."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._came = b""

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, found, body = self._came.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
        if found and len(body) == length:
            self._came = b""
            self._transport.write(_HEAD + b"content-length: %d\r\n\r\n" % len(_ANSWER) + _ANSWER)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Vendor, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
