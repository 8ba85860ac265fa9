"""Watches the delivery of all airports, and takes the vendor down in the middle of it."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import suppress
from typing import Literal

import httpx

from demo.figures import Figures, read_figures
from demo.live_view import LiveView
from demo.processes import Writer
from demo.upstream import Upstream
from sandbox.control import SandboxControl
from sandbox.faults.fault import Outage

_POLL_S = 0.2
_OUTAGE_AT = 0.4
"""The share of the file's records that have their receipt when the vendor goes down."""
_STALLED_AFTER_S = 60.0
"""Seconds without a new receipt; the audit then names the missing ones."""


class DeliveryWatcher:
    """Watches one writer until every record has its receipt."""

    def __init__(
        self, writer: Writer, vendor: SandboxControl, upstream: Upstream, view: LiveView, *, in_file: int
    ) -> None:
        """Expect ``in_file`` records in Kafka before the writer starts; ``upstream`` adds its own meanwhile."""
        self._writer = writer
        self._vendor = vendor
        self._upstream = upstream
        self._view = view
        self._in_file = in_file
        self._outage: Literal["expected", "begun", "noticed", "over"] = "expected"
        self._down_at_s = 0.0

    async def watch(self, publishing: Awaitable[None], *, outage_s: float) -> None:
        """Watch, and take the vendor down once. ``publishing`` is the work of the upstream systems meanwhile."""
        published = asyncio.ensure_future(publishing)
        expected = self._in_file + self._upstream.total
        stream = self._figures()
        try:
            with self._view.shown():
                async for figures in stream:
                    self._view.update(figures, self._in_file + self._upstream.published, expected)
                    await self._follow_outage(figures, outage_s)
                    if published.done():
                        published.result()
                        if figures.receipts >= expected:
                            return
        finally:
            published.cancel()
            await stream.aclose()
            await asyncio.gather(published, return_exceptions=True)

    async def _figures(self) -> AsyncGenerator[Figures, None]:
        """Yield the writer's figures several times a second, until no receipt has come for too long."""
        receipts, changed_at_s = -1, time.monotonic()
        async with httpx.AsyncClient(trust_env=False) as http:
            while time.monotonic() - changed_at_s < _STALLED_AFTER_S:
                self._writer.check_alive()
                with suppress(httpx.HTTPError):  # it is busy, or has just died: the next round finds out
                    figures = await read_figures(http, self._writer.url)
                    if figures.receipts != receipts:
                        receipts, changed_at_s = figures.receipts, time.monotonic()
                    yield figures
                await asyncio.sleep(_POLL_S)

    async def _follow_outage(self, figures: Figures, outage_s: float) -> None:
        match self._outage:
            case "expected" if figures.receipts >= _OUTAGE_AT * self._in_file:
                self._outage, self._down_at_s = "begun", time.monotonic()
                await self._vendor.add_fault(Outage(seconds=outage_s, status=503))
                self._view.event(f"[red]the vendor goes down[/]: for {outage_s:g} s it answers every request with 503")
            case "begun" if figures.is_holding:
                self._outage = "noticed"
                self._view.event("the writer holds: it keeps what it has, probes now and then, and gives nothing up")
            case "noticed" if not figures.is_holding:
                self._outage = "over"
                after_s = time.monotonic() - self._down_at_s
                self._view.event(f"[green]delivery goes on by itself[/], {after_s:.1f} s after the vendor went down")
