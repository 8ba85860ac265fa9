"""The tenant: its handlers by endpoint, and the behaviour that all endpoints share. blueconic.md §1."""

from collections.abc import Sequence

import msgspec

from sandbox.blueconic.authorization_code import AuthorizationCode
from sandbox.blueconic.bulk import bulk_endpoint
from sandbox.blueconic.definitions import Definitions
from sandbox.blueconic.endpoints import BASE, ENDPOINTS, Endpoint
from sandbox.blueconic.faults import DeadCursor, ReadLag
from sandbox.blueconic.group_reads import GroupReads
from sandbox.blueconic.groups import GroupEntry, Groups
from sandbox.blueconic.oauth import OAuth
from sandbox.blueconic.profile_entry import ProfileEntry
from sandbox.blueconic.profile_reads import ProfileReads
from sandbox.blueconic.profiles import Profiles
from sandbox.blueconic.segment_reads import SegmentReads
from sandbox.blueconic.settings import Settings
from sandbox.blueconic.tokens import Tokens
from sandbox.http.messages import Answer, BulkResponse, Handler, Request, Response, gzipped
from sandbox.http.routing import Pool, Route
from sandbox.ledger.ledger import Ledger
from sandbox.vendor import Vendor

MAX_BODY_BYTES = 64 * 2**20
"""Least number of bytes of a body that are kept. [assumed]"""


class BlueConic(Vendor):
    """One tenant of BlueConic, empty but for its group types."""

    name = "blueconic"
    fault_kinds = (ReadLag, DeadCursor)

    def __init__(self, settings: Settings | None = None, *, ledger: Ledger | None = None) -> None:
        super().__init__(ledger)
        self.settings = settings or Settings()
        # Only the beginning of a larger body is read, which is invalid JSON: a 400, or a 413 if a proxy's limit is set.
        self.max_body_bytes = max(MAX_BODY_BYTES, (self.settings.max_body_bytes or 0) + 1)
        self._tokens = Tokens(self.clock, self.settings.token_lifetime_s)
        self._codes = AuthorizationCode(self.settings, self._tokens, self.clock)
        self._groups = Groups(self.settings, self.clock, self.ledger, self.faults)
        self._profiles = Profiles(self.settings, self.clock, self.ledger)
        self.routes: Sequence[Route] = self._make_routes()

    def unrouted(self, allowed: tuple[str, ...]) -> Response:
        """Answer 404 for an unknown path, 405 for another method of a known one. [assumed, RFC 9110]"""
        if not allowed:
            return Response(status=404)
        return Response(status=405, headers=(("allow", ", ".join(allowed)),))

    def expire_tokens(self) -> int:
        return self._tokens.expire_all()

    def state(self) -> dict[str, object]:
        groups = {name: len(table) for name, table in self._groups.tables.items()}
        return {"groups": groups, "profiles": len(self._profiles.table), "tokens": len(self._tokens)}

    def reset(self) -> None:
        self._tokens.clear()
        self._codes.clear()
        self._groups.clear()
        self._profiles.clear()

    def _make_routes(self) -> list[Route]:
        """Make the routes. The bulk calls share one concurrency limit. §6 [spec], its size [assumed]"""
        bulk = Pool("bulk", max_concurrent=self.settings.max_concurrent, refusal=self._too_many())
        handlers = self._make_handlers()
        routes = []
        for endpoint in ENDPOINTS:
            handler = self._checked(endpoint, handlers[endpoint.operation])
            pool = bulk if endpoint.method == "PUT" else None
            routes.append(Route(endpoint.method, BASE + endpoint.path, handler, pool))
        return [*routes, Route("GET", f"{BASE}/openapi.json", Definitions(self.settings).openapi)]

    def _make_handlers(self) -> dict[str, Handler]:
        codes = self._codes
        grants = {"authorization_code": codes.grant_code, "refresh_token": codes.grant_refresh}
        oauth = OAuth(self.settings, self._tokens, grants)
        definitions = Definitions(self.settings)
        groups = GroupReads(self.settings, self._groups, self.clock, self.faults)
        profiles = ProfileReads(self.settings, self._profiles, self.clock)
        segments = SegmentReads(self.settings, self._profiles, profiles, self.faults)
        return {
            "getToken": oauth.token,
            "revokeToken": oauth.revoke,
            "startAuthorizationCodeFlow": codes.authorize,
            "createUpdateDeleteGroups": self._refuse_when_full(
                bulk_endpoint(GroupEntry, self._groups.write, self.settings, self.ledger)
            ),
            "getOneGroupOfGroupType": groups.get_group,
            "getAllGroupsByGroupType": groups.list_groups,
            "getAllGroupTypes": definitions.list_group_types,
            "createUpdateDeleteProfiles": self._refuse_when_full(
                bulk_endpoint(ProfileEntry, self._profiles.write, self.settings, self.ledger)
            ),
            "getOneProfile": profiles.get_profile,
            "searchProfiles": profiles.search,
            "getAllProfilesOfSegment": segments.list_profiles,
            "getAllProfileOrGroupProperties": definitions.list_properties,
            "getTimelineEventTypes": definitions.list_event_types,
        }

    def _refuse_when_full(self, answer: Handler) -> Handler:
        def answer_unless_full(request: Request) -> Answer:
            stored = len(self._profiles.table) + sum(map(len, self._groups.tables.values()))
            return answer(request) if stored < self.settings.max_stored else Response(status=503)

        return answer_unless_full

    def _too_many(self) -> Response:
        """Return the 429. ``Retry-After`` is not documented, so it is sent only when configured. §7 [assumed]"""
        seconds = self.settings.retry_after_s
        return Response(status=429, headers=() if seconds is None else (("retry-after", str(seconds)),))

    def _checked(self, endpoint: Endpoint, answer: Handler) -> Handler:
        """Add the token check before a handler, and ``prettyPrint`` and gzip after it."""
        missing_scope_status = 403 if 403 in endpoint.statuses else 401

        def checked(request: Request) -> Answer:
            if endpoint.scope is not None:
                refused = self._tokens.refuse(request, endpoint.scope, missing_scope_status=missing_scope_status)
                if refused is not None:
                    return refused
            answered = answer(request)
            if not isinstance(answered, BulkResponse):
                return _indented(request, answered)
            render = answered.render
            return msgspec.structs.replace(
                answered, render=lambda items: _gzipped(request, _indented(request, render(items)))
            )

        return checked


def _indented(request: Request, response: Response) -> Response:
    """Indent the answer of any endpoint for ``prettyPrint=true``. §3 [spec]"""
    if request.argument("prettyPrint") != "true" or response.content_type != "application/json":
        return response
    body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
    return msgspec.structs.replace(response, body=msgspec.json.format(body, indent=2))


def _gzipped(request: Request, response: Response) -> Response:
    """Compress the answer of a bulk call for a client that accepts gzip. §3 [spec]"""
    return gzipped(response) if request.accepts_gzip else response
