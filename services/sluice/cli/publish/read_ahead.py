"""Reads a pipe ahead, in a thread: nobody knows when its next row comes, and Kafka must not wait for it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

Read = TypeVar("Read")

MAX_AHEAD = 2_000
"""Rows that are read and not yet taken."""


@asynccontextmanager
async def reading_ahead(rows: Iterator[Read]) -> AsyncIterator["Feed[Read]"]:
    """Read ``rows`` while the body runs. A thread that still waits for a pipe then is left behind."""
    feed = Feed(rows)
    threading.Thread(target=feed.fill, name="sluice-input", daemon=True).start()
    try:
        yield feed
    finally:
        feed.stop()


class Feed(Generic[Read]):
    """What was read and not yet taken."""

    def __init__(self, rows: Iterator[Read]) -> None:
        self._rows = rows
        self._read: list[Read] = []
        self._lock = threading.Lock()
        self._room = threading.Semaphore(MAX_AHEAD)
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._ended = False
        self._error: BaseException | None = None

    def fill(self) -> None:
        """Read until the end, an error, or :meth:`stop`; runs in its own thread."""
        try:
            for row in self._rows:
                self._room.acquire()
                if self._ended:
                    return
                with self._lock:
                    was_empty = not self._read
                    self._read.append(row)
                if was_empty:
                    self._tell()
        except Exception as error:  # raised again by who takes
            self._error = error
        self._ended = True
        self._tell()

    def stop(self) -> None:
        """Read no more."""
        self._ended = True
        self._room.release()

    async def __aiter__(self) -> AsyncIterator[list[Read]]:
        """What there is, whenever there is some. Raises what reading has raised, after the last row."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            with self._lock:
                taken, self._read = self._read, []
            if taken:
                self._room.release(len(taken))
                self._changed.set()  # there may be more by then
                yield taken
            elif self._ended:
                if self._error is not None:
                    raise self._error
                return

    def _tell(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._changed.set)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return
