"""Leaving Kafka: aiokafka's own ``stop`` waits for a broker that is gone, and passes on what its tasks ended with."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

STOP_TIMEOUT_S = 5.0
"""Longest wait for a producer to flush and for a consumer to leave its group."""


async def stop_producer(producer: AIOKafkaProducer) -> None:
    """Close ``producer``, whatever state it is in. What it has not written by now, its lane's next owner finds undone.

    One that was fenced in the middle of a transaction says so once more when it is stopped; one whose broker is gone
    would try for ever.
    """
    if await _done_in_time(producer.stop()):
        return
    sending = producer._sender.sender_task
    while sending is not None and not sending.done():  # it takes one for its loop, and one for what it waits for
        sending.cancel()
        await asyncio.sleep(0)
    await producer.client.close()


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Close ``consumer``. With a broker gone, aiokafka 0.14 raises the ``CancelledError`` of a fetch of its own."""
    if not await _done_in_time(consumer.stop()):
        await consumer._client.close()


async def _done_in_time(stop: Any) -> bool:
    """Whether ``stop`` ended well. A task of its own: its being cancelled is not ours."""
    stopping = asyncio.create_task(stop)
    try:
        await asyncio.wait([stopping], timeout=STOP_TIMEOUT_S)
    finally:
        stopping.cancel()
    await asyncio.wait([stopping])
    if stopping.cancelled():
        return False
    error = stopping.exception()
    if error is not None and not isinstance(error, KafkaError):
        raise error
    return error is None
