"""The steps of the demo, in their order."""

import asyncio
import signal
from contextlib import AsyncExitStack

from demo import summary, trace_tree
from demo.airports import later_changes, load_airports
from demo.bad_records import bad_records
from demo.delivery import DeliveryWatcher
from demo.environment import Environment, running_environment
from demo.evidence import Evidence, collect
from demo.live_view import LiveView
from demo.next_steps import print_commands, print_next_steps
from demo.processes import DESTINATION, Writer, writer
from demo.screen import Screen
from demo.upstream import Upstream, publish_file
from sluice.client.connection import connect
from sluice.telemetry.tracing import start_tracing

_PUBLISHING_S = 5.0
"""The time for which the other upstream systems publish, beside the outage."""


class Scenario:
    """One run of the demo."""

    def __init__(self, screen: Screen, airports: int | None, *, outage_s: float, keep: bool) -> None:
        self._screen = screen
        self._airports = load_airports(airports)
        self._outage_s = outage_s
        self._keep = keep

    async def run(self) -> bool:
        """Run every step, and return whether all counts agree. Raises :class:`~demo.processes.DemoFailed`."""
        screen = self._screen
        screen.title(
            f"Sluice carries {len(self._airports):,} airports through Kafka into a vendor's bulk API. "
            "Every record gets a receipt."
        )
        async with AsyncExitStack() as stack:
            environment = await stack.enter_async_context(running_environment(screen))
            # This process is traced, too: it publishes records and reads receipts.
            stop_tracing = start_tracing(connect(environment.config).tracing, "sluice-demo")
            await publish_file(screen, environment.directory, self._airports)
            running = await self._start_writer(stack, environment)
            upstream = Upstream(later_changes(self._airports), bad_records())
            await self._deliver(environment, running, upstream)
            published = len(self._airports) + upstream.published
            evidence = await collect(environment, running.log, published=published)
            stop_tracing()
            is_well = self._print_evidence(evidence)
            await self._print_trace(environment)
            took_s = screen.elapsed_s
            if self._keep:
                print_commands(screen, environment)
                await self._wait_for_interrupt()
        screen.step("The end")
        screen.print(f"it took {took_s:.0f} s; everything that was started is stopped, and its data is removed")
        screen.print(_VERDICTS[is_well])
        if not self._keep:
            print_next_steps(screen)
        return is_well

    async def _start_writer(self, stack: AsyncExitStack, environment: Environment) -> Writer:
        self._screen.step("A writer delivers, while two more systems publish and the vendor goes down")
        self._screen.command(f"python -m sluice.writer --destination {DESTINATION}")
        return await stack.enter_async_context(writer(environment.config))

    async def _deliver(self, environment: Environment, running: Writer, upstream: Upstream) -> None:
        view = LiveView(self._screen)
        view.event(
            f"one system corrects airports with the library, a careless one slips in {len(bad_records())} bad records"
        )
        publishing = upstream.publish(
            environment.config, environment.bootstrap_servers, over_s=_PUBLISHING_S + self._outage_s
        )
        watcher = DeliveryWatcher(running, environment.vendor, upstream, view, in_file=len(self._airports))
        await watcher.watch(publishing, outage_s=self._outage_s)
        if not self._keep:
            view.event(
                f"nothing is left to do; the writer is told to stop, and ends with exit code {await running.stop()}"
            )

    def _print_evidence(self, evidence: Evidence) -> bool:
        screen = self._screen
        screen.step("The receipts, counted in Kafka, and the vendor's own count")
        summary.print_receipts(screen, evidence)
        is_well = summary.print_verdict(screen, evidence)
        screen.step("The batches")
        summary.print_batches(screen, evidence)
        screen.step("The dead letters")
        summary.print_dead_letters(screen, evidence)
        return is_well

    async def _print_trace(self, environment: Environment) -> None:
        screen = self._screen
        screen.step("The way of one record, as a trace")
        traces = await trace_tree.find_traces(environment.receiver)
        if traces is None:
            screen.print("no sampled record has all its spans at the receiver")
            return
        for tree in trace_tree.trees(traces):
            screen.print(tree)

    async def _wait_for_interrupt(self) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
        self._screen.print("[bold]Ctrl-C stops everything.[/]")
        await stop.wait()


_VERDICTS = {
    True: "[bold green]every record had exactly one receipt, and the vendor agreed[/]",
    False: "[bold red]receipts are missing or double, see above[/]",
}
