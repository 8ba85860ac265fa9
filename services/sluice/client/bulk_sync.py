"""The bulk handler for scripts without an event loop; it runs one in a thread of its own.

with bulk_sync("crm", object="group/company", create=True) as handler:
    handler.write("acme", {"name": "Acme"})
print(handler.result.counts)
"""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from sluice.client.bulk import Bulk, Callback, bulk
from sluice.client.bulk_result import BulkResult
from sluice.client.connection import SETTINGS_FILE, Connectable
from sluice.events import Key, Operation

Answer = TypeVar("Answer")


def bulk_sync(
    destination: str,
    settings: Connectable = SETTINGS_FILE,
    *,
    object: str,  # noqa: A002  # the event's own word
    create: bool = False,
    operation: Operation | None = None,
    callback: Callback | None = None,
    job_id: str | None = None,
    timeout_s: float = 300.0,
) -> "BulkSync":
    """As :func:`~sluice.client.bulk.bulk`; ``callback`` is called in the handler's thread."""
    handler = bulk(
        destination,
        settings,
        object=object,
        create=create,
        operation=operation,
        callback=callback,
        job_id=job_id,
        timeout_s=timeout_s,
    )
    return BulkSync(handler)


class BulkSync:
    """Made by :func:`bulk_sync`. For one thread at a time; it may have a running event loop, as a notebook has."""

    def __init__(self, handler: Bulk) -> None:
        self._handler = handler
        self._loop: _LoopThread | None = None

    def __enter__(self) -> Self:
        self._loop = _LoopThread()
        try:
            self._loop.run(self._handler.__aenter__())
        except BaseException:
            self._end_loop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._opened().run(self._handler.__aexit__(kind, error, trace))
        finally:
            self._end_loop()

    @property
    def job_id(self) -> str:
        """The job that all records written here belong to."""
        return self._handler.job_id

    @property
    def result(self) -> BulkResult:
        """What is known by now."""
        return self._handler.result

    def write(self, key: Key, data: Mapping[str, Any] | None = None) -> int:
        """As :meth:`sluice.client.bulk.Bulk.write`."""
        return self._handler.write(key, data)

    def flush(self) -> BulkResult:
        """As :meth:`sluice.client.bulk.Bulk.flush`."""
        return self._opened().run(self._handler.flush())

    def retry(self) -> BulkResult:
        """As :meth:`sluice.client.bulk.Bulk.retry`."""
        if self._loop is None:
            with self:
                return self.retry()
        return self._loop.run(self._handler.retry())

    def _opened(self) -> "_LoopThread":
        if self._loop is None:
            raise ValueError("the bulk handler is not open; use it inside `with bulk_sync(...) as handler:`")
        return self._loop

    def _end_loop(self) -> None:
        if self._loop is not None:
            self._loop.end()
            self._loop = None


class _LoopThread:
    """An event loop that turns in its own thread until it is ended."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sluice-bulk", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        """Run ``coroutine`` there and wait for it; an interrupt of the waiting thread cancels it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def end(self) -> None:
        """Stop the loop, when what was cancelled in it has ended."""
        self.run(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end_tasks(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.get_running_loop().shutdown_asyncgens()
