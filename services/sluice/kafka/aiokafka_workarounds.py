"""Code that uses aiokafka's private parts, each with its reason: check it when aiokafka is upgraded.

Written against aiokafka 0.14.0. Issues named below are those of https://github.com/aio-libs/aiokafka/issues.
"""

import asyncio
import traceback
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaError, ProducerFenced

from sluice.kafka import connections

Client: TypeAlias = AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient
Done = TypeVar("Done")

STOP_TIMEOUT_S = 5.0
"""Longest wait for a producer to flush and for a consumer to leave its group."""
CANCEL_AGAIN_AFTER_S = 0.05


def is_own_cancel(error: BaseException) -> bool:
    """Return whether ``error`` is the cancelling of this task, and not the ``CancelledError`` of one of aiokafka's."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


async def fail_if_cancelled(work: Coroutine[Any, Any, Done]) -> Done:
    """Return what ``work`` returns, as a task of a group. Raises ``KafkaError`` for a ``CancelledError`` of aiokafka's.

    A group takes a task that was cancelled for one that has done its work, and goes on without it.
    """
    try:
        return await work
    except asyncio.CancelledError as error:
        if is_own_cancel(error):
            raise
        raise KafkaError("something was cancelled within aiokafka") from error


async def stop(client: Client) -> None:
    """Close ``client``, whatever state it is in, within a few seconds; a cancel meanwhile is passed on at the end.

    aiokafka's own ``stop`` waits for ever for a broker that is gone (#1101, #1013), passes on the ``CancelledError`` of
    a task of its own (#647), and raises once more that a producer was fenced. Messages that a producer has not sent
    by then are lost.
    """
    await _finish(_stop(client))


async def abandon(producer: AIOKafkaProducer) -> None:
    """Close ``producer`` without waiting for Kafka: an idempotent one never gives up by itself (#1101)."""
    await _finish(_abandon_producer(producer))


async def _finish(closing: Coroutine[Any, Any, None]) -> None:
    """Wait until ``closing`` has ended, however often the caller is cancelled: half closed, a client asks on for Kafka.

    A ``CancelledError`` that is raised here is the caller's, because nothing else is awaited.
    """
    task, cancel = asyncio.create_task(closing), None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancel = error
    if cancel is not None:
        raise cancel
    task.result()


async def _stop(client: Client) -> None:
    match client:
        case AIOKafkaProducer():
            await _close(client.stop(), lambda: _abandon_producer(client))
        case AIOKafkaConsumer():
            await _close(client.stop(), lambda: _abandon_consumer(client))
        case _:
            await _close(client.close(), client._client.close)
    await connections.closed()


async def _abandon_producer(producer: AIOKafkaProducer) -> None:
    producer._closed = True
    await _end(producer._sender.sender_task)
    await _ends_well(producer.client.close())


async def _abandon_consumer(consumer: AIOKafkaConsumer) -> None:
    """Close ``consumer`` without leaving its group: when ``stop`` is cancelled, its tasks ask for Kafka for ever."""
    coordinator, fetcher = consumer._coordinator, consumer._fetcher
    if isinstance(coordinator, GroupCoordinator):
        for task in (coordinator._coordination_task, coordinator._heartbeat_task, coordinator._commit_refresh_task):
            await _end(task)
    if fetcher is not None:
        for task in (fetcher._fetch_task, *fetcher._pending_tasks):
            await _end(task)
        await _ends_well(fetcher.close())
    await _ends_well(consumer._client.close())


async def _close(closing: Coroutine[Any, Any, None], abandon: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Await ``closing``; when it does not end well, await what ``abandon`` returns. Raises what is not Kafka's."""
    try:
        ended_well = await _ends_well(closing)
    except Exception:
        await abandon()
        raise
    if not ended_well:
        await abandon()


async def _ends_well(closing: Coroutine[Any, Any, None]) -> bool:
    """Return whether ``closing`` ended in time and without an error of Kafka's.

    It runs as a task of its own, so that a ``CancelledError`` of aiokafka's is not mistaken for one of the caller.
    """
    task = asyncio.create_task(closing)
    await asyncio.wait([task], timeout=STOP_TIMEOUT_S)
    await _end(task)
    if task.cancelled():
        return False
    error = task.exception()
    if error is not None and not isinstance(error, KafkaError):
        raise error
    return error is None


async def _end(task: asyncio.Task[Any] | None) -> None:
    """Cancel ``task`` until it has ended: aiokafka's tasks take a cancel for the end of what they wait for."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_AGAIN_AFTER_S)


def refusal_of(producer: AIOKafkaProducer, errors: Sequence[BaseException]) -> KafkaError:
    """Return why Kafka has refused a transaction of ``producer``, which has failed with ``errors``.

    What fails first says little: after a topic that may not be written aiokafka goes on, and raises Kafka's
    ``InvalidTxnState`` for the next message, ``IllegalOperation`` or ``AssertionError``. Its transaction knows.
    """
    manager = producer._txn_manager
    ending = None if manager is None else manager._transaction_waiter
    cause = ending.exception() if ending is not None and ending.done() and not ending.cancelled() else None
    fenced = [error for error in errors if isinstance(error, ProducerFenced)]
    known = [error for error in (*fenced, cause, *errors) if isinstance(error, KafkaError)]
    return known[0] if known else KafkaError(repr(errors[0]))


def unreadable_batch(error: UnicodeDecodeError) -> tuple[TopicPartition, range] | None:
    """Return where the Kafka batch stands that has a header name which aiokafka could not decode.

    The error does not name it; local variables of aiokafka's ``Fetcher``, in the error's traceback, do. ``None`` for an
    error from elsewhere.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        found = frame.f_locals
        if "tp" in found and "next_batch" in found:
            batch = found["next_batch"]
            return found["tp"], range(batch.base_offset, batch.next_offset)
    return None
