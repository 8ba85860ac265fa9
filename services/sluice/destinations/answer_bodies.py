"""Bodies of answers, read within bounds: on the wire, unpacked, and by the number of values in them.

A vendor that has gone mad, or a proxy, may send without end, or 1.5 MB that unpack to 3 GiB although plain bytes were
asked for. The deadline of a request does not help against either: they fill the memory long before.
"""

import zlib
from typing import cast

import httpx

# All [assumed]: no answer that a kind reads comes near.
MAX_ANSWER_BYTES = 16 * 2**20
"""Bytes of one body, as it comes and unpacked."""
MAX_ANSWER_VALUES = 250_000
"""JSON values in one body. Decoded, each takes up to 100 bytes, and only three on the wire."""


async def read_answer(response: httpx.Response) -> httpx.Response:
    """Return ``response`` with its body, read to the end and unpacked. Closes the connection where it stops before.

    Raises ``httpx.RemoteProtocolError`` for a body beyond the bounds, and ``httpx.DecodingError`` for one that cannot
    be unpacked.
    """
    try:
        body = _Body(response.headers.get("content-encoding", ""))
        async for piece in cast(httpx.AsyncByteStream, response.stream):
            body.add(piece)
    finally:
        await response.aclose()
    headers = [(name, value) for name, value in response.headers.multi_items() if name != "content-encoding"]
    return httpx.Response(response.status_code, headers=headers, content=body.whole(), extensions=response.extensions)


class _Body:
    """A body that grows piece by piece, up to the bounds."""

    def __init__(self, coding: str) -> None:
        coding = coding.strip().lower()
        self._packed = coding not in ("", "identity")
        if self._packed and coding not in ("gzip", "x-gzip", "deflate"):
            raise httpx.DecodingError(f"expected an answer that is not compressed, got content-encoding {coding[:50]}")
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
