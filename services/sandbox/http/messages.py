"""HTTP messages as values: ``Request``, ``Response``, ``BulkResponse``.

A vendor returns values and never touches the connection. When a fault cuts, delays or drops an answer, it also only
changes the value: ``Response.delivery``.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec

Delivery = Literal["whole", "cut_length", "cut_chunked", "cut_complete", "dropped", "garbage"]
"""Way to send an answer: whole; cut under its full Content-Length; cut in a chunked stream; cut, in a well-formed
response that claims to be complete; dropped, the connection closed; or replaced by bytes that are no HTTP."""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Errors of decoding a body: ``msgspec`` raises its own for wrong JSON and types, but not for wrong UTF-8 or depth."""

_LINES_PER_PIECE = 1000
FORM = "application/x-www-form-urlencoded"


class Request(msgspec.Struct, kw_only=True, dict=True):
    """One HTTP request, read to its end. ``number`` counts a sandbox's requests from 1."""

    number: int
    method: str
    path: str
    params: dict[str, str]
    query_string: bytes
    headers: dict[bytes, bytes]
    body: bytes

    def header(self, name: str) -> str:
        """Return the header's value, or the empty string."""
        return self.headers.get(name.lower().encode(), b"").decode("latin-1")

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """All values of all query parameters, in order, percent-decoded."""
        return collect(self.query_string.decode("latin-1"))

    def argument(self, name: str) -> str | None:
        """Return the first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else None

    @cached_property
    def form(self) -> dict[str, list[str]]:
        """All values of all fields of a form body, in order; bytes that are not percent-encoded are UTF-8."""
        return collect(self.body.decode("utf-8", "replace"))

    @property
    def media_type(self) -> str:
        """The content type in lower case, without its parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def accepts_gzip(self) -> bool:
        return "gzip" in self.header("accept-encoding").lower()


class Response(msgspec.Struct, kw_only=True, frozen=True):
    """One answer. A body in pieces is sent chunked."""

    status: int
    body: bytes | Iterable[bytes] = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = "whole"
    pause_s: float = 0.0
    """Seconds between the last byte of a cut answer and the end of its connection."""
    date_ahead_s: float | None = 0.0
    """Difference of the ``Date`` to the sandbox's clock; null for an answer without one."""


class BulkResponse(msgspec.Struct, kw_only=True, frozen=True):
    """An answer with a result per entry, not yet encoded, so that a fault can remove, shuffle or change results.

    ``items`` may be a generator, read once. ``render`` is given ``items``, or the list that faults have made of it.
    """

    items: Iterable[Any]
    render: Callable[[Any], Response]
    without_identifier: Callable[[Any], Any]


Answer = Response | BulkResponse
Handler = Callable[[Request], Answer]


def rendered(answer: Answer) -> Response:
    return answer.render(answer.items) if isinstance(answer, BulkResponse) else answer


def collect(encoded: str) -> dict[str, list[str]]:
    """Parse ``a=1&a=2&b=`` as a query string or form body."""
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True, errors="replace"):
        values.setdefault(name, []).append(value)
    return values


def first_values(fields: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the first value of every name."""
    return {name: values[0] for name, values in fields.items()}


def as_json(value: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    body = msgspec.json.encode(value)
    return Response(status=status, body=body, content_type="application/json", headers=headers)


def as_json_lines(rows: Iterator[object]) -> Response:
    """Return an answer with a row a line, encoded while it is sent."""
    return Response(status=200, body=_json_lines(rows), content_type="application/x-ndjson")


def gzipped(response: Response) -> Response:
    """Return the same answer, compressed at the fastest level: a benchmark must not measure the sandbox."""
    if not response.body:
        return response
    headers = (*response.headers, ("content-encoding", "gzip"))
    if not isinstance(response.body, bytes):
        return msgspec.structs.replace(response, body=_compressed(response.body), headers=headers)
    return msgspec.structs.replace(response, body=b"".join(_compressed([response.body])), headers=headers)


def gzip_of_blanks(mib: int) -> Iterator[bytes]:
    """Yield a gzip stream that unpacks to so many MiB of blanks: each MiB is a block of a KiB that stands alone."""
    packer = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS)
    block = packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    yield b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    checksum = 0
    for _ in range(mib):
        yield block
        checksum = zlib.crc32(b" " * 2**20, checksum)
    yield b"\x03\x00" + checksum.to_bytes(4, "little") + (mib * 2**20 % 2**32).to_bytes(4, "little")


def _json_lines(rows: Iterator[object]) -> Iterator[bytes]:
    while piece := list(islice(rows, _LINES_PER_PIECE)):
        yield msgspec.json.Encoder().encode_lines(piece)


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(level=1, wbits=31)
    yield from filter(None, map(packer.compress, pieces))
    yield packer.flush()
