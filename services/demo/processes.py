"""The processes of the demo: real ones, started as a user starts them; none outlives the demo."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import msgspec

from demo.screen import Screen
from sandbox import leash

DESTINATION = "crm"
SLUICE = Path(sys.executable).with_name("sluice")
_STARTED_WITHIN_S = 60.0
_STOPPED_WITHIN_S = 30.0
_POLL_S = 0.05
_LOG_LINES = 8


class DemoFailed(Exception):
    """An error after which the demo cannot continue; the message says why."""


class Sandbox(msgspec.Struct, frozen=True, kw_only=True):
    """The line that a sandbox process prints when it is ready."""

    url: str = ""
    client_id: str = ""
    client_secret: str = ""
    user_name: str = ""
    username: str = ""
    community: str = ""
    password: str = ""
    api_key: str = ""
    bootstrap_servers: str = ""


def set_inherited_variables() -> None:
    """Set variables for all processes: export traces at once, use no proxy to this machine, use our settings."""
    os.environ["OTEL_BSP_SCHEDULE_DELAY"] = "500"
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "localhost,127.0.0.1"]))
    os.environ.pop("SLUICE_CONFIG", None)


@asynccontextmanager
async def sandbox(*arguments: str) -> AsyncIterator[Sandbox]:
    """Run ``python -m sandbox …`` while the context is open. It ends by itself when this process dies."""
    command = [sys.executable, "-m", "sandbox", *arguments, "--json"]
    # In a session of its own: Ctrl-C reaches the demo alone, which then stops its processes in order.
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, start_new_session=True)
    try:
        said = await _first_line(process)
        if not said:
            raise DemoFailed(f"`python -m sandbox {' '.join(arguments)}` did not start; see its message above")
        yield msgspec.json.decode(said, type=Sandbox)
    finally:
        await _stop(process, process.pid)


class Writer:
    """``python -m sluice.writer`` on a leash, which ends it when this process dies, also by SIGKILL."""

    def __init__(self, process: Process, pid: int, log: Path) -> None:
        self.log = log
        self.pid = pid
        self.url = ""
        self._process = process

    def check_alive(self) -> None:
        """Raise :class:`DemoFailed` when the writer has ended."""
        if self._process.returncode is not None:
            tail = "\n".join(self.log.read_text(encoding="utf-8").splitlines()[-_LOG_LINES:])
            raise DemoFailed(f"the writer ended with exit code {self._process.returncode}; its log ends with\n{tail}")

    async def stop(self) -> int:
        """Send SIGTERM, wait for the end, and return the exit code."""
        await _stop(self._process, self.pid)
        return self._process.returncode or 0

    async def kill(self) -> None:
        """Send SIGKILL to the writer itself, and wait for its end: it can finish nothing."""
        os.kill(self.pid, signal.SIGKILL)
        await self._process.wait()

    async def find_url(self) -> None:
        """Wait until it serves HTTP, and read the port from its log: the settings let the system choose it."""
        deadline_s = time.monotonic() + _STARTED_WITHIN_S
        while not self.url:
            self.check_alive()
            if time.monotonic() > deadline_s:
                raise DemoFailed(f"the writer was not ready within {_STARTED_WITHIN_S:.0f} s; its log is {self.log}")
            for line in log_lines(self.log, "writer started"):
                self.url = f"http://127.0.0.1:{line['http_port']}"
            await asyncio.sleep(_POLL_S)


class Writers:
    """The writers of a demo. Each has a log of its own, which outlives it."""

    def __init__(self, config: Path, stack: AsyncExitStack) -> None:
        self._config = config
        self._stack = stack
        self.logs: list[Path] = []

    async def start(self, name: str) -> Writer:
        """Start a writer whose log is called ``name``, and return it when it serves HTTP."""
        log = self._config.with_name(f"{name}.log")
        self.logs.append(log)
        return await self._stack.enter_async_context(_writer(self._config, log))


@asynccontextmanager
async def running_writers(config: Path) -> AsyncIterator[Writers]:
    """Stop at the end of the context whatever writers were started in it."""
    async with AsyncExitStack() as stack:
        yield Writers(config, stack)


@asynccontextmanager
async def _writer(config: Path, log: Path) -> AsyncIterator[Writer]:
    """Run a writer while the context is open; its leash removes the files of the demo if this process is killed."""
    leashed = [sys.executable, "-I", leash.__file__, "--remove", str(config.parent), str(log)]
    command = [sys.executable, "-m", "sluice.writer", "--destination", DESTINATION, "--config", str(config)]
    process = await asyncio.create_subprocess_exec(*leashed, *command, stdin=PIPE, stdout=PIPE, start_new_session=True)
    running = Writer(process, int(await _first_line(process)), log)
    try:
        await running.find_url()
        yield running
    finally:
        await running.stop()


async def run_sluice(screen: Screen, directory: Path, command: str, *, expected: int = 0) -> None:
    """Run ``sluice …`` in ``directory`` with our standard output; raise :class:`DemoFailed` for another exit code."""
    screen.command(f"sluice {command}")
    process = await asyncio.create_subprocess_exec(str(SLUICE), *command.split(), cwd=directory, stdin=DEVNULL)
    try:
        code = await process.wait()
    finally:
        await _stop(process, process.pid)
    if code != expected:
        raise DemoFailed(f"`sluice {command}` ended with exit code {code}, expected {expected}; see its message above")


def log_lines(log: Path, message: str) -> list[dict[str, object]]:
    """Return the complete log lines that have this ``message``."""
    found = []
    for line in log.read_bytes().splitlines() if log.exists() else []:
        with suppress(msgspec.DecodeError):  # printed before logging was set up, or not complete yet
            found.append(msgspec.json.decode(line, type=dict[str, object]))
    return [line for line in found if line.get("message") == message]


async def _first_line(process: Process) -> bytes:
    return await process.stdout.readline() if process.stdout else b""


async def _stop(process: Process, pid: int) -> None:
    if process.returncode is not None:
        return
    os.kill(pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOPPED_WITHIN_S):
            await process.wait()
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        await process.wait()
