"""Reads again what hot keys have left in Kafka (:mod:`sluice.flow.deferred`), when they are ready for it.

It has a consumer of its own, because the writer's goes on with what comes behind, and keeps it for a while: a hot key
asks again and again.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from sluice.flow.retry_policy import backoff_s
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.refusals import describe_refusal
from sluice.kafka.topic_reader import TopicReader
from sluice.writer.delivery.dispatcher import Dispatcher
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.lanes import Lanes

log = logging.getLogger(__name__)

RECALL_FETCH_BYTES = 1024 * 1024
"""Of a partition at a time: followers of a hot key may be few among many."""
IDLE_AFTER_S = 60.0
"""The consumer is closed when nobody has asked for so long."""
RETRY_BASE_S, RETRY_CAP_S = 1.0, 30.0
"""Pauses after Kafka has failed."""


class Recaller:
    """The reader of one writer for all its lanes."""

    def __init__(
        self, topic: str, make_reader: Callable[[], TopicReader], lanes: Lanes, dispatcher: Dispatcher
    ) -> None:
        """``topic`` is the records topic."""
        self._topic = topic
        self._make_reader = make_reader
        self._lanes = lanes
        self._dispatcher = dispatcher
        self._asked = asyncio.Event()

    def look(self) -> None:
        """Begin to read if a key is ready for what it has left; called after each poll."""
        if self._hungry is not None:
            self._asked.set()

    async def run(self) -> None:
        """Read whenever it is needed, until cancelled."""
        failures = 0
        while True:
            await self._asked.wait()
            try:
                async with self._make_reader() as reader:
                    while await self._is_asked():
                        if (lane := self._hungry) is not None:
                            await self._recall(lane, reader)
                            failures = 0
            except (KafkaError, KafkaUnreachable) as error:
                failures += 1
                delay_s = backoff_s(failures, base_s=RETRY_BASE_S, cap_s=RETRY_CAP_S, uniform=1.0)
                fields = {"reason": describe_refusal(error), "delay_s": delay_s}
                log.warning("records that wait for their key could not be read again", extra=fields)
                await asyncio.sleep(delay_s)

    @property
    def _hungry(self) -> Lane | None:
        """A lane of which a key is ready for what it has left."""
        return next((lane for lane in self._lanes if lane.order.deferred.hungry), None)

    async def _is_asked(self) -> bool:
        """Wait until somebody asks; return whether that was soon enough to keep the consumer."""
        if self._hungry is None:
            self._asked.clear()
        try:
            async with asyncio.timeout(IDLE_AFTER_S):
                await self._asked.wait()
        except TimeoutError:
            return False
        return True

    async def _recall(self, lane: Lane, reader: TopicReader) -> None:
        deferred = lane.order.deferred
        partition = TopicPartition(self._topic, lane.partition)
        async with aclosing(reader.read_ranges(partition, deferred.wanted())) as pieces:
            async for looked_at, messages in pieces:
                # It may have been lost while this was read: whoever opens it reads all of it again.
                if not lane.alive:
                    return
                self._dispatcher.add(lane.recall(messages, looked_at))
                if not deferred.hungry:
                    return
