"""A server that misbehaves on a real socket, and a client as destinations have it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from sluice.destinations.contract import OnRequest
from sluice.destinations.http import open_client, send
from sluice.destinations.http_client import VendorClient
from sluice.destinations.settings import DestinationSettings

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def client(
    url: str = "http://vendor.test",
    *,
    timeout_s: float = 5.0,
    handler: object = None,
    auth: httpx.Auth = httpx.Auth(),  # noqa: B008  # has no state
    on_request: OnRequest | None = None,
) -> VendorClient:
    """Make a client; ``handler`` answers in place of the network."""
    return open_client(
        DestinationSettings(url=url, timeout_s=timeout_s),
        base_url=url,
        max_connections=2,
        auth=auth,
        transport=httpx.MockTransport(handler) if callable(handler) else None,
        on_request=on_request,
    )


async def put(http: VendorClient, path: str = "/groups") -> httpx.Response:
    return await send(http, http.build_request("PUT", path, content=b"[]"))


class Server:
    """A server that answers each request as ``answer`` does, and counts them."""

    def __init__(self, answer: Serve) -> None:
        self.requests = 0
        self.connections = 0
        self._answer = answer

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
