"""The story, top to bottom."""

import asyncio
import signal
from contextlib import AsyncExitStack

from demo import summary, trace_tree
from demo.airports import later_changes, load_airports
from demo.bad_records import bad_records
from demo.delivery import Delivery
from demo.evidence import Evidence, collect
from demo.live import LiveView
from demo.next_steps import tell_commands, tell_next_steps
from demo.processes import DESTINATION, Writer, writer
from demo.screen import Screen
from demo.upstream import Upstream, publish_file
from demo.world import World, running_world
from sluice.client.connection import connect
from sluice.telemetry.tracing import start_tracing

_PUBLISHING_S = 5.0
"""How long, beside the outage, other upstream systems go on publishing."""


class Story:
    """One run of the demo."""

    def __init__(self, screen: Screen, airports: int | None, *, outage_s: float, keep: bool) -> None:
        self._screen = screen
        self._airports = load_airports(airports)
        self._outage_s = outage_s
        self._keep = keep

    async def tell(self) -> bool:
        """Run it; whether every record has exactly one receipt. Raises :class:`~demo.processes.DemoFailed`."""
        screen = self._screen
        screen.title(
            f"Sluice carries {len(self._airports):,} airports through Kafka into a vendor's bulk API. "
            "Every record gets a receipt."
        )
        async with AsyncExitStack() as stack:
            world = await stack.enter_async_context(running_world(screen))
            # This process is traced, too: it publishes and it reads receipts.
            stop_tracing = start_tracing(connect(world.config).tracing, "sluice-demo")
            await publish_file(screen, world.directory, self._airports)
            running = await self._start_writer(stack, world)
            upstream = Upstream(later_changes(self._airports), bad_records())
            await self._deliver(world, running, upstream)
            published = len(self._airports) + upstream.published
            evidence = await collect(world, running.log, published=published)
            stop_tracing()
            is_well = self._tell_evidence(evidence)
            await self._tell_trace(world)
            took_s = screen.elapsed_s
            if self._keep:
                tell_commands(screen, world)
                await self._stay()
        screen.step("The end")
        screen.tell(f"it took {took_s:.0f} s; everything that was started is stopped, and its data is removed")
        screen.tell(_VERDICTS[is_well])
        if not self._keep:
            tell_next_steps(screen)
        return is_well

    async def _start_writer(self, stack: AsyncExitStack, world: World) -> Writer:
        self._screen.step("A writer delivers, while two more systems publish and the vendor goes down")
        self._screen.command(f"python -m sluice.writer --destination {DESTINATION}")
        return await stack.enter_async_context(writer(world.config))

    async def _deliver(self, world: World, running: Writer, upstream: Upstream) -> None:
        view = LiveView(self._screen)
        view.event(
            f"one system corrects airports with the library, a careless one slips in {len(bad_records())} bad records"
        )
        publishing = upstream.publish(world.config, world.bootstrap_servers, over_s=_PUBLISHING_S + self._outage_s)
        delivery = Delivery(running, world.vendor, upstream, view, in_file=len(self._airports))
        await delivery.watch(publishing, outage_s=self._outage_s)
        if not self._keep:
            view.event(
                f"nothing is left to do; the writer is told to stop, and ends with exit code {await running.stop()}"
            )

    def _tell_evidence(self, evidence: Evidence) -> bool:
        screen = self._screen
        screen.step("The receipts, counted in Kafka, and the vendor's own count")
        summary.tell_receipts(screen, evidence)
        is_well = summary.tell_verdict(screen, evidence)
        screen.step("The batches")
        summary.tell_batches(screen, evidence)
        screen.step("The dead letters")
        summary.tell_dead_letters(screen, evidence)
        return is_well

    async def _tell_trace(self, world: World) -> None:
        screen = self._screen
        screen.step("The way of one record, as a trace")
        traces = await trace_tree.find_traces(world.receiver)
        if traces is None:
            screen.tell("no sampled record has all its spans at the receiver")
            return
        for tree in trace_tree.trees(traces):
            screen.show(tree)

    async def _stay(self) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
        self._screen.tell("[bold]Ctrl-C stops everything.[/]")
        await stop.wait()


_VERDICTS = {
    True: "[bold green]every record had exactly one receipt, and the vendor agreed[/]",
    False: "[bold red]receipts are missing or double, see above[/]",
}
