"""Limits of the messages that a lane writes: what each of its topics takes."""

from typing import Any, NamedTuple

from sluice.kafka.topic_admin import TopicsError, max_message_bytes
from sluice.topics import DestinationTopics

MIN_MESSAGE_BYTES = 32 * 1024
"""Takes every message from which all parts are cut that can be cut: ids of 256 characters, the vendor's words."""
ENTRY_OVERHEAD_BYTES = 256
"""Of a journal entry: its message key, and what Kafka adds."""


class MessageLimits(NamedTuple):
    """Bytes of the largest batch of messages that each topic takes, which may hold a single one."""

    succeeded: int
    dead_letters: int
    retries: tuple[int, ...]
    batches: int
    results: int

    @property
    def smallest(self) -> int:
        """The least of them."""
        return min(self.succeeded, self.dead_letters, *self.retries, self.batches, self.results)

    @property
    def entry(self) -> int:
        """Bytes of the largest journal entry."""
        return self.batches - ENTRY_OVERHEAD_BYTES


async def read_message_limits(admin: Any, topics: DestinationTopics) -> MessageLimits:
    """Ask Kafka. Raises ``TopicsError`` for a topic that takes too little for any receipt."""

    async def limit(topic: str) -> int:
        found = await max_message_bytes(admin, topic)
        if found < MIN_MESSAGE_BYTES:
            raise TopicsError(
                f"expected {topic} to take messages of at least {MIN_MESSAGE_BYTES} bytes, got max.message.bytes = "
                f"{found}; raise it"
            )
        return found

    return MessageLimits(
        succeeded=await limit(topics.succeeded),
        dead_letters=await limit(topics.dead_letters),
        retries=tuple([await limit(retry.name) for retry in topics.retries]),
        batches=await limit(topics.batches),
        results=await limit(topics.results),
    )
