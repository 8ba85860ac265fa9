"""Reads a pipe ahead, in a thread: its next row may come at any time, and sending to Kafka must not wait for it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_AHEAD = 2_000
"""The most rows that are read and not yet taken."""


@asynccontextmanager
async def reading_ahead(rows: Iterator[T]) -> AsyncIterator["ReadAhead[T]"]:
    """Read ``rows`` while the body runs. Does not wait for the thread at the end: it may be waiting for a pipe."""
    rows_ahead = ReadAhead(rows)
    threading.Thread(target=rows_ahead.fill, name="sluice-input", daemon=True).start()
    try:
        yield rows_ahead
    finally:
        rows_ahead.stop()


class ReadAhead(Generic[T]):
    """Rows that one thread reads and the event loop takes."""

    def __init__(self, rows: Iterator[T]) -> None:
        self._rows = rows
        self._read: list[T] = []
        self._lock = threading.Lock()
        self._room = threading.Semaphore(MAX_AHEAD)
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._ended = False
        self._error: BaseException | None = None

    def fill(self) -> None:
        """Read until the end, an error, or :meth:`stop`. Blocks: run it in its own thread."""
        try:
            for row in self._rows:
                self._room.acquire()
                if self._ended:
                    return
                with self._lock:
                    was_empty = not self._read
                    self._read.append(row)
                if was_empty:
                    self._wake()
        except Exception as error:  # raised again in ``__aiter__``
            self._error = error
        self._ended = True
        self._wake()

    def stop(self) -> None:
        """Read no more."""
        self._ended = True
        self._room.release()

    async def __aiter__(self) -> AsyncIterator[list[T]]:
        """Yield the rows read so far, whenever there are some. Raises the error of reading after the last row."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            ended = self._ended  # before the rows are taken: after it, the thread may add its last row and end
            with self._lock:
                taken, self._read = self._read, []
            if taken:
                self._room.release(len(taken))
                self._changed.set()  # to look again: more rows may have been read meanwhile
                yield taken
            elif ended:
                if self._error is not None:
                    raise self._error
                return

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._changed.set)
        except RuntimeError:  # the loop is closed: nobody waits for rows
            return
