"""The crew of a story of several acts: it starts and stops writers, and publishes while other things happen."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from demo.live_view import LiveView
from demo.processes import Writer
from demo.progress import Progress
from demo.story import Stage
from demo.upstream import File, Upstream, publish_file
from sandbox.control import SandboxControl
from sandbox.faults.fault import Outage


class Crew:
    """The crew of one run. What it starts is watched by ``progress`` and told by ``view``."""

    def __init__(self, stage: Stage, progress: Progress, view: LiveView) -> None:
        self._stage = stage
        self._progress = progress
        self._view = view
        self._started = 0

    async def start_writers(self, count: int) -> None:
        """Start ``count`` writers, one after the other."""
        for _ in range(count):
            self._started += 1
            self._progress.writers.append(await self._stage.writers.start(f"writer-{self._started}"))

    async def dismiss(self, writer: Writer) -> int:
        """Tell ``writer`` to stop, and return its exit code."""
        self._progress.writers.remove(writer)
        return await writer.stop()

    async def kill(self, writer: Writer) -> None:
        """End ``writer`` in the middle of what it does."""
        self._progress.writers.remove(writer)
        await writer.kill()

    async def publish_file(self, file: File) -> None:
        """Publish ``file`` with ``sluice publish``."""
        await publish_file(self._stage.screen, self._stage.environment.directory, file)
        self._progress.by_commands += len(file.rows)

    @asynccontextmanager
    async def publishing(self, upstream: Upstream, *, over_s: float) -> AsyncIterator["asyncio.Task[None]"]:
        """Have ``upstream`` publish while the context is open; wait for the task to know that it is done."""
        self._progress.upstreams.append(upstream)
        task = asyncio.create_task(upstream.publish(self._stage.environment, over_s=over_s))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def outage(self, vendor: SandboxControl, name: str, outage: Outage) -> None:
        """Have ``vendor``, called ``name``, go down, and wait until delivery goes on."""
        progress, view = self._progress, self._view
        down_at_s = time.monotonic()
        await vendor.add_fault(outage)
        view.event(f"[red]{name} goes down[/]: for {outage.seconds:g} s it answers every call with {outage.status}")
        over_at_s = down_at_s + outage.seconds
        await progress.until(
            lambda now: now.is_holding or time.monotonic() > over_at_s, "the writers to notice the outage"
        )
        if progress.figures.is_holding:
            view.event("the writers hold: they keep what they have, try now and then, and give nothing up")
        await progress.until(lambda now: not now.is_holding, "the end of the outage")
        after_s = time.monotonic() - down_at_s
        view.event(f"[green]delivery goes on by itself[/], {after_s:.1f} s after {name} went down")

    async def finish(self) -> None:
        """Stop all writers, unless they are to be left running."""
        if self._stage.keep:
            return
        codes = [await writer.stop() for writer in self._progress.writers]
        self._view.event(f"nothing is left to do; the writers are told to stop, and end with exit codes {codes}")
