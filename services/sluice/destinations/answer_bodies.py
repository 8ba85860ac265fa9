"""Bodies of answers, read within bounds: on the wire, unpacked, and by the number of values in them.

A vendor that has gone mad, or a proxy, may send without end, or 1.5 MB that unpack to 3 GiB although plain bytes were
asked for. The deadline of a request does not help against either: they fill the memory long before.

Results of millions of rows are larger than any of this. They are streamed: never whole in memory, with a deadline for
each piece, and within a bound that the caller names.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import cast

import httpx

# All [assumed]: no answer that a kind reads comes near.
MAX_ANSWER_BYTES = 16 * 2**20
"""Bytes of one body, as it comes and unpacked."""
MAX_ANSWER_VALUES = 250_000
"""JSON values in one body. Decoded, each takes up to 100 bytes, and only three on the wire."""
MAX_PIECE_BYTES = 2**20
"""Bytes that a streamed body unpacks to at once."""
MAX_WAIT_S = 1200.0
"""Time that all pieces of a streamed body may take together, without the reader's own. salesforce_bulk.md §7 [docs]"""


async def read_answer(response: httpx.Response) -> httpx.Response:
    """Return ``response`` with its body, read to the end and unpacked. Closes the connection where it stops before.

    Raises ``httpx.RemoteProtocolError`` for a body beyond the bounds, and ``httpx.DecodingError`` for one that cannot
    be unpacked.
    """
    stream = cast(httpx.AsyncByteStream, response.stream)
    try:
        body = _Body(response.headers.pop("content-encoding", ""))
        async for piece in stream:
            body.add(piece)
    finally:
        await stream.aclose()
    response.stream = httpx.ByteStream(body.whole())
    response.read()  # what is whole already takes half of the CPU of ``aread``
    return response


class StreamedBody(httpx.AsyncByteStream):
    """The body of an answer, read while it comes, and unpacked."""

    def __init__(
        self,
        response: httpx.Response,
        max_bytes: int,
        timeout_s: float,
        ended: Callable[[str], None],
        *,
        max_wait_s: float = MAX_WAIT_S,
    ) -> None:
        """Wait for each piece ``timeout_s`` at most, and ``max_wait_s`` for all of them.

        ``ended`` gets the name of the error, or the status.
        """
        self._response = response
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._max_wait_s = max_wait_s
        self._ended: Callable[[str], None] | None = ended

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body. Raises ``httpx.RequestError``."""
        try:
            unpack = _unpacking(self._response.headers.get("content-encoding", ""))
            taken = 0
            async for packed in self._pieces():
                for piece in unpack(packed):
                    taken += len(piece)
                    if taken > self._max_bytes:
                        raise httpx.RemoteProtocolError(f"the answer is longer than {self._max_bytes} bytes")
                    yield piece
            for piece in unpack(None):
                yield piece
        except httpx.RequestError as error:
            self._end(type(error).__name__)
            raise
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Close the connection, where the body was not read to its end."""
        self._end(str(self._response.status_code))
        await self._response.aclose()

    async def _pieces(self) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        pieces = aiter(cast(httpx.AsyncByteStream, self._response.stream))
        left_s = self._max_wait_s
        while True:
            asked_s = clock()
            try:
                async with asyncio.timeout(min(self._timeout_s, left_s)):
                    piece = await anext(pieces, None)
            except TimeoutError as error:
                raise httpx.ReadTimeout(f"no more of the answer within {self._timeout_s:g} s") from error
            left_s -= clock() - asked_s
            if piece is None:
                return
            yield piece

    def _end(self, status: str) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(status)


def _unpacking(coding: str) -> Callable[[bytes | None], Iterator[bytes]]:
    """Return a function that unpacks the next piece of a body; ``None`` is its end."""
    packed, unpacker = _is_packed(coding), zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)
    empty = True

    def unpack(piece: bytes | None) -> Iterator[bytes]:
        nonlocal empty
        if piece is None:
            if packed and not empty and not unpacker.eof:
                raise httpx.DecodingError("the compressed answer ends in the middle")
            return
        empty = empty and not piece
        if not packed:
            yield piece
            return
        try:
            while piece:
                yield unpacker.decompress(piece, MAX_PIECE_BYTES)
                piece = unpacker.unconsumed_tail
        except zlib.error as error:
            raise httpx.DecodingError(f"the answer cannot be unpacked: {error}") from error

    return unpack


def _is_packed(coding: str) -> bool:
    coding = coding.strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise httpx.DecodingError(f"expected an answer that is not compressed, got content-encoding {coding[:50]}")
    return coding not in ("", "identity")


class _Body:
    """A body that grows piece by piece, up to the bounds."""

    def __init__(self, coding: str) -> None:
        self._packed = _is_packed(coding)
        self._unpacker = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)  # gzip and zlib alike
        self._pieces: list[bytes] = []
        self._wire_bytes = self._bytes = 0

    def add(self, piece: bytes) -> None:
        self._wire_bytes += len(piece)
        if self._packed:
            piece = self._unpack(piece)
        self._bytes += len(piece)
        if max(self._wire_bytes, self._bytes) > MAX_ANSWER_BYTES:
            raise httpx.RemoteProtocolError(f"the answer is longer than {MAX_ANSWER_BYTES // 2**20} MiB")
        self._pieces.append(piece)

    def whole(self) -> bytes:
        if self._packed and self._wire_bytes and not self._unpacker.eof:
            raise httpx.DecodingError("the compressed answer ends in the middle")
        body = b"".join(self._pieces)
        if body.count(b",") > MAX_ANSWER_VALUES:
            raise httpx.RemoteProtocolError(f"the answer has more than {MAX_ANSWER_VALUES} values")
        return body

    def _unpack(self, piece: bytes) -> bytes:
        try:
            # One byte more than may come, so that an answer that is too long shows; it is never unpacked whole.
            return self._unpacker.decompress(piece, MAX_ANSWER_BYTES - self._bytes + 1)
        except zlib.error as error:
            raise httpx.DecodingError(f"the answer cannot be unpacked: {error}") from error
