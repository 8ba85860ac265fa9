"""Reads of groups: one group, or the groups of a type in pages. blueconic.md §8."""

import msgspec

from sandbox.blueconic.arguments import BadArgument, names
from sandbox.blueconic.errors import bad_request, not_found
from sandbox.blueconic.group_table import Group, unpack
from sandbox.blueconic.groups import Groups
from sandbox.blueconic.listing import page_response, read_page
from sandbox.blueconic.property_view import PropertyView, as_views
from sandbox.blueconic.settings import Settings
from sandbox.clock import Clock, rfc3339
from sandbox.faults.board import FaultBoard
from sandbox.http.messages import Request, Response, as_json


class GroupView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A group as read. §8 [spec]"""

    id: str
    group_type_id: str
    creation_date: str
    last_modified_date: str
    properties: list[PropertyView]


class GroupReads:
    """Handlers of reads over ``Groups``."""

    def __init__(self, settings: Settings, groups: Groups, clock: Clock, faults: FaultBoard) -> None:
        self._settings = settings
        self._groups = groups
        self._clock = clock
        self._faults = faults

    def get_group(self, request: Request) -> Response:
        group_type, group_id = request.params["grouptype"], request.params["group"]
        table = self._groups.tables.get(group_type)
        packed = table.read(group_id, self._clock.now_ms()) if table else None
        if packed is None:
            return not_found(bare=self._settings.bare_not_found)
        return as_json(_view(group_type, group_id, unpack(packed), names(request, "properties")))

    def list_groups(self, request: Request) -> Response:
        group_type = request.params["grouptype"]
        table = self._groups.tables.get(group_type)
        if table is None:
            return not_found(bare=self._settings.bare_not_found)
        try:
            # The language of refinements is not in the document.
            asked = read_page(request, self._settings, self._faults, unknown=("refinement",))
        except BadArgument as error:
            return bad_request(error.field_error)
        page = table.page(asked.after, asked.size, self._clock.now_ms())
        wanted = names(request, "properties")

        def view(row: tuple[str, bytes]) -> GroupView:
            return _view(group_type, row[0], unpack(row[1]), wanted)

        return page_response(request, asked, "groups", page.groups, view, ends_at=page.ends_at, total=len(table))


def _view(group_type: str, group_id: str, group: Group, wanted: frozenset[str] | None) -> GroupView:
    return GroupView(
        id=group_id,
        group_type_id=group_type,
        creation_date=rfc3339(group.created_ms),
        last_modified_date=rfc3339(group.modified_ms),
        properties=as_views(group.values, wanted),
    )
