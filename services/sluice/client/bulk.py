"""Write a list of records, and get the outcome of each."""

import asyncio
import inspect
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Self

from sluice.client.bulk_result import (
    BulkBatch,
    BulkInput,
    BulkItem,
    BulkResult,
    counts_by_code,
    settled_item,
)
from sluice.client.connection import SETTINGS_FILE, Connectable, connect
from sluice.client.outcomes import outcomes
from sluice.client.publisher import Publisher, RecordTooLarge
from sluice.client.receipts import Receipt
from sluice.events import Operation, RecordEvent
from sluice.records import GivenKey, key_as_text, make_record

Callback = Callable[[BulkBatch], Awaitable[None] | None]


class BulkTimeout(TimeoutError):
    """A wait for receipts that took too long: ``open`` records have none. They may still be delivered."""

    def __init__(self, message: str, open: int) -> None:  # noqa: A002  # as in BulkResult
        super().__init__(message)
        self.open = open


def bulk(
    destination: str,
    settings: Connectable = SETTINGS_FILE,
    *,
    object: str,  # noqa: A002  # the event's own word
    create: bool = False,
    operation: Operation | None = None,
    callback: Callback | None = None,
    job_id: str | None = None,
    timeout_s: float = 300.0,
) -> "Bulk":
    """Make a handler that writes records of one ``object`` and collects the outcome of each.

        async with bulk("crm", object="group/company", create=True) as handler:
            handler.write("acme", {"name": "Acme"})
            handler.write("initech", {"name": "Initech"})
        for item in handler.result.failed:
            print(item.index, item.input.key, item.code, item.message)

    With ``create`` the operation is ``upsert``, which makes records that do not exist; without it ``update``, which
    skips them. ``operation`` names any other. ``callback``, a function or a coroutine function, is given each answered
    batch. ``job_id`` is a new one where left out. ``timeout_s`` without any new receipt is a :class:`BulkTimeout`,
    which says how many records are open. Raises ``SettingsError`` and ``ValueError``.
    """
    if create and operation is not None:
        raise ValueError(f"create=True means upsert, and operation={operation!r} was passed too; leave one of them out")
    chosen: Operation = operation or ("upsert" if create else "update")
    return Bulk(destination, settings, object, chosen, callback, job_id or f"bulk-{uuid.uuid4().hex}", timeout_s)


