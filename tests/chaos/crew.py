"""The writers of a round, and what restarts those that die, as an orchestrator would."""

import asyncio
import random
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from tests.support.stage import Stage
from tests.support.writer_process import WriterProcess

MODULE = "tests.chaos.writer"
POLL_S = 0.1
ENDS_WELL = {
    0,  # stopped as asked
    4,  # found no Kafka at its start: a broker was killed
    128 + signal.SIGKILL,
    128 + signal.SIGTERM,  # asked to stop before it could listen
}
MAX_CRASHES = 5
"""After so many nobody is replaced any more: it would go on like this."""


class Crew:
    """As many writers as are wanted."""

    def __init__(self, stage: Stage, config: Path, rng: random.Random) -> None:
        self.wanted = 0
        self.peak_rss_bytes = 0
        self.crashes: list[str] = []
        """Writers that have ended by themselves, which none should."""
        self._stage = stage
        self._config = config
        self._rng = rng
        self._watched: list[WriterProcess] = []

    @property
    def running(self) -> list[WriterProcess]:
        return [writer for writer in self._watched if writer.running]

    @property
    def standing_still(self) -> list[WriterProcess]:
        """Those that SIGSTOP holds."""
        return [writer for writer in self.running if _status(writer) == psutil.STATUS_STOPPED]

    def start(self, *arguments: str) -> None:
        self._watched.append(self._stage.writer(self._config, *arguments, module=MODULE))

    def any(self) -> WriterProcess:
        return self._rng.choice(self.running or self._watched)

    async def supervise(self) -> None:
        """Replace a writer that is gone, a little later, and watch how much memory the others hold; until cancelled."""
        while True:
            for writer in [writer for writer in self._watched if not writer.running]:
                self._watched.remove(writer)
                self._check_exit(writer)
            if len(self._watched) < self.wanted and len(self.crashes) < MAX_CRASHES:
                await asyncio.sleep(self._rng.uniform(0, 1.5))
                self.start()
            for writer in self.running:
                with suppress(psutil.NoSuchProcess):
                    self.peak_rss_bytes = max(self.peak_rss_bytes, psutil.Process(writer.pid).memory_info().rss)
            await asyncio.sleep(POLL_S)

    async def stop(self) -> None:
        """Send SIGTERM to all; each should end well, and does not if it has to be killed."""
        writers, self._watched = self._watched, []
        for writer in writers:
            writer.send(signal.SIGCONT)
            writer.send(signal.SIGTERM)
        for writer in writers:
            try:
                await writer.ended()
            except TimeoutError:
                self.crashes.append(f"{writer.log.name}: did not stop when it was asked to")
                await writer.kill()
            self._check_exit(writer)

    def _check_exit(self, writer: WriterProcess) -> None:
        if writer.exit_code not in ENDS_WELL:
            self.crashes.append(f"{writer.log.name}: ended with exit code {writer.exit_code}")


def _status(writer: WriterProcess) -> str:
    try:
        return str(psutil.Process(writer.pid).status())
    except psutil.NoSuchProcess:
        return ""
