"""A sandbox in a process of its own, and what some work costs it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import httpx
import psutil

from tests.support.paths import ROOT

ENVIRON = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "services"), str(ROOT)))}
"""Environment of every process: this tree, also where the interpreter has another version installed."""
_STOPPED_WITHIN_S = 10.0

Body = TypeVar("Body")
Row = tuple[str, str, str]
"""Figure, measured, budget."""


class Served(NamedTuple):
    """A running sandbox, and what lets a client in."""

    url: str
    process_id: int
    credentials: dict[str, str]

    def busy_s(self) -> float:
        """Return the seconds of one core that it has used, without those of other processes on the machine."""
        times = psutil.Process(self.process_id).cpu_times()
        return float(times.user + times.system)

    def resident_gib(self) -> float:
        return float(psutil.Process(self.process_id).memory_info().rss / 2**30)

    def cost_of(self, send: Callable[[Body], object], bodies: Iterable[Body]) -> "Cost":
        """Send each of ``bodies`` and return what it cost; making them does not count."""
        busy_s, elapsed_s = self.busy_s(), 0.0
        for body in bodies:
            started_s = time.perf_counter()
            send(body)
            elapsed_s += time.perf_counter() - started_s
        return Cost(elapsed_s, self.busy_s() - busy_s)


class Cost(NamedTuple):
    """Seconds by the clock, and seconds of the sandbox's core."""

    elapsed_s: float
    busy_s: float

    def rows(
        self, what: str, count: int, unit: str, *, core_budget: int | None = None, clock_budget: int | None = None
    ) -> list[Row]:
        """Return the rates of ``count`` units per second of the core, and by the clock."""
        return [
            (what, f"{count / self.busy_s:,.0f} {unit}/CPU-s", at_least(core_budget)),
            ("the same by the clock", f"{count / self.elapsed_s:,.0f} {unit}/s", at_least(clock_budget)),
        ]


def at_least(budget: int | None) -> str:
    return "" if budget is None else f"≥ {budget:,}"


def json_bodies(entry: Callable[[int], object], count: int, per_request: int) -> Iterator[bytes]:
    """Yield the bodies of requests with ``count`` entries, which ``entry`` makes of their numbers."""
    for first in range(0, count, per_request):
        yield json.dumps([entry(number) for number in range(first, first + per_request)]).encode()


@contextmanager
def served(*arguments: str, python: str = sys.executable) -> Iterator[Served]:
    """Run ``python -m sandbox`` with ``arguments``, from its first answer to the end of the context."""
    command = [python, "-m", "sandbox", *arguments, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRON, cwd=ROOT) as process:
        try:
            assert process.stdout
            credentials = json.loads(process.stdout.readline())
            del credentials["sandbox"]
            yield Served(credentials.pop("url"), process.pid, credentials)
        finally:
            process.terminate()
            process.wait(_STOPPED_WITHIN_S)


@contextmanager
def served_on_own_core(*arguments: str) -> Iterator[Served]:
    """Run a sandbox pinned to the last core, and this process on the others.

    On a machine with one core, or without affinity, both share what there is: the figures are lower bounds then.
    """
    me = psutil.Process()
    cores = sorted(me.cpu_affinity() or []) if hasattr(me, "cpu_affinity") else []
    with served(*arguments) as sandbox:
        if len(cores) < 2:
            yield sandbox
            return
        psutil.Process(sandbox.process_id).cpu_affinity(cores[-1:])
        me.cpu_affinity(cores[:-1])
        try:
            yield sandbox
        finally:
            me.cpu_affinity(cores)


@contextmanager
def client(sandbox: Served, token_path: str, form: dict[str, str]) -> Iterator[httpx.Client]:
    """Yield a client with a token, which ``form`` asks for at ``token_path``."""
    headers = {"accept-encoding": "identity"}
    with httpx.Client(base_url=sandbox.url, trust_env=False, timeout=60, headers=headers) as http:
        granted = http.post(token_path, data=form).raise_for_status().json()
        http.headers["authorization"] = f"Bearer {granted['access_token']}"
        yield http
