"""Writer processes for tests: started as an operator would start them, and none of them outlives its test."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
import psutil

from sandbox import leash
from tests.support.paths import ROOT

DESTINATION = "crm"
POLL_S = 0.05
STOPPED_WITHIN_S = 60.0

Found = TypeVar("Found")


async def eventually(look: Callable[[], Awaitable[Found]], *, within_s: float = 90.0) -> Found:
    """What ``look`` finds, as soon as that is true. Raises ``AssertionError`` with what it found last."""
    deadline_s = time.monotonic() + within_s
    while True:
        found = await look()
        if found:
            return found
        assert time.monotonic() < deadline_s, f"{look} found {found!r} for {within_s:.0f} s"
        await asyncio.sleep(POLL_S)


class WriterProcess:
    """One writer of ``crm``; ``module`` is what is run, for a harness with an entry of its own."""

    def __init__(self, config: Path, log: Path, *arguments: str, module: str = "sluice.writer") -> None:
        self.log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        command = [sys.executable, "-m", module, "--destination", DESTINATION, "--config", str(config), *arguments]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "services"), str(ROOT)))}
        self._leash = subprocess.Popen(
            [sys.executable, "-I", leash.__file__, str(log), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**environ, "OTEL_BSP_SCHEDULE_DELAY": "200"},
            start_new_session=True,
        )
        assert self._leash.stdout
        self.pid = int(self._leash.stdout.readline())
        self._url = ""

    @property
    def running(self) -> bool:
        return self.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """128 and more for a signal; ``None`` while it runs."""
        return self._leash.poll()

    def peak_rss_bytes(self) -> int:
        """The most memory it ever held; where the system does not tell (it is not Linux), what it holds now."""
        status = Path(f"/proc/{self.pid}/status")
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii")) if status.exists() else None
        return int(found[1]) * 1024 if found else psutil.Process(self.pid).memory_info().rss

    def logged(self, message: str) -> list[dict[str, Any]]:
        """Its log lines with this message."""
        return [line for line in self._lines() if line.get("message") == message]

    def logged_by(self, logger: str) -> list[dict[str, Any]]:
        """Its log lines of this library."""
        return [line for line in self._lines() if str(line.get("logger", "")).startswith(logger)]

    def log_text(self) -> str:
        return self.log.read_bytes()[self._log_start :].decode(errors="replace")

    async def url(self) -> str:
        """Where it serves; waits until it does."""

        async def find() -> str:
            assert self.running, f"the writer has ended:\n{self.log_text()}"
            return "".join(f"http://127.0.0.1:{line['http_port']}" for line in self.logged("writer started"))

        self._url = self._url or await eventually(find)
        return self._url

    async def get(self, path: str) -> httpx.Response:
        # Certificates are not read, which takes 25 ms; an answer may be late: who polls has a deadline of its own.
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=30) as http:
            return await http.get(await self.url() + path)

    async def status(self) -> dict[str, Any]:
        body: dict[str, Any] = (await self.get("/status")).json()
        return body

    async def shows(self, claim: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until ``claim`` is true of its status."""

        async def look() -> bool:
            return claim(await self.status())

        await eventually(look)

    async def owns(self, lanes: int) -> None:
        """Wait until it owns so many lanes, all of them open."""
        await self.shows(lambda status: status["ready"] and len(status["lanes"]) == lanes)

    async def settles(self) -> None:
        """Wait until it has settled a batch."""

        async def look() -> bool:
            return bool(self.logged("batch settled"))

        await eventually(look)

    def send(self, signum: signal.Signals) -> None:
        """To one that has just ended, before its leash knows, as to one that ended long ago: nothing."""
        with suppress(ProcessLookupError):
            if self.running:
                os.kill(self.pid, signum)

    async def ended(self, within_s: float = STOPPED_WITHIN_S) -> int:
        """Its exit code, as soon as it has one. Raises ``TimeoutError``."""
        try:
            return await asyncio.to_thread(self._leash.wait, within_s)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(str(error)) from error

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.send(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """SIGKILL, as by a crash, and wait until it is gone."""
        self.send(signal.SIGKILL)
        await self.ended()

    def close(self) -> None:
        """Leave no process and no pipe behind."""
        self.send(signal.SIGKILL)
        self._leash.wait()
        for pipe in (self._leash.stdin, self._leash.stdout):
            if pipe:
                pipe.close()

    def _lines(self) -> Iterator[dict[str, Any]]:
        for line in self.log_text().splitlines():
            try:
                yield msgspec.json.decode(line, type=dict[str, Any])
            except msgspec.DecodeError:  # a line that is not complete yet, or was said before logging began
                continue