class Bulk:
    """A handler for records of one object, made by :func:`bulk`.

    ``write`` collects in memory; ``flush`` and the end of the ``async with`` publish and wait for the receipts. When
    the body raises, what was not flushed is not published. The handler keeps all records and outcomes in memory.
    """

    def __init__(
        self,
        destination: str,
        settings: Connectable,
        object_: str,
        operation: Operation,
        callback: Callback | None,
        job_id: str,
        timeout_s: float,
    ) -> None:
        self.job_id = job_id
        self._destination = destination
        self._connection = connect(settings)
        self._object = object_
        self._operation: Operation = operation
        self._callback = callback
        self._timeout_s = timeout_s
        self._resources: AsyncExitStack | None = None
        self._written: list[BulkInput] = []
        self._unpublished: list[RecordEvent] = []
        self._open: dict[str, int] = {}
        self._settled: dict[int, BulkItem] = {}

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as resources:
            # Positioned before the first record is published, so that no receipt is missed.
            stream = outcomes(self._destination, self._connection, job_id=self.job_id, since="now")
            self._stream = await resources.enter_async_context(stream)
            self._publisher = await resources.enter_async_context(Publisher(self._destination, self._connection))
            self._resources = resources.pop_all()
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        resources, self._resources = self._require_open(), None
        async with resources:
            if error is None:
                await self._flush()

    @property
    def result(self) -> BulkResult:
        """The outcomes that are known now."""
        items = [self._settled[index] for index in sorted(self._settled)]
        return BulkResult(
            job_id=self.job_id,
            successful=[item for item in items if item.succeeded],
            failed=[item for item in items if not item.succeeded],
            counts=counts_by_code(items),
            open=len(self._open),
        )

    def write(self, key: GivenKey, data: Mapping[str, Any] | None = None) -> int:
        """Take in one record, to be published by the next ``flush``, and return its index, from 0.

        Raises ``ValueError`` when the handler is not open, ``TypeError`` for a wrong type of ``key`` or ``data``, and
        ``InvalidRecord``, a ``ValueError``, for what cannot be published.
        """
        self._require_open()
        if isinstance(key, bool) or not (key is None or isinstance(key, str | int | dict | list)):
            raise TypeError(
                f"expected the key to be a text, a number, a mapping or a list of mappings, got {type(key).__name__}"
            )
        if data is not None and not isinstance(data, Mapping):
            raise TypeError(f"expected data to be a mapping of names to values, got {type(data).__name__}")
        written = BulkInput(key_as_text(key), data or {})
        self._unpublished.append(self._event(written, len(self._written)))
        self._written.append(written)
        return len(self._written) - 1

    async def flush(self) -> BulkResult:
        """Publish what was written, and wait until every record has its receipt.

        Raises :class:`BulkTimeout`, after which another ``flush`` goes on waiting, and ``PublishError``.
        """
        self._require_open()
        await self._flush()
        return self.result

    async def retry(self) -> BulkResult:
        """Publish the failed records again, each as a new event, and wait until they have their receipts.

        An ``ambiguous`` one may have been applied already. It works after the ``async with``, too. Raises as ``flush``.
        """
        if self._resources is None:
            async with self:
                return await self.retry()
        for item in self.result.failed:
            del self._settled[item.index]
            self._unpublished.append(self._event(item.input, item.index))
        return await self.flush()

    def _require_open(self) -> AsyncExitStack:
        if self._resources is None:
            raise ValueError("the bulk handler is not open; use it inside `async with bulk(...) as handler:`")
        return self._resources

    def _event(self, written: BulkInput, index: int) -> RecordEvent:
        event = make_record(
            object=self._object, operation=self._operation, key=written.key, data=written.data, job_id=self.job_id
        )
        self._open[event.event_id] = index
        return event

    async def _flush(self) -> None:
        unpublished, self._unpublished = self._unpublished, []
        for event in unpublished:
            try:
                await self._publisher.publish_event(event)
            except RecordTooLarge as error:
                index = self._open.pop(event.event_id)
                self._settled[index] = BulkItem(
                    index=index, input=self._written[index], outcome="rejected", code="too-large", message=str(error)
                )
        await self._publisher.flush()
        if self._open:
            await self._collect()

    async def _collect(self) -> None:
        """Read receipts until no record is open. Raises :class:`BulkTimeout`."""
        now = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(self._timeout_s) as deadline:
                async for receipts in self._stream.polls():
                    if await self._settle_batches(receipts):
                        deadline.reschedule(now() + self._timeout_s)
                    if not self._open:
                        return
        except TimeoutError as error:
            if not deadline.expired():
                raise
            message = (
                f"{len(self._open)} of {len(self._written)} records are open: no receipt came for {self._timeout_s:g} "
                "s. They are published and may still be delivered; call flush() to go on waiting, or follow them with "
                f"`sluice outcomes tail {self._destination} --job {self.job_id}`"
            )
            raise BulkTimeout(message, len(self._open)) from error

    async def _settle_batches(self, receipts: Iterable[Receipt]) -> bool:
        """Settle the records of ``receipts``, tell the callback, and return whether there were any."""
        batches: dict[str, list[BulkItem]] = {}
        for receipt in receipts:
            index = self._open.pop(receipt.event.event_id, None) if receipt.event else None
            if index is not None:  # else it is not for an open record of this handler
                item = self._settled[index] = settled_item(index, self._written[index], receipt)
                batches.setdefault(item.batch_id, []).append(item)
        if self._callback is not None:
            for batch_id, items in batches.items():
                told = self._callback(BulkBatch(batch_id=batch_id, items=items, counts=counts_by_code(items)))
                if inspect.isawaitable(told):
                    await told
        return bool(batches)
