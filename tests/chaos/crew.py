"""The writers of a round, and what restarts those that die, as an orchestrator would."""

import asyncio
import random
import signal
from collections.abc import Iterator
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
        self._stage = stage
        self._config = config
        self._rng = rng
        self._watched: list[WriterProcess] = []
        self._crashes: list[str] = []

    @property
    def running(self) -> list[WriterProcess]:
        return [writer for writer in self._watched if writer.running]

    @property
    def crashes(self) -> list[str]:
        """Writers that have ended by themselves, which none should."""
        return self._crashes

    def start(self, *arguments: str) -> WriterProcess:
        writer = self._stage.writer(self._config, *arguments, module=MODULE)
        self._watched.append(writer)
        return writer

    def any(self) -> WriterProcess:
        return self._rng.choice(self.running or self._watched)

    async def supervise(self) -> None:
        """Replace whoever is gone, a little later, and watch how much memory the others hold; until cancelled."""
        while True:
            for writer in self._gone():
                self._bury(writer)
            if len(self._watched) < self.wanted and len(self._crashes) < MAX_CRASHES:
                await asyncio.sleep(self._rng.uniform(0, 1.5))
                self.start()
            self._weigh()
            await asyncio.sleep(POLL_S)

    @property
    def standing_still(self) -> list[WriterProcess]:
        """Those that SIGSTOP holds."""
        return [writer for writer in self.running if _status(writer) == psutil.STATUS_STOPPED]

    async def stop(self) -> None:
        """SIGTERM to all; each should end well, and does not if it has to be killed."""
        writers, self._watched = self._watched, []
        for writer in writers:
            writer.send(signal.SIGCONT)
            writer.send(signal.SIGTERM)
        for writer in writers:
            try:
                await writer.ended()
            except TimeoutError:
                self._crashes.append(f"{writer.log.name}: did not stop when it was asked to")
                await writer.kill()
            self._bury(writer)

    def _gone(self) -> Iterator[WriterProcess]:
        for writer in tuple(self._watched):
            if not writer.running:
                self._watched.remove(writer)
                yield writer

    def _bury(self, writer: WriterProcess) -> None:
        if writer.exit_code not in ENDS_WELL:
            self._crashes.append(f"{writer.log.name}: ended with exit code {writer.exit_code}")

    def _weigh(self) -> None:
        for writer in self.running:
            with suppress(psutil.NoSuchProcess):
                self.peak_rss_bytes = max(self.peak_rss_bytes, psutil.Process(writer.pid).memory_info().rss)


def _status(writer: WriterProcess) -> str:
    try:
        return str(psutil.Process(writer.pid).status())
    except psutil.NoSuchProcess:
        return ""
