"""``GET /segments/{segment}/profiles``: the profiles of a segment, in pages. blueconic.md §11."""

from sandbox.blueconic.arguments import BadArgument
from sandbox.blueconic.errors import bad_request, not_found
from sandbox.blueconic.listing import page_response, read_page
from sandbox.blueconic.profile_reads import ProfileReads, ProfileView
from sandbox.blueconic.profiles import Profiles
from sandbox.blueconic.settings import Settings
from sandbox.faults.board import FaultBoard
from sandbox.http.messages import Request, Response

_UNKNOWN = (
    "refinement",
    "audienceId",
    "autoCommit",
    "trackProperties",
    "trackPropertiesModifiedSince",
    "trackPropertyChangesInNumberOfDays",
)
"""Parameters of §11 whose language or effect the document does not give. ``audienceId`` changes state at the vendor."""


class SegmentReads:
    """Handler of the listing over ``Profiles``."""

    def __init__(self, settings: Settings, profiles: Profiles, reads: ProfileReads, faults: FaultBoard) -> None:
        self._settings = settings
        self._profiles = profiles
        self._reads = reads
        self._faults = faults

    def list_profiles(self, request: Request) -> Response:
        """Stream a page of the members as of this request [assumed], each in the shape of a single read [assumed]."""
        members = self._profiles.segments.members.get(request.params["segment"])
        if members is None:
            return not_found(bare=self._settings.bare_not_found)
        try:
            asked = read_page(request, self._settings, self._faults, unknown=_UNKNOWN)
        except BadArgument as error:
            return bad_request(error.field_error)
        found = members.after(asked.after, asked.size + 1)
        page = found[: asked.size]
        expand = [name.removeprefix("profiles.") for name in request.query.get("expand", [])]

        def view(profile_id: str) -> ProfileView:
            profile = self._profiles.table.get(profile_id)
            assert profile is not None
            return self._reads.view(request, profile_id, profile, expand)

        # Made at once: what is written while a slow reader is served is not part of this page.
        views = [view(profile_id) for _, profile_id in page]
        ends_at = page[-1] if page and len(found) > len(page) else None
        return page_response(request, asked, "profiles", views, lambda one: one, ends_at=ends_at, total=len(members))
