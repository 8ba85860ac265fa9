"""A process under measurement: the writer or the reference loop, its log, its CPU time, its peak memory."""

import asyncio
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import psutil

from sandbox import leash
from tests.bench.reference_loop import Options
from tests.bench.stage import DESTINATION, Stage
from tests.bench.vendor import ENVIRON, Served
from tests.support.paths import ROOT

Name = Literal["writer", "reference"]
_STARTED_WITHIN_S = 30.0
_STOPPED_WITHIN_S = 30.0


class Usage(NamedTuple):
    """CPU time that a process has used up to a moment."""

    at_s: float
    cpu_s: float
    """User and system time of its own."""


class Contender:
    """A running contender. Its log comes through a pipe, so that the moment of a line is known."""

    def __init__(self, command: list[str]) -> None:
        # On a leash, so that it does not outlive a benchmark that is killed.
        self._process = subprocess.Popen(
            [sys.executable, "-I", leash.__file__, "/dev/stderr", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRON,
            cwd=ROOT,
        )
        assert self._process.stdout
        self._pid = int(self._process.stdout.readline())
        self._psutil = psutil.Process(self._pid)
        self._started = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self.lines: list[bytes] = []
        """Its log so far."""
        self.start = self.usage()
        """Usage at the moment when it logs that it has started: before that it imports."""
        self._reader.start()

    def usage(self) -> Usage:
        times = self._psutil.cpu_times()
        return Usage(time.monotonic(), times.user + times.system)

    def peak_rss_bytes(self) -> int:
        """Return the most it ever held; where the system does not tell (it is not Linux), what it holds now.

        Not from ``wait4``: a child's figure there begins with the peak of the process that started it.
        """
        status = Path(f"/proc/{self._pid}/status")
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii")) if status.exists() else None
        return int(found[1]) * 1024 if found else self._psutil.memory_info().rss

    def check_alive(self) -> None:
        if self._process.poll() is not None:
            log = b"".join(self.lines[-20:]).decode(errors="replace")
            raise RuntimeError(f"{self._process.args!r} ended with exit code {self._process.returncode}:\n{log}")

    def logged(self, text: str) -> Iterator[dict[str, Any]]:
        """Yield the log's lines with the message ``text``."""
        for line in self.lines:
            if text.encode() in line:
                yield msgspec.json.decode(line)

    async def started(self) -> None:
        if not await asyncio.to_thread(self._started.wait, _STARTED_WITHIN_S):
            raise RuntimeError(f"{self._process.args!r} did not start:\n{b''.join(self.lines[-20:]).decode()}")
        self.check_alive()

    async def stop(self) -> None:
        with self._process:  # which closes its pipes
            with suppress(psutil.NoSuchProcess):
                self._psutil.terminate()
            try:
                await asyncio.to_thread(self._process.wait, _STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                await self.kill()
            self._reader.join()

    async def kill(self) -> None:
        """Send SIGKILL and wait."""
        with suppress(psutil.NoSuchProcess):
            self._psutil.kill()
        await asyncio.to_thread(self._process.wait)

    def _read(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.lines.append(line)
            if not self._started.is_set() and b" started" in line:
                self.start = self.usage()
                self._started.set()
        self._started.set()


@asynccontextmanager
async def running(command: list[str]) -> AsyncIterator[Contender]:
    """Yield a started contender; it is gone at the end of the context."""
    contender = Contender(command)
    try:
        await contender.started()
        yield contender
    finally:
        await contender.stop()


def writer_command(stage: Stage, settings: Path) -> list[str]:
    return [stage.python, "-m", "sluice.writer", "--destination", DESTINATION, "--config", str(settings)]


def reference_command(stage: Stage, vendor: Served) -> list[str]:
    options = Options(
        bootstrap_servers=stage.bootstrap_servers,
        records=stage.topics.records,
        succeeded=stage.topics.succeeded,
        group_id=stage.reference_group,
        url=vendor.url,
        client_id=vendor.credentials["client_id"],
        client_secret=vendor.credentials["client_secret"],
    )
    return [stage.python, "-m", "tests.bench.reference_loop", msgspec.json.encode(options).decode()]


def logged_at(line: dict[str, Any]) -> float:
    """Return when a line was logged, in seconds since 1970."""
    return datetime.fromisoformat(line["at"]).timestamp()


def interpreter_version(python: str) -> str:
    command = [python, "-c", "import platform; print(platform.python_version())"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
