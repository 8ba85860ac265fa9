"""Pages of a listing: their parameters, cursors, links and stream. blueconic.md §8, §11, §12."""

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar
from urllib.parse import quote

import msgspec

from sandbox.blueconic.arguments import BadArgument, whole_number
from sandbox.blueconic.faults import DeadCursor
from sandbox.blueconic.listing_order import START, Place
from sandbox.blueconic.settings import Settings
from sandbox.faults.board import FaultBoard
from sandbox.http.messages import UNREADABLE, Request, Response

Row = TypeVar("Row")

MAX_COUNT = 1_000_000
"""The largest ``count`` of a listing. §6, §11 [spec]"""

_ROWS_PER_PIECE = 500
_FIRST = "*"
_MARK = b"\xfb\xef\xff"
"""First bytes of a cursor: ``++//`` in base64, so that a client which does not percent-encode it is refused. §12"""
_MOST_HITS = 10**12


class Asked(NamedTuple):
    """Page that a request asks for. ``listed``: rows of the pages before it; ``most``: rows of all pages, at most."""

    cursor: str
    items: int
    after: Place
    listed: int
    most: int

    @property
    def size(self) -> int:
        """Rows that the page may have."""
        return max(0, min(self.items, self.most - self.listed))


class Listing(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Fields of a page before its rows; ``next_cursor`` is absent on the last page. §8 [spec]"""

    items_per_page: int
    total_pages: int
    total_results: int
    cursor: str
    next_cursor: str | None = None
    links: list[dict[str, str]]


def read_page(request: Request, settings: Settings, faults: FaultBoard, *, unknown: Sequence[str]) -> Asked:
    """Read what all listings take. Raises ``BadArgument``, also for a parameter that the sandbox does not know how to
    obey: ignoring it would answer with the wrong rows.
    """
    for name in unknown:
        if name in request.query:
            raise BadArgument(name, f"the sandbox knows no {name}")
    cursor = request.argument("cursor") or _FIRST
    listed, after = 0, START
    if cursor != _FIRST:
        for _ in faults.acting((DeadCursor,), request.method, request.path, request.body):
            raise BadArgument("cursor", "it is known no longer")
        listed, after = _decode(cursor)
    return Asked(
        cursor=cursor,
        items=whole_number(request, "count", default=settings.page_items, least=1, most=MAX_COUNT),
        after=after,
        listed=listed,
        most=whole_number(request, "maxHitsAllowed", default=_MOST_HITS, least=1, most=_MOST_HITS),
    )


def page_response(
    request: Request,
    asked: Asked,
    name: str,
    rows: Sequence[Row],
    view: Callable[[Row], object],
    *,
    ends_at: Place | None,
    total: int,
) -> Response:
    """Stream a page (``Transfer-Encoding: chunked``) that ends at that place; null for the last one. §8 [spec]

    More hits than ``maxHitsAllowed`` are cut off, from the rows and from the total. §12
    """
    listed, total = asked.listed + len(rows), min(total, asked.most)
    next_cursor = None if ends_at is None or listed >= asked.most else _encode(listed, ends_at)
    listing = Listing(
        items_per_page=asked.items,
        total_pages=-(-total // asked.items),
        total_results=total,
        cursor=asked.cursor,
        next_cursor=next_cursor,
        links=_links(request.path, next_cursor),
    )
    return Response(status=200, body=_stream(listing, name, rows, view), content_type="application/json")


def _links(path: str, next_cursor: str | None) -> list[dict[str, str]]:
    """Return the links. ``last`` is the next page, as in the example. §12 [spec]"""
    cursors = [("first", _FIRST), ("next", next_cursor), ("last", next_cursor)]
    return [
        {"href": f"{quote(path)}?cursor={quote(cursor, safe='*')}", "rel": rel, "type": "application/json"}
        for rel, cursor in cursors
        if cursor is not None
    ]


def _stream(listing: Listing, name: str, rows: Sequence[Row], view: Callable[[Row], object]) -> Iterator[bytes]:
    yield msgspec.json.encode(listing)[:-1] + f',"{name}":['.encode()
    for start in range(0, len(rows), _ROWS_PER_PIECE):
        views = [view(row) for row in rows[start : start + _ROWS_PER_PIECE]]
        yield (b"," if start else b"") + msgspec.json.encode(views)[1:-1]
    yield b"]}"


def _encode(listed: int, place: Place) -> str:
    raw = _MARK + msgspec.json.encode((listed, *place))
    return base64.b64encode(raw if len(raw) % 3 else raw + b" ").decode()


def _decode(cursor: str) -> tuple[int, Place]:
    try:
        mark, raw = base64.b64decode(cursor[:4], validate=True), base64.b64decode(cursor[4:], validate=True)
        listed, value, name = msgspec.json.decode(raw if mark == _MARK else b"", type=tuple[int, int, str])
    except (ValueError, *UNREADABLE):
        raise BadArgument("cursor", f"expected * or a nextCursor of this listing, got {cursor!r}") from None
    return listed, (value, name)
