"""HTTP server for an app: inside a test (``serve``) or as a process of its own (``run``).

uvicorn's connection speaks HTTP. The listening socket is ours, so that a server starts and stops within milliseconds,
captures no signals, and can drop a connection.
"""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import uvloop
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from sandbox.serving.app import App

_IDLE_CONNECTION_S = 75
_PARENT_CHECK_S = 0.5
_GC_THRESHOLD = 100_000


class Connection(HttpToolsProtocol):
    """uvicorn's connection; the app finds the transport in the ASGI scope's state and may close it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport


@asynccontextmanager
async def serve(app: App, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Listen while the context is open and yield the URL; port 0 takes a free one.

    Leaving the context cuts every connection, also those in use. The app keeps its state and may be served again.
    """
    config = Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=_IDLE_CONNECTION_S,
    )
    config.load()
    state = ServerState()
    app.open()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(config, state, {}), host, port, backlog=config.backlog)
    try:
        yield f"http://{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        app.close()
        for connection in list(state.connections):
            connection.transport.abort()
        if state.tasks:
            await asyncio.wait(state.tasks)
        await server.wait_closed()


def run(app: App, *, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM, SIGINT or the end of the parent process. Call ``announce`` with the URL once it listens."""
    # A bulk request makes ten thousand short-lived objects; the collector would scan them several times.
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(app, host, port, announce))


async def _run(app: App, host: str, port: int, announce: Callable[[str], None]) -> None:
    # Read before the announcement: the parent may die as soon as it has read it.
    parent = os.getppid()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        try:
            url = await stack.enter_async_context(serve(app, host=host, port=port))
        except OSError as error:
            sys.exit(
                f"expected to listen on {host}:{port}; {error.strerror}. Choose another --port, or 0 for a free one"
            )
        announce(url)
        await _wait_for_end(stopped, parent)


async def _wait_for_end(stopped: asyncio.Event, parent: int) -> None:
    while os.getppid() == parent and not stopped.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(_PARENT_CHECK_S):
                await stopped.wait()
