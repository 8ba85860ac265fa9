"""A look at the destination's topics every few seconds: are they there, as many partitions each, and ours to use?

Kafka tells nobody when a topic is deleted, made anew, given partitions, or when a right is taken away. A writer that
reads on would skip records, open half a lane, or send what it cannot write a receipt for.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiokafka.errors import KafkaError

from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import TopicsError, TopicState, partition_count, topic_states
from sluice.kafka.topic_rights import explain_missing, writer_rights
from sluice.topics import DestinationTopics

log = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0
LOOK_AGAIN_S = 2.0
"""While something is wrong, and to be sure of a change: of several brokers one can be late to know."""


class TopicWatch:
    """Watches the topics of one destination."""

    def __init__(self, destination: str, topics: DestinationTopics, kafka: KafkaSettings) -> None:
        self._destination = destination
        self._topics = topics
        self._kafka = kafka
        self._needed = writer_rights(topics)
        self._found_usable = False
        self.obstacle: str | None = None
        """Why the topics cannot be used, and what to do; ``None`` when they can."""

    async def usable(self, admin: Any, stop_asked: asyncio.Event) -> list[TopicState]:
        """Wait until the topics can be used, or ``stop_asked`` is set, and return them as they were found.

        Raises ``TopicsError`` when they are missing or unequal and have never been found otherwise: then they are not
        being changed, somebody has forgotten to make them. Raises ``KafkaError``.
        """
        while True:
            states = await topic_states(admin, self._topics.all)
            self._say(self._problem(states))
            self._found_usable = self._found_usable or self.obstacle is None
            if self.obstacle is None or stop_asked.is_set():
                return states
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await stop_asked.wait()

    async def changed(self, admin: Any, known: Sequence[TopicState]) -> str:
        """Wait until the topics are not as ``known`` any more, and return what is different."""
        suspected = ""
        while True:
            await asyncio.sleep(LOOK_AGAIN_S if suspected else LOOK_EVERY_S)
            try:
                found = await topic_states(admin, self._topics.all)
            except KafkaError as error:  # of brokers that are away the poll loop will hear by itself
                log.debug("topics not looked at", extra={"error": repr(error)})
                continue
            difference = self._difference(known, found)
            if difference and difference == suspected:
                return difference
            suspected = difference

    def _problem(self, states: Sequence[TopicState]) -> str | None:
        missing = explain_missing(self._needed, {state.name: state.rights for state in states}, self._kafka)
        if missing is not None:
            return missing
        try:
            partition_count(states, self._destination)
        except TopicsError as error:
            if not self._found_usable:
                raise
            return str(error)
        return None

    def _difference(self, known: Sequence[TopicState], found: Sequence[TopicState]) -> str:
        for before, now in zip(known, found, strict=True):
            if not now.partitions:
                return f"the topic {now.name} is gone"
            if now.topic_id != before.topic_id:
                return f"the topic {now.name} was made anew: its id is {now.topic_id}, and was {before.topic_id}"
            if now.partitions != before.partitions:
                return f"the topic {now.name} has {now.partitions} partitions, and had {before.partitions}"
        return explain_missing(self._needed, {state.name: state.rights for state in found}, self._kafka) or ""

    def _say(self, obstacle: str | None) -> None:
        """Log a change, and nothing as long as there is none."""
        if obstacle == self.obstacle:
            return
        if obstacle is None:
            log.warning("topics can be used again")
        else:
            log.error("topics cannot be used, nothing is delivered", extra={"reason": obstacle})
        self.obstacle = obstacle
