"""What a process answers to probes and scrapers: /metrics, /livez, /readyz and /status.

Live means that the loops turn. Ready means assigned and configured; a vendor that cannot be reached leaves a process
both ready and alive, since restarting it would help nobody.
"""

import time
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from sluice.telemetry.metrics import CONTENT_TYPE
from sluice.telemetry.settings import HttpSettings

Obstacle = Callable[[], str | None]
"""Says in words what is wrong; ``None`` for nothing."""


class Heartbeat:
    """Notices a loop that no longer turns. Every loop beats at least each ``stale_after_s`` while it is well."""

    def __init__(self, stale_after_s: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._stale_after_s = stale_after_s
        self._clock = clock
        self._beat_at_s: dict[str, float] = {}

    def beat(self, loop: str) -> None:
        """``loop`` turned; the first beat registers it."""
        self._beat_at_s[loop] = self._clock()

    def ended(self, loop: str) -> None:
        """``loop`` ended in good order and will not beat again."""
        self._beat_at_s.pop(loop, None)

    def obstacle(self) -> str | None:
        """Which loop stands still, and for how long."""
        now_s = self._clock()
        for loop, beat_at_s in self._beat_at_s.items():
            if now_s - beat_at_s > self._stale_after_s:
                return f"the {loop} loop has not turned for {now_s - beat_at_s:.0f} s"
        return None


class HealthServer:
    """Serves the four paths on the event loop it reports about: one that is blocked answers no probe.

    ``liveness`` and ``readiness`` say what is wrong; ``status`` is shown as JSON, for people.
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
        self._metrics = metrics
        self._liveness = liveness
        self._readiness = readiness
        self._status = status
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Serve; returns the port, which the system chooses where the settings say 0. Raises ``OSError``."""
        app = web.Application()
        app.router.add_get("/metrics", self._answer_metrics)
        app.router.add_get("/livez", self._answer_liveness)
        app.router.add_get("/readyz", self._answer_readiness)
        app.router.add_get("/status", self._answer_status)
        self._runner = runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._settings.host, self._settings.port).start()
        except OSError:
            await self.stop()
            raise
        port: int = runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """Close the port and the connections."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer_metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={"Content-Type": CONTENT_TYPE})

    async def _answer_liveness(self, _: web.Request) -> web.Response:
        return _verdict(self._liveness())

    async def _answer_readiness(self, _: web.Request) -> web.Response:
        return _verdict(self._readiness())

    async def _answer_status(self, _: web.Request) -> web.Response:
        body = msgspec.json.format(msgspec.json.encode(self._status(), enc_hook=str))
        return web.Response(body=body, content_type="application/json")


def _verdict(obstacle: str | None) -> web.Response:
    if obstacle is None:
        return web.Response(text="ok\n")
    return web.Response(status=503, text=f"{obstacle}\n")
