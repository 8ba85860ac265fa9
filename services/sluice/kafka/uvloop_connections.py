"""aiokafka on uvloop: what is written to a connection that was lost a moment ago.

uvloop answers a write to a transport that it has closed with ``RuntimeError`` (``UVHandle._ensure_alive``, 0.23.0);
asyncio's own loop lets it pass. aiokafka expects ``OSError`` (``AIOKafkaConnection.send``, 0.14.0), so the error ends
whichever task was sending. One of them keeps a client's metadata: without it the client never learns of a partition's
new leader, and stands still for as long as the process lives, polling all the while.
"""

from typing import Any

import aiokafka.conn
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError


class Connection(AIOKafkaConnection):  # type: ignore[misc]  # aiokafka has no types
    """A connection that says in aiokafka's own words that it is lost."""

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """As the base class. Raises ``KafkaConnectionError``."""
        try:
            return super().send(request, expect_response)
        except RuntimeError as error:
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}") from error


def use_on_uvloop() -> None:
    """Have every Kafka client of this process use such connections; aiokafka has no other place to say so."""
    aiokafka.conn.AIOKafkaConnection = Connection
