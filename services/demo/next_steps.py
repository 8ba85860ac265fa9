"""Commands to try next; each works in the directory where the demo was started."""

import os
import sys
from pathlib import Path

from demo.environment import Environment
from demo.processes import SLUICE
from demo.screen import Screen


def print_next_steps(screen: Screen) -> None:
    """Print commands for the time after the demo, when nothing runs."""
    screen.step("What to try next")
    python = _from_here(Path(sys.executable))
    _print_all(
        screen,
        {
            f"{python} -m demo --keep": "the same, left running, with commands to try on it",
            f"{_from_here(SLUICE)} --help": "the command line: check, topics, publish, outcomes",
            f"{python} -m sandbox --help": "the local Kafka and the stand-in vendors by themselves",
            "make test": "every promise as a test",
        },
    )


def print_commands(screen: Screen, running: Environment) -> None:
    """Print commands for the time while everything runs."""
    screen.step("All of it is left running for you")
    sluice = f"{_from_here(SLUICE)} --config {running.config}"
    row = "printf 'icao,name\\nXA01,My Airport\\n'"
    down = """'{"kind": "outage", "seconds": 20, "status": 503}'"""
    _print_all(
        screen,
        {
            f"{sluice} check": "are settings, Kafka, topics and the vendor all right?",
            f"{sluice} outcomes tail crm": "receipts as they come, in another terminal",
            f"{row} | {sluice} publish crm - --object group/airport --key icao": "one more airport",
            f"curl -d {down} {running.vendor_url}/_sandbox/faults": "take the vendor down for 20 s, then publish again",
            f"curl {running.vendor_url}/_sandbox/state": "what the vendor has",
            f"tail -f {running.directory / 'writer.log'}": "the writer's log: one line a batch",
        },
    )


def _print_all(screen: Screen, commands: dict[str, str]) -> None:
    for command, purpose in commands.items():
        screen.print(f"[dim]# {purpose}[/]")
        screen.copyable(command)


def _from_here(path: Path) -> str:
    """Return ``path`` relative to the current directory where it is inside."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
