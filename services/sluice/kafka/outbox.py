"""Send messages to one topic in order: collect them into a batch per partition, and raise what is not confirmed.

aiokafka's batch API leaves three things to its caller: batches that fill while an earlier one is in flight, a bound on
memory, and the errors.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from sluice.kafka.sending import Message, append


class PublishError(Exception):
    """Messages without Kafka's confirmation, the last ones of their partitions: ``unconfirmed`` may be missing."""

    def __init__(self, topic: str, unconfirmed: int, cause: str) -> None:
        super().__init__(
            f"{unconfirmed} messages to {topic} are not confirmed by Kafka and may be missing: {cause}; "
            "see that Kafka is well, then publish them again"
        )
        self.unconfirmed = unconfirmed


class Outbox:
    """Messages that wait for one topic. After a failed delivery nothing more is sent, so that order holds."""

    def __init__(
        self,
        producer: Any,
        topic: str,
        partitions: int,
        *,
        max_buffered_bytes: int,
        linger_s: float,
        delivery_timeout_s: float,
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._partitions = list(range(partitions))
        self._queues = [_Queue(partition, producer.create_batch) for partition in self._partitions]
        self._max_buffered_bytes = max_buffered_bytes
        self._linger_s = linger_s
        self._delivery_timeout_s = delivery_timeout_s
        self._deliveries: set[asyncio.Task[None]] = set()
        self._buffered_bytes = 0
        self._failure = ""
        self._changed = asyncio.Event()
        self.unconfirmed = 0
        """Messages that Kafka has not confirmed."""

    async def put(self, message: Message, size_bytes: int) -> None:
        """Wait until there is room for ``message``, and queue it. Raises :class:`PublishError` for any earlier one."""
        if self._failure or not self._has_room(size_bytes):
            await self._wait_until(lambda: self._has_room(size_bytes))
        queue = self._queues[_choose_partition(message.key, self._partitions, self._partitions)]
        filled = queue.append(message, size_bytes)
        self._buffered_bytes += size_bytes
        self.unconfirmed += 1
        if not queue.busy:
            queue.busy = True
            delivery = asyncio.create_task(self._deliver(queue))
            self._deliveries.add(delivery)
            delivery.add_done_callback(self._ended)
        if filled:
            # A caller that never waits would keep Kafka's answers from being read.
            await asyncio.sleep(0)

    async def flush(self) -> None:
        """Wait until Kafka has confirmed everything. Raises :class:`PublishError`."""
        for queue in self._queues:
            queue.close_batch()
        await self._wait_until(lambda: not self.unconfirmed)

    async def stop(self) -> None:
        """End all deliveries, finished or not."""
        self._failure = self._failure or "the publisher was closed"
        for delivery in self._deliveries:
            delivery.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)

    def _ended(self, delivery: asyncio.Task[None]) -> None:
        """Let nobody wait for a delivery that ended by something unforeseen, or by a cancel that is not ours."""
        self._deliveries.discard(delivery)
        if delivery.cancelled() or delivery.exception() is not None:
            cause = "it was cancelled" if delivery.cancelled() else repr(delivery.exception())
            self._failure = self._failure or f"the delivery has ended: {cause}"
            self._changed.set()

    def _has_room(self, size_bytes: int) -> bool:
        return self._buffered_bytes + size_bytes <= self._max_buffered_bytes or not self._buffered_bytes

    async def _wait_until(self, reached: Callable[[], bool]) -> None:
        """Wait until ``reached``. Raises :class:`PublishError`, also when Kafka confirms nothing for too long."""
        while self._failure or not reached():
            if self._failure:
                raise PublishError(self._topic, self.unconfirmed, self._failure)
            self._changed.clear()
            try:
                async with asyncio.timeout(self._delivery_timeout_s):
                    await self._changed.wait()
            except TimeoutError:
                self._failure = f"no confirmation for {self._delivery_timeout_s:g} s"

    async def _deliver(self, queue: "_Queue") -> None:
        """Send what waits for one partition, batch after batch, until nothing does."""
        await queue.linger(self._linger_s)
        while not self._failure and (batch := queue.take()):
            try:
                await (await self._producer.send_batch(batch.builder, self._topic, partition=queue.partition))
            except KafkaError as error:
                self._failure = f"{type(error).__name__}: {error}"
            else:
                self.unconfirmed -= batch.builder.record_count()
                self._buffered_bytes -= batch.size_bytes
            self._changed.set()
        queue.busy = False


_choose_partition = DefaultPartitioner()


class _Batch(msgspec.Struct):
    """Messages for one partition that travel, and succeed or fail, together."""

    builder: Any
    size_bytes: int = 0


class _Queue:
    """Batches that wait for one partition; only the last of them still takes messages."""

    __slots__ = ("_batches", "_closed", "_create", "busy", "partition")

    def __init__(self, partition: int, create_batch: Callable[[], Any]) -> None:
        self.partition = partition
        self.busy = False
        """True while a delivery task sends its batches."""
        self._create = create_batch
        self._batches: deque[_Batch] = deque()
        self._closed = asyncio.Event()

    def append(self, message: Message, size_bytes: int) -> bool:
        """Add ``message``, and return whether that has filled a batch."""
        batches = self._batches
        filled = False
        if not batches or not append(batches[-1].builder, message):
            filled = bool(batches)
            batches.append(_Batch(self._create()))
            append(batches[-1].builder, message)
        batches[-1].size_bytes += size_bytes
        if filled:
            self._closed.set()
        return filled

    async def linger(self, linger_s: float) -> None:
        """Wait for more messages: until a batch is full, ``close_batch`` is called, or ``linger_s`` have passed."""
        if linger_s and not self._closed.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(linger_s):
                    await self._closed.wait()

    def close_batch(self) -> None:
        """End the waiting of ``linger``, if there is something to send."""
        if self._batches:
            self._closed.set()

    def take(self) -> _Batch | None:
        """Return the batch that has waited longest; ``None`` when nothing waits."""
        self._closed.clear()
        return self._batches.popleft() if self._batches else None
