"""The bulk handler for scripts without an event loop; it runs one in a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, Self, TypeVar

from sluice.client.bulk import Bulk, Callback, bulk
from sluice.client.bulk_result import BulkResult
from sluice.client.connection import SETTINGS_FILE, Connectable
from sluice.events import Operation
from sluice.records import GivenKey

Result = TypeVar("Result")


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
    """Make a handler as :func:`bulk` does, for code without an event loop.

        with bulk_sync("crm", object="group/company", create=True) as handler:
            handler.write("acme", {"name": "Acme"})
        print(handler.result.counts)

    Arguments and errors are those of :func:`bulk`; ``callback`` is called in the handler's own thread.
    """
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
    """The twin of :class:`Bulk` without ``await``, made by :func:`bulk_sync`.

    It is for one thread at a time. That thread may have a running event loop, as a notebook's has.
    """

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

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self._running_loop().run(self._handler.__aexit__(kind, error, trace))
        finally:
            self._end_loop()

    @property
    def job_id(self) -> str:
        """The job that all records written here belong to."""
        return self._handler.job_id

    @property
    def result(self) -> BulkResult:
        """The outcomes that are known now."""
        return self._handler.result

    def write(self, key: GivenKey, data: Mapping[str, Any] | None = None) -> int:
        """Take in one record and return its index, as :meth:`Bulk.write` does."""
        return self._handler.write(key, data)

    def flush(self) -> BulkResult:
        """Publish what was written and wait for the receipts, as :meth:`Bulk.flush` does."""
        return self._running_loop().run(self._handler.flush())

    def retry(self) -> BulkResult:
        """Publish the failed records again and wait for the receipts, as :meth:`Bulk.retry` does."""
        if self._loop is None:
            with self:
                return self.retry()
        return self._loop.run(self._handler.retry())

    def _running_loop(self) -> "_LoopThread":
        if self._loop is None:
            raise ValueError("the bulk handler is not open; use it inside `with bulk_sync(...) as handler:`")
        return self._loop

    def _end_loop(self) -> None:
        if self._loop is not None:
            self._loop.end()
            self._loop = None


class _LoopThread:
    """An event loop that runs in its own thread until it is ended."""

    def __init__(self) -> None:
        # With a factory the runner leaves the event loop of this thread as it is.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._run_forever, name="sluice-bulk", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run ``coroutine`` there and wait for it; an interrupt of the waiting thread cancels it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def end(self) -> None:
        """Stop the loop, and wait until its tasks were cancelled and have ended."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run_forever(self) -> None:
        with self._runner:
            self._loop.run_forever()
