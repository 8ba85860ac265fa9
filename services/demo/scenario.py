"""The steps of the demo, in their order; commands to try next work in the directory where it was started."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from demo.airports import later_changes, load_airports
from demo.delivery import DeliveryWatcher
from demo.environment import Environment, running_environment
from demo.evidence import collect
from demo.live_view import LiveView
from demo.processes import DESTINATION, SLUICE, Writer, writer
from demo.screen import Screen
from demo.summary import print_summary
from demo.trace_tree import print_trace
from demo.upstream import Upstream, bad_records, publish_file
from sluice.client.connection import connect
from sluice.telemetry.tracing import start_tracing

_PUBLISHING_S = 5.0
"""The time for which the other upstream systems publish, beside the outage."""
_VERDICTS = {
    True: "[bold green]every record had exactly one receipt, and the vendor agreed[/]",
    False: "[bold red]receipts are missing or double, see above[/]",
}


class Scenario:
    """One run of the demo."""

    def __init__(self, screen: Screen, airports: int | None, *, outage_s: float, keep: bool) -> None:
        self._screen = screen
        self._airports = load_airports(airports)
        self._outage_s = outage_s
        self._keep = keep

    async def run(self) -> bool:
        """Run every step, and return whether all counts agree. Raises :class:`~demo.processes.DemoFailed`."""
        started_at_s = time.monotonic()
        screen = self._screen
        screen.console.print(
            f"[bold]Sluice carries {len(self._airports):,} airports through Kafka into a vendor's bulk API. "
            "Every record gets a receipt.[/]"
        )
        async with running_environment(screen) as environment:
            # This process is traced, too: it publishes records and reads receipts.
            stop_tracing = start_tracing(connect(environment.config).tracing, "sluice-demo")
            await publish_file(screen, environment.directory, self._airports)
            screen.step("A writer delivers, while two more systems publish and the vendor goes down")
            screen.command(f"python -m sluice.writer --destination {DESTINATION}")
            async with writer(environment.config) as running:
                published = await self._deliver(environment, running)
                evidence = await collect(environment, running.log, published=published)
                stop_tracing()
                is_well = print_summary(screen, evidence)
                await print_trace(screen, environment.receiver)
                took_s = time.monotonic() - started_at_s
                if self._keep:
                    _print_commands(screen, environment)
                    await self._wait_for_interrupt()
        screen.step("The end")
        screen.print(f"it took {took_s:.0f} s; everything that was started is stopped, and its data is removed")
        screen.print(_VERDICTS[is_well])
        if not self._keep:
            _print_next_steps(screen)
        return is_well

    async def _deliver(self, environment: Environment, running: Writer) -> int:
        """Publish the other systems' records, wait for all receipts, and return the number of published records."""
        bad = bad_records()
        upstream = Upstream(later_changes(self._airports), bad)
        view = LiveView(self._screen)
        view.event(f"one system corrects airports with the library, a careless one slips in {len(bad)} bad records")
        publishing = upstream.publish(environment, over_s=_PUBLISHING_S + self._outage_s)
        watcher = DeliveryWatcher(running, environment.vendor, upstream, view, in_file=len(self._airports))
        await watcher.watch(publishing, outage_s=self._outage_s)
        if not self._keep:
            code = await running.stop()
            view.event(f"nothing is left to do; the writer is told to stop, and ends with exit code {code}")
        return len(self._airports) + upstream.published

    async def _wait_for_interrupt(self) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
        self._screen.print("[bold]Ctrl-C stops everything.[/]")
        await stop.wait()


def _print_next_steps(screen: Screen) -> None:
    screen.step("What to try next")
    python = _from_here(Path(sys.executable))
    screen.copyable(
        {
            f"{python} -m demo --keep": "the same, left running, with commands to try on it",
            f"{_from_here(SLUICE)} --help": "the command line: check, topics, publish, outcomes",
            f"{python} -m sandbox --help": "the local Kafka and the stand-in vendors by themselves",
            "make test": "every promise as a test",
        }
    )


def _print_commands(screen: Screen, running: Environment) -> None:
    screen.step("All of it is left running for you")
    sluice = f"{_from_here(SLUICE)} --config {running.config}"
    row = "printf 'icao,name\\nXA01,My Airport\\n'"
    down = """'{"kind": "outage", "seconds": 20, "status": 503}'"""
    screen.copyable(
        {
            f"{sluice} check": "are settings, Kafka, topics and the vendor all right?",
            f"{sluice} outcomes tail crm": "receipts as they come, in another terminal",
            f"{row} | {sluice} publish crm - --object group/airport --key icao": "one more airport",
            f"curl -d {down} {running.vendor_url}/_sandbox/faults": "take the vendor down for 20 s, then publish again",
            f"curl {running.vendor_url}/_sandbox/state": "what the vendor has",
            f"tail -f {running.directory / 'writer.log'}": "the writer's log: one line a batch",
        }
    )


def _from_here(path: Path) -> str:
    """Return ``path`` relative to the current directory where it is inside."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
