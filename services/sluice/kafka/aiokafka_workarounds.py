"""The only code that uses aiokafka's private parts, each with its reason: check it when aiokafka is upgraded.

Written against aiokafka 0.14.0. Issues named below are those of https://github.com/aio-libs/aiokafka/issues.
"""

import asyncio
import traceback
from collections.abc import Coroutine, Sequence
from typing import Any, TypeAlias

import aiokafka.conn
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaConnectionError, KafkaError, ProducerFenced

Client: TypeAlias = AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient

STOP_TIMEOUT_S = 5.0
"""Longest wait for a producer to flush and for a consumer to leave its group."""


def is_own_cancel(error: BaseException) -> bool:
    """Return whether ``error`` is the cancelling of this task, and not the ``CancelledError`` of one of aiokafka's."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


async def stop(client: Client) -> None:
    """Close ``client``, whatever state it is in, within a few seconds.

    aiokafka's own ``stop`` waits for ever for a broker that is gone (#1101, #1013), passes on the ``CancelledError`` of
    a task of its own (#647), and raises once more that a producer was fenced. Messages that a producer has not sent
    by then are lost.
    """
    if isinstance(client, AIOKafkaProducer):
        if not await _ends_well(client.stop()):
            await abandon(client)
    elif isinstance(client, AIOKafkaConsumer):
        if not await _ends_well(client.stop()):
            await _abandon_consumer(client)
    else:
        await _ends_well(client.close())


async def abandon(producer: AIOKafkaProducer) -> None:
    """Close ``producer`` without waiting for Kafka: an idempotent one never gives up by itself (#1101)."""
    producer._closed = True
    sending = producer._sender.sender_task
    while sending is not None and not sending.done():  # the first ends its loop, the next what it waits for then
        sending.cancel()
        await asyncio.sleep(0)
    await _ends_well(producer.client.close())


async def _abandon_consumer(consumer: AIOKafkaConsumer) -> None:
    """Close ``consumer`` without leaving its group: when ``stop`` is cancelled, its tasks ask for Kafka for ever."""
    if isinstance(consumer._coordinator, GroupCoordinator):
        await _ends_well(consumer._coordinator._stop_heartbeat_task())
        await _ends_well(consumer._coordinator._stop_commit_offsets_refresh_task())
    if consumer._fetcher is not None:
        await _ends_well(consumer._fetcher.close())
    await _ends_well(consumer._client.close())


async def _ends_well(closing: Coroutine[Any, Any, None]) -> bool:
    """Return whether ``closing`` ended in time and without an error of Kafka's.

    It runs as a task of its own, so that a ``CancelledError`` of aiokafka's is not mistaken for one of the caller.
    """
    task = asyncio.create_task(closing)
    try:
        await asyncio.wait([task], timeout=STOP_TIMEOUT_S)
    finally:
        task.cancel()
    await asyncio.wait([task])
    if task.cancelled():
        return False
    error = task.exception()
    if error is not None and not isinstance(error, KafkaError):
        raise error
    return error is None


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


def place_of_unreadable(error: UnicodeDecodeError) -> str:
    """Return the place of the record with the header that aiokafka could not decode.

    The error does not name it; local variables of aiokafka's ``Fetcher``, in the error's traceback, do.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        found = frame.f_locals
        if "tp" in found and "next_batch" in found:
            partition, batch = found["tp"], found["next_batch"]
            return f"in {partition.topic} {partition.partition}/{batch.base_offset} to {batch.next_offset - 1}"
    return "in one of the topics"


class UvloopConnection(AIOKafkaConnection):  # type: ignore[misc]  # aiokafka has no types
    """A connection that reports its loss in aiokafka's own words also on uvloop (#1038).

    uvloop answers a write to a transport that it has closed with ``RuntimeError`` (``UVHandle._ensure_alive``, 0.23.0),
    asyncio's own loop lets it pass. aiokafka expects ``OSError``, so the error would end whichever task was sending.
    One of these tasks keeps a client's metadata. Without it the client never learns of a partition's new leader: it
    goes on polling, and gets nothing for as long as the process lives.
    """

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """Send as the base class does. Raises ``KafkaConnectionError``."""
        try:
            return super().send(request, expect_response)
        except RuntimeError as error:
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}") from error


def use_on_uvloop() -> None:
    """Make every Kafka client of this process use such connections; aiokafka has no setting for it."""
    aiokafka.conn.AIOKafkaConnection = UvloopConnection
