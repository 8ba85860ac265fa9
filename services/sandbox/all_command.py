"""Command ``python -m sandbox all``: each vendor in a process of its own, all stopped together."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import NoReturn

import click

from sandbox.vendors import FIRST_PORT, VENDORS, credentials_text

_POLL_S = 0.2
_STOP_TIMEOUT_S = 10.0

Child = subprocess.Popen[str]


@click.command(name="all")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port",
    type=click.IntRange(0, 65536 - len(VENDORS)),
    default=FIRST_PORT,
    show_default=True,
    help="Of the first vendor; the others take the next ones. 0 takes free ports.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each address and its credentials as a JSON object.")
def command(host: str, port: int, as_json: bool) -> None:
    """Serve all vendors at once, on neighbouring ports."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    parent = os.getppid()
    with ExitStack() as stack:
        children = []
        for place, row in enumerate(VENDORS):
            listens_at = str(port and port + place)
            children.append(stack.enter_context(_vendor_process(row.name, "--host", host, "--port", listens_at)))
        for line in _first_lines(children):
            click.echo(line if as_json else _sentence(line))
        _wait(children, parent)


@contextmanager
def _vendor_process(*arguments: str) -> Iterator[Child]:
    """Run one vendor until the context is left. The vendor itself stops when this process dies."""
    call = [sys.executable, "-m", "sandbox", *arguments, "--json"]
    child = subprocess.Popen(call, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        yield child
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # A second Ctrl-C must not leave the others running.
        child.terminate()
        try:
            child.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()


def _first_lines(children: Sequence[Child]) -> list[str]:
    """Return what each vendor prints once it listens. Exit with 1 if one cannot: it has said why on standard error."""
    lines = [child.stdout.readline().strip() for child in children if child.stdout is not None]
    if not all(lines):
        sys.exit(1)
    return lines


def _sentence(line: str) -> str:
    found = json.loads(line)
    name, url = found.pop("sandbox"), found.pop("url")
    return f"{name} {url} {credentials_text(found)}"


def _wait(children: Sequence[Child], parent: int) -> None:
    """Return when this process's parent is gone. Exit with an error when a vendor stops by itself."""
    while os.getppid() == parent:
        for row, child in zip(VENDORS, children, strict=True):
            if child.poll() is not None:
                sys.exit(f"expected {row.name} to go on; it stopped with {child.returncode}. All are stopped now")
        time.sleep(_POLL_S)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)
