"""What a vendor is given and what it gives back: `Request`, `Response`, `BulkResponse`.

A vendor answers with values and never touches the connection. What the frame does to an answer on its way
(cut it, hold it, drop it) is a change of the value too: `Response.delivery`.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec

Delivery = Literal["whole", "cut_length", "cut_chunked", "cut_complete", "dropped"]
"""How an answer leaves: whole; cut under its full Content-Length; cut in a chunked stream; cut, in a well-formed
response that says it is complete; or not at all, the connection closed."""


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding a body may raise: `msgspec` tells of wrong JSON and types, but not of wrong UTF-8 and depth."""

FORM = "application/x-www-form-urlencoded"


class Request(msgspec.Struct, kw_only=True, dict=True):
    """One HTTP request, read to its end. `number` counts a sandbox's requests from 1."""

    number: int
    method: str
    path: str
    params: dict[str, str]
    query_string: bytes
    headers: dict[bytes, bytes]
    body: bytes

    def header(self, name: str) -> str:
        """The header's value, or the empty string."""
        return self.headers.get(name.lower().encode(), b"").decode("latin-1")

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """Every value of every query parameter, in order, percent-decoded."""
        return collect(self.query_string.decode("latin-1"))

    def argument(self, name: str) -> str | None:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else None

    @cached_property
    def form(self) -> dict[str, list[str]]:
        """Every value of every field of a form body, in order; what is not percent-encoded is UTF-8."""
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


class BulkResponse(msgspec.Struct, kw_only=True, frozen=True):
    """An answer with a result per entry, not yet encoded, so that a fault can lose, shuffle or blur results.

    Where there are very many, `items` may make them as they are asked for, once. `render` is given `items`, or the
    list that faults have made of it.
    """

    items: Iterable[Any]
    render: Callable[[Any], Response]
    without_identifier: Callable[[Any], Any]


Answer = Response | BulkResponse
Handler = Callable[[Request], Answer]


def rendered(answer: Answer) -> Response:
    return answer.render(answer.items) if isinstance(answer, BulkResponse) else answer


def collect(encoded: str) -> dict[str, list[str]]:
    """Reads `a=1&a=2&b=` as a query string or form body."""
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True, errors="replace"):
        values.setdefault(name, []).append(value)
    return values


def first_values(fields: Mapping[str, list[str]]) -> dict[str, str]:
    """A query or form in which every name counts once."""
    return {name: values[0] for name, values in fields.items()}


def as_json(value: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    body = msgspec.json.encode(value)
    return Response(status=status, body=body, content_type="application/json", headers=headers)


def gzipped(response: Response) -> Response:
    """The same answer, compressed at the fastest level: a sandbox must not be what a benchmark measures."""
    if not response.body:
        return response
    headers = (*response.headers, ("content-encoding", "gzip"))
    if not isinstance(response.body, bytes):
        return msgspec.structs.replace(response, body=_compressed(response.body), headers=headers)
    return msgspec.structs.replace(response, body=b"".join(_compressed([response.body])), headers=headers)


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(level=1, wbits=31)
    yield from filter(None, map(packer.compress, pieces))
    yield packer.flush()
