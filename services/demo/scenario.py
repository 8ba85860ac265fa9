"""The steps of the demo, in their order; commands to try next work in the directory where it was started."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from demo.environment import Environment, running_environment
from demo.evidence import collect
from demo.processes import SLUICE, running_writers
from demo.screen import Screen
from demo.story import Stage, Story
from demo.summary import print_summary
from demo.trace_tree import print_trace
from sluice.client.connection import connect
from sluice.telemetry.tracing import start_tracing

_VERDICTS = {
    True: "[bold green]every record had exactly one receipt, and the vendor agreed[/]",
    False: "[bold red]receipts are missing or double, see above[/]",
}


class Scenario:
    """One run of the demo."""

    def __init__(self, screen: Screen, story: Story, *, options: Sequence[str], keep: bool) -> None:
        """``options`` choose this story on the command line."""
        self._screen = screen
        self._story = story
        self._options = options
        self._keep = keep

    async def run(self) -> bool:
        """Run every step, and return whether all counts agree. Raises :class:`~demo.processes.DemoFailed`."""
        started_at_s = time.monotonic()
        screen, story = self._screen, self._story
        screen.console.print(f"[bold]{story.title} Every record gets a receipt.[/]")
        async with running_environment(screen, story) as environment:
            # This process is traced, too: it publishes records and reads receipts.
            stop_tracing = start_tracing(connect(environment.config).tracing, "sluice-demo")
            async with running_writers(environment.config) as writers:
                published = await story.tell(Stage(screen, environment, writers, self._keep))
                evidence = await collect(environment, story.effects, published=published, logs=writers.logs)
                evidence = evidence._replace(holdings=await story.holdings(environment, evidence.receipts))
                stop_tracing()
                is_well = await print_summary(screen, environment, story, evidence)
                await print_trace(screen, environment.receiver)
                took_s = time.monotonic() - started_at_s
                if self._keep:
                    self._print_commands(environment)
                    await self._wait_for_interrupt()
        screen.step("The end")
        screen.print(f"it took {took_s:.0f} s; everything that was started is stopped, and its data is removed")
        screen.print(_VERDICTS[is_well])
        if not self._keep:
            self._print_next_steps()
        return is_well

    async def _wait_for_interrupt(self) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
        self._screen.print("[bold]Ctrl-C stops everything.[/]")
        await stop.wait()

    def _print_next_steps(self) -> None:
        self._screen.step("What to try next")
        python = _from_here(Path(sys.executable))
        again = " ".join([python, "-m demo", *self._options, "--keep"])
        self._screen.copyable(
            {
                again: "the same, left running, with commands to try on it",
                f"{_from_here(SLUICE)} --help": "the command line: check, topics, publish, outcomes",
                f"{python} -m sandbox --help": "the local Kafka and the stand-in vendors by themselves",
                "make test": "every promise as a test",
            }
        )

    def _print_commands(self, environment: Environment) -> None:
        self._screen.step("All of it is left running for you")
        sluice = f"{_from_here(SLUICE)} --config {environment.config}"
        self._screen.copyable(
            {
                f"{sluice} check": "are settings, Kafka, topics and the vendor all right?",
                f"{sluice} outcomes tail crm": "receipts as they come, in another terminal",
                **self._story.commands_to_try(sluice, environment),
                f"curl {environment.vendor_url}/_sandbox/state": "what the vendor has",
            }
        )


def _from_here(path: Path) -> str:
    """Return ``path`` relative to the current directory where it is inside."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
