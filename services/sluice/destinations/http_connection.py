"""A connection to a server, which sends one request at a time and gives its answer while it comes.

1. ``exchange`` makes the last check, hands head and body to the socket at once, and returns with the answer's head.
2. ``pieces`` gives the body. Reading stops while more than ``MAX_WAITING_BYTES`` of it wait to be taken.
3. A connection whose answer has ended may be used again if ``is_reusable`` says so; any other is aborted.
"""

import asyncio
import select
from collections.abc import AsyncIterator, Callable
from typing import cast

import httptools
import httpx

MAX_WAITING_BYTES = 256 * 1024
MAX_OVERHEAD_BYTES = 256 * 1024
"""Bytes of one answer that are no body: of its head, of heads before it, of the marks between chunks. [assumed]"""


class Connection(asyncio.Protocol):
    """An open connection; its methods raise ``httpx.RequestError``."""

    def __init__(self, socket_transport: asyncio.Transport | None = None) -> None:
        """``socket_transport``: what is below all TLS, if there is any."""
        self._socket_transport = socket_transport
        self._loop = asyncio.get_running_loop()
        self._readable = select.poll()
        self._waiter: asyncio.Future[None] | None = None
        self._begin()
        self._is_idle = True

    def _begin(self) -> None:
        """Forget the last answer."""
        self._is_idle = False
        self._parser = httptools.HttpResponseParser(self)
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._waiting_bytes = self._overhead_bytes = 0
        self._has_head = self._has_ended = self._has_length = self._keeps_alive = self._is_paused = False
        self._error: httpx.RequestError | None = None

    async def exchange(self, head: bytes, body: bytes, before_sending: Callable[[], None] | None) -> None:
        """Send a request and return when the head of its answer is there, in ``status`` and ``headers``.

        Nothing is sent if ``before_sending`` raises.
        """
        self._begin()
        if before_sending is not None:
            before_sending()
        self.transport.writelines((head, body) if body else (head,))
        while not self._has_head:
            await self._news()
        if head.startswith(b"HEAD "):  # the parser does not know of what was asked, and waits for a body
            self._has_ended, self._keeps_alive = True, False

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the pieces of the answer's body."""
        while True:
            pieces, self._pieces, self._waiting_bytes = self._pieces, [], 0
            for piece in pieces:
                yield piece
            if self._is_paused:
                self._is_paused = False
                self.transport.resume_reading()
            elif not self._pieces:
                if self._has_ended:
                    return
                await self._news()

    def release(self) -> None:
        """End the exchange; its answer may not be read any more."""
        self._is_idle = True

    @property
    def is_reusable(self) -> bool:
        """True if the server expects another request after its answer."""
        # An answer may come before the whole request was sent: the server has not read the rest, and may never do.
        # TLS hands all of it on at once, so the socket's own buffer counts.
        is_sent = self.transport.get_write_buffer_size() == self.socket_transport.get_write_buffer_size() == 0
        is_read = self._has_ended and not self._is_paused
        return is_read and is_sent and self._keeps_alive and not self.transport.is_closing()

    @property
    def socket_transport(self) -> asyncio.Transport:
        """The transport below all TLS."""
        return self._socket_transport or self.transport

    @property
    def is_quiet(self) -> bool:
        """True if the server has neither closed the idle connection nor sent anything that nobody asked for.

        Asks the socket itself: the loop may not have come to read what has arrived.
        """
        return not self.transport.is_closing() and not self._readable.poll(0)

    def abort(self) -> None:
        """Close the connection now. What was not sent yet is not sent any more."""
        self.transport.abort()

    async def _news(self) -> None:
        """Wait until something has arrived. Raises the error after which nothing will."""
        if self._error is not None:
            raise self._error
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, error: httpx.RequestError) -> None:
        self._error = self._error or error
        self._keeps_alive = False
        self.transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._readable.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        if self._is_idle:
            self.socket_transport.abort()  # nobody has asked for anything
            return
        before = self._waiting_bytes
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(httpx.RemoteProtocolError(f"expected an answer in HTTP/1.1: {error}"))
        if self._waiting_bytes == before:
            self._overhead_bytes += len(data)
            if self._overhead_bytes > MAX_OVERHEAD_BYTES:
                self._fail(httpx.RemoteProtocolError(f"more than {MAX_OVERHEAD_BYTES} bytes came that are no body"))
        if self._waiting_bytes > MAX_WAITING_BYTES and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self._error = self._error or httpx.ReadError(f"{type(error).__name__} {error}".strip())
        elif not self._has_head:
            self._error = self._error or httpx.RemoteProtocolError("the server closed the connection without an answer")
        elif self._has_length:
            self._error = self._error or httpx.RemoteProtocolError("the server closed the connection within its answer")
        elif self._error is None:
            self._has_ended = True  # a body without a length ends with its connection
        self._wake()

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._has_head:
            self._keeps_alive = False  # a second answer to one request
        else:
            self.headers, self._has_length = [], False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._has_head:
            self.headers.append((name, value))
            if name.lower() in (b"content-length", b"transfer-encoding"):
                self._has_length = True

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200 and not self._has_head:
            self.status = status
            self._keeps_alive = self._parser.should_keep_alive()
            self._has_head = True

    def on_body(self, piece: bytes) -> None:
        if not self._has_ended:
            self._pieces.append(piece)
            self._waiting_bytes += len(piece)

    def on_message_complete(self) -> None:
        self._has_ended = self._has_head
