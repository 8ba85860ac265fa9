"""Connections of aiokafka's clients in this process: closed at once, renewed in time, lost in aiokafka's own words.

Like ``aiokafka_workarounds`` it uses private parts: check it when aiokafka, now 0.14.0, is upgraded.
aiokafka has no setting for the class of its connections: :func:`use` replaces it for all clients of the process. Issues
named below are those of https://github.com/aio-libs/aiokafka/issues.
"""

import asyncio
import math
import time
from collections.abc import Awaitable
from typing import Any

import aiokafka.conn
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import SaslAuthenticateRequest

CLOSE_TIMEOUT_S = 0.1
"""Longest wait for what is still to be written, and for the other side's farewell."""
RENEW_AFTER = 0.75
"""Share of a login's life after which a connection is replaced, as soon as nothing is in flight on it."""


class Silence:
    """The time in which Kafka has said nothing to any client of this process."""

    def __init__(self) -> None:
        self._answered_at_s = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the last answer to a client that had logged in."""
        return time.monotonic() - self._answered_at_s

    def end(self) -> None:
        """Take note of an answer."""
        self._answered_at_s = time.monotonic()


silence = Silence()
_closing: set[asyncio.Future[None]] = set()


class Connection(AIOKafkaConnection):  # type: ignore[misc]  # aiokafka has no types
    """A connection for which nobody has to wait when it closes, and that Kafka does not close for its age."""

    _renew_at_s = math.inf
    _logged_in = False

    async def connect(self) -> Any:
        """Connect and log in as the base class does."""
        opened = await super().connect()
        self._logged_in = True
        silence.end()
        return opened

    def _handle_frame(self, frame: bytes) -> None:
        super()._handle_frame(frame)
        if self._logged_in:
            silence.end()

    def send(self, request: Any, expect_response: bool = True) -> Awaitable[Any]:
        """Send as the base class does. Raises ``KafkaConnectionError``.

        uvloop answers a write to a transport that it has closed with ``RuntimeError`` (``UVHandle._ensure_alive``,
        0.23.0), asyncio's own loop lets it pass. aiokafka expects ``OSError``, so the error would end whichever task
        was sending (#1038). One of these tasks keeps a client's metadata. Without it the client never learns of a
        partition's new leader: it goes on polling, and gets nothing for as long as the process lives.
        """
        try:
            answer: Awaitable[Any] = super().send(request, expect_response)
        except RuntimeError as error:
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}") from error
        return self._noting_lifetime(answer) if isinstance(request, SaslAuthenticateRequest) else answer

    def connected(self) -> bool:
        """Return whether a request may be sent; close a connection whose login is about to end.

        aiokafka never logs in again on an open connection (KIP-368). Where a broker limits a login's life
        (``connections.max.reauth.ms``, tokens) it closes the connection on the first request past it: each such request
        fails, and a group's coordinator counts as dead.
        """
        if time.monotonic() >= self._renew_at_s and not self._requests and not self._loop.is_closed():
            self.close(reason=CloseReason.IDLE_DROP)
        return bool(super().connected())

    def close(self, reason: CloseReason | None = None, exc: BaseException | None = None) -> Any:
        """Close as the base class does, within ``CLOSE_TIMEOUT_S``, whatever the other side does.

        TLS ends with a word of each side, and uvloop waits 30 s for Kafka's. Kafka owes it when our word reaches it
        together with a request: it reads both, answers the request, and looks at the rest of its buffer only when more
        arrives. A broker that hangs owes it for ever.
        """
        transport = self._writer.transport if self._writer is not None else None
        closed = super().close(reason, exc)
        if transport is not None:
            _closing.add(closed)
            closed.add_done_callback(_closing.discard)
            self._loop.call_later(CLOSE_TIMEOUT_S, transport.abort)
        return closed

    async def _noting_lifetime(self, answer: Awaitable[Any]) -> Any:
        response = await answer
        lifetime_ms = getattr(response, "session_lifetime_ms", 0)  # Kafka before 2.2 does not tell it
        if lifetime_ms > 0:
            self._renew_at_s = time.monotonic() + RENEW_AFTER * lifetime_ms / 1000
        return response


async def closed() -> None:
    """Wait until every connection is gone that this event loop closes, which takes no longer than ``CLOSE_TIMEOUT_S``.

    aiokafka does not wait for those that it opens to begin with, or in vain. A loop of uvloop that ends before them
    fails with ``Device or resource busy``, in place of what the process has to say.
    """
    loop = asyncio.get_running_loop()
    waiting = [one for one in list(_closing) if one.get_loop() is loop]
    if waiting:
        await asyncio.wait(waiting, timeout=2 * CLOSE_TIMEOUT_S)


def use() -> None:
    """Make every Kafka client of this process use such connections."""
    aiokafka.conn.AIOKafkaConnection = Connection
