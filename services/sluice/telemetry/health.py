"""Answers to probes and scrapers, as a plain ASGI application on uvicorn: /metrics, /livez, /readyz and /status.

Live means that the loops turn. Ready means assigned and configured; a vendor that cannot be reached leaves a process
both ready and alive, since restarting it would help nobody.
"""

import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, NamedTuple

import msgspec
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from sluice.telemetry.metrics import CONTENT_TYPE
from sluice.telemetry.settings import HttpSettings

Obstacle = Callable[[], str | None]
"""Returns what is wrong, in words; ``None`` when nothing is."""


class Heartbeat:
    """A watch over loops: each beats at least every ``stale_after_s`` while it is well."""

    def __init__(self, stale_after_s: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._stale_after_s = stale_after_s
        self._clock = clock
        self._beat_at_s: dict[str, float] = {}

    def beat(self, loop: str) -> None:
        """Record that ``loop`` turned; the first beat registers it."""
        self._beat_at_s[loop] = self._clock()

    def ended(self, loop: str) -> None:
        """Forget ``loop``, which ended in good order and will not beat again."""
        self._beat_at_s.pop(loop, None)

    def obstacle(self) -> str | None:
        """Return which loop stands still, and for how long; ``None`` while all of them turn."""
        now_s = self._clock()
        for loop, beat_at_s in self._beat_at_s.items():
            if now_s - beat_at_s > self._stale_after_s:
                return f"the {loop} loop has not turned for {now_s - beat_at_s:.0f} s"
        return None


class HealthServer:
    """A server of the four paths, on the event loop that it reports about: a blocked loop answers no probe.

    ``liveness`` and ``readiness`` return what is wrong; ``status`` is shown as JSON, for people.
    """

    def __init__(
        self,
        settings: HttpSettings,
        metrics: Callable[[], bytes],
        liveness: Obstacle,
        readiness: Obstacle,
        status: Callable[[], dict[str, Any]],
    ) -> None:
        self._settings = settings
        self._answers: dict[str, Callable[[], Answer]] = {
            "/metrics": lambda: Answer(200, metrics(), CONTENT_TYPE),
            "/livez": lambda: _verdict(liveness()),
            "/readyz": lambda: _verdict(readiness()),
            "/status": lambda: Answer(200, _json(status()), "application/json"),
        }
        self._state = ServerState()
        self._listener: asyncio.Server | None = None

    async def start(self) -> int:
        """Serve, and return the port, which the system chooses where the settings say 0. Raises ``OSError``."""
        config = Config(
            self._app,
            http=H11Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        config.load()
        # uvicorn's connections behind a listener of our own: uvicorn's server would take over the signals of the
        # process, exit it when the port is taken, and wake up ten times a second.
        self._listener = await asyncio.get_running_loop().create_server(
            lambda: H11Protocol(config, self._state, {}), self._settings.host, self._settings.port
        )
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Close the port and the connections."""
        if self._listener is None:
            return
        listener, self._listener = self._listener, None
        listener.close()
        for connection in list(self._state.connections):
            connection.transport.abort()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks)
        await listener.wait_closed()

    async def _app(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request. https://asgi.readthedocs.io/en/latest/specs/www.html (read 2026-11)."""
        answer = self._answer(scope["method"], scope["path"])
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", b"%d" % len(answer.body)),
            (b"date", formatdate(usegmt=True).encode()),
            *([(b"allow", b"GET,HEAD")] if answer.status == 405 else []),
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})  # uvicorn leaves it out for HEAD

    def _answer(self, method: str, path: str) -> "Answer":
        if path not in self._answers:
            return Answer(404, b"404: Not Found")
        if method not in ("GET", "HEAD"):
            return Answer(405, b"405: Method Not Allowed")
        return self._answers[path]()


class Answer(NamedTuple):
    """A response, whole."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


def _verdict(obstacle: str | None) -> Answer:
    return Answer(200, b"ok\n") if obstacle is None else Answer(503, f"{obstacle}\n".encode())


def _json(status: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(status, enc_hook=str))
