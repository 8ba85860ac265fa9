"""The network under httpx: kept-alive connections, at most so many in use, and each request sent once.

1. A request waits for a permit, for ``connect_timeout_s`` at most.
2. It takes an idle connection to its server, or opens one, in the same time again. Until here nothing is sent, and the
   errors say so: ``PoolTimeout``, ``ConnectTimeout``, ``ConnectError``, ``ProxyError``.
3. The function under ``BEFORE_SENDING`` runs, and head and body leave in one write. Nothing sends them again.
4. The permit is given back when the answer is closed; the connection too, if its answer was read to the end.

httpx's own network, httpcore, takes many times the CPU for a small call. aiohttp, and so ``httpx-aiohttp``, silently
repeats a request with an idempotent method, ``PUT`` among them, when a kept-alive connection was dropped
(``_retry_connection`` in ``aiohttp/client.py``, 3.14.5): that would apply an increment twice.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable

import httpx

from sluice.destinations.http_connection import Connection
from sluice.destinations.http_route import Route

BEFORE_SENDING = "sluice.before-sending"
"""Name of the request extension that holds a function to call in the last moment before anything of it is sent."""


class Network(httpx.AsyncBaseTransport):
    """Transport that keeps connections for the next request for ``idle_s``. Sends bodies that are whole in memory."""

    def __init__(self, route: Route, max_connections: int, *, connect_timeout_s: float, idle_s: float) -> None:
        """Use at most ``max_connections`` at a time; as many to each server, with those that are idle."""
        self._route = route
        self._connect_timeout_s = connect_timeout_s
        self._idle_s = idle_s
        self._permits = asyncio.Semaphore(max_connections)
        self._idle: defaultdict[tuple[str, bytes], deque[tuple[float, Connection]]] = defaultdict(deque)
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request`` and return its answer, whose body has still to be read and closed."""
        url = request.url
        if url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"expected http:// or https://, got {url.scheme}://")
        idle = self._idle[url.scheme, url.netloc]
        head, body = self._route.head(request), request.content
        await self._permit()
        try:
            connection = self._take(idle) or await self._route.open(url, self._connect_timeout_s)
            try:
                await connection.exchange(head, body, request.extensions.get(BEFORE_SENDING))
            except BaseException:
                connection.abort()
                raise
        except BaseException:
            self._permits.release()
            raise
        stream = _Body(connection, lambda: self._give_back(connection, idle))
        return httpx.Response(connection.status, headers=connection.headers, stream=stream)

    async def aclose(self) -> None:
        """Close what is idle, and the others when their answers are closed."""
        self._closed = True
        for idle in self._idle.values():
            while idle:
                idle.pop()[1].abort()

    async def _permit(self) -> None:
        if not self._permits.locked():
            await self._permits.acquire()
            return
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                await self._permits.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout(f"no free connection within {self._connect_timeout_s:g} s") from error

    def _take(self, idle: deque[tuple[float, Connection]]) -> Connection | None:
        """Return the connection that was used last, if the server may still listen to it."""
        while idle:
            since_s, connection = idle.pop()
            if time.monotonic() - since_s < self._idle_s and connection.is_quiet:
                return connection
            connection.abort()
        return None

    def _give_back(self, connection: Connection, idle: deque[tuple[float, Connection]]) -> None:
        self._permits.release()
        if self._closed or not connection.is_reusable:
            connection.abort()
            return
        connection.release()
        now_s = time.monotonic()
        while idle and now_s - idle[0][0] >= self._idle_s:
            idle.popleft()[1].abort()
        idle.append((now_s, connection))


class _Body(httpx.AsyncByteStream):
    """The body of an answer."""

    def __init__(self, connection: Connection, end: Callable[[], None]) -> None:
        self._connection = connection
        self._end: Callable[[], None] | None = end

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._connection.pieces()

    async def aclose(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            end()
