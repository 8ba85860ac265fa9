"""A sandbox in a process and on a core of its own, for its figures."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psutil

_STOPPED_WITHIN_S = 10.0


class Served(NamedTuple):
    """A running sandbox, and what lets a client in."""

    url: str
    process_id: int
    credentials: dict[str, str]

    def busy_s(self) -> float:
        """Seconds of one core so far; whoever shares the machine does not count, unlike by the clock."""
        times = psutil.Process(self.process_id).cpu_times()
        return float(times.user + times.system)

    def resident_gib(self) -> float:
        return float(psutil.Process(self.process_id).memory_info().rss / 2**30)


@contextmanager
def served_on_own_core(*arguments: str) -> Iterator[Served]:
    """`python -m sandbox` with `arguments`, pinned to the last core, and this process to the others.

    On a machine with one core, or without affinity, both share what there is: the figures are lower bounds then.
    """
    process = subprocess.Popen([sys.executable, "-m", "sandbox", *arguments, "--json"], stdout=subprocess.PIPE)
    mine = _cores(os.getpid())
    try:
        assert process.stdout is not None
        found = json.loads(process.stdout.readline())
        if len(mine) > 1:
            psutil.Process(process.pid).cpu_affinity(mine[-1:])
            psutil.Process().cpu_affinity(mine[:-1])
        credentials = {name: value for name, value in found.items() if name not in ("sandbox", "url")}
        yield Served(found["url"], process.pid, credentials)
    finally:
        if len(mine) > 1:
            psutil.Process().cpu_affinity(mine)
        process.terminate()
        process.wait(_STOPPED_WITHIN_S)


def _cores(process_id: int) -> list[int]:
    process = psutil.Process(process_id)
    return sorted(process.cpu_affinity() or []) if hasattr(process, "cpu_affinity") else []
