"""Reads of groups: one group, or the groups of a type in pages. blueconic.md §8."""

from collections.abc import Iterator

import msgspec

from sandbox.blueconic.arguments import BadArgument, names, whole_number
from sandbox.blueconic.endpoints import BASE
from sandbox.blueconic.errors import bad_request, not_found
from sandbox.blueconic.group_table import Group, Page, unpack
from sandbox.blueconic.groups import Groups
from sandbox.blueconic.property_view import PropertyView, as_views
from sandbox.blueconic.settings import Settings
from sandbox.clock import Clock, rfc3339
from sandbox.http.messages import Request, Response, as_json

MAX_COUNT = 1_000_000
"""The largest ``count`` of a listing. §6 [spec]"""

_GROUPS_PER_PIECE = 500
_FIRST = "*"


class GroupView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A group as read. §8 [spec]"""

    id: str
    group_type_id: str
    creation_date: str
    last_modified_date: str
    properties: list[PropertyView]


class Listing(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Fields of a page before its groups; ``next_cursor`` is absent on the last page. §8 [spec]"""

    items_per_page: int
    total_pages: int
    total_results: int
    cursor: str
    next_cursor: str | None = None
    links: list[dict[str, str]]


class GroupReads:
    """Handlers of reads over ``Groups``."""

    def __init__(self, settings: Settings, groups: Groups, clock: Clock) -> None:
        self._settings = settings
        self._groups = groups
        self._clock = clock

    def get_group(self, request: Request) -> Response:
        group_type, group_id = request.params["grouptype"], request.params["group"]
        table = self._groups.tables.get(group_type)
        packed = table.read(group_id, self._clock.now_ms()) if table else None
        if packed is None:
            return not_found(bare=self._settings.bare_not_found)
        return as_json(_view(group_type, group_id, unpack(packed), names(request, "properties")))

    def list_groups(self, request: Request) -> Response:
        """Stream a page (``Transfer-Encoding: chunked``). §8 [spec]"""
        group_type = request.params["grouptype"]
        table = self._groups.tables.get(group_type)
        if table is None:
            return not_found(bare=self._settings.bare_not_found)
        try:
            count = whole_number(request, "count", default=self._settings.page_items, least=1, most=MAX_COUNT)
            start = _serial(request)
            _refuse_refinement(request)
            _refuse_too_many_hits(request, len(table))
        except BadArgument as error:
            return bad_request(error.field_error)
        page = table.page(start, count, self._clock.now_ms())
        listing = _listing(request, group_type, page, count, len(table))
        body = _stream(listing, group_type, page, names(request, "properties"))
        return Response(status=200, body=body, content_type="application/json")


def _serial(request: Request) -> int:
    cursor = request.argument("cursor") or _FIRST
    if cursor == _FIRST:
        return 0
    try:
        return int(cursor, 16)
    except ValueError:
        raise BadArgument("cursor", f"expected * or a nextCursor of this listing, got {cursor!r}") from None


def _refuse_refinement(request: Request) -> None:
    """Refuse any filter: its language is not in the document, and ignoring it would return the wrong groups."""
    if "refinement" in request.query:
        raise BadArgument("refinement", "the sandbox does not know refinements")


def _refuse_too_many_hits(request: Request, hits: int) -> None:
    """Refuse more hits than ``maxHitsAllowed``. R100+; §8 names it without its meaning. [assumed: a 400]"""
    if hits > whole_number(request, "maxHitsAllowed", default=hits, least=1, most=MAX_COUNT):
        raise BadArgument("maxHitsAllowed", f"{hits} groups match")


def _listing(request: Request, group_type: str, page: Page, count: int, total: int) -> Listing:
    cursor = request.argument("cursor") or _FIRST
    next_cursor = None if page.next_serial is None else f"{page.next_serial:x}"
    path = f"{BASE}/groups/{group_type}"
    links = [{"href": f"{path}?cursor={cursor}", "rel": "self", "type": "application/json"}]
    if next_cursor is not None:
        links.append({"href": f"{path}?cursor={next_cursor}", "rel": "next", "type": "application/json"})
    return Listing(
        items_per_page=count,
        total_pages=-(-total // count),
        total_results=total,
        cursor=cursor,
        next_cursor=next_cursor,
        links=links,
    )


def _stream(listing: Listing, group_type: str, page: Page, wanted: frozenset[str] | None) -> Iterator[bytes]:
    yield msgspec.json.encode(listing)[:-1] + b',"groups":['
    for start in range(0, len(page.groups), _GROUPS_PER_PIECE):
        groups = page.groups[start : start + _GROUPS_PER_PIECE]
        views = [_view(group_type, group_id, unpack(packed), wanted) for group_id, packed in groups]
        yield (b"," if start else b"") + msgspec.json.encode(views)[1:-1]
    yield b"]}"


def _view(group_type: str, group_id: str, group: Group, wanted: frozenset[str] | None) -> GroupView:
    return GroupView(
        id=group_id,
        group_type_id=group_type,
        creation_date=rfc3339(group.created_ms),
        last_modified_date=rfc3339(group.modified_ms),
        properties=as_views(group.values, wanted),
    )
