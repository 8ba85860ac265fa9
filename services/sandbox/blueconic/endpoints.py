"""Table of the endpoints of blueconic.md §1 and §11, from which the routes and the tenant's own definition are made."""

from typing import NamedTuple

BASE = "/rest/v2"


class Endpoint(NamedTuple):
    """One row: a method and path, its operation, the scope that its token needs, the statuses that it declares."""

    method: str
    path: str
    operation: str
    scope: str | None
    statuses: tuple[int, ...]


_BULK = (200, 400, 401, 403, 413, 429, 503)

ENDPOINTS = (
    Endpoint("POST", "/oauth/token", "getToken", None, (200, 400, 401, 503)),
    Endpoint("POST", "/oauth/revoke", "revokeToken", None, (200, 400, 401, 503)),
    Endpoint("GET", "/oauth/authorize", "startAuthorizationCodeFlow", None, (302, 303, 400, 503)),
    Endpoint("PUT", "/groups", "createUpdateDeleteGroups", "write:groups", _BULK),
    Endpoint("GET", "/groups/{grouptype}/{group}", "getOneGroupOfGroupType", "read:groups", (200, 401, 404, 408, 503)),
    Endpoint("GET", "/groups/{grouptype}", "getAllGroupsByGroupType", "read:groups", (200, 400, 401, 404, 503)),
    Endpoint("PUT", "/profiles", "createUpdateDeleteProfiles", "write:profiles", _BULK),
    Endpoint("GET", "/profiles/{profileId}", "getOneProfile", "read:profiles", (200, 401, 404, 408, 503)),
    Endpoint("GET", "/profiles", "searchProfiles", "read:profiles", (200, 400, 401, 408, 501, 503)),
    # §11 names no operation: [assumed].
    Endpoint(
        "GET", "/segments/{segment}/profiles", "getAllProfilesOfSegment", "read:segments", (200, 400, 401, 404, 503)
    ),
    Endpoint("GET", "/profileProperties", "getAllProfileOrGroupProperties", "read:profile-properties", (200, 401, 503)),
    Endpoint("GET", "/timelineEventTypes", "getTimelineEventTypes", "read:timeline-event-types", (200, 401, 403, 503)),
    Endpoint("GET", "/groupTypes", "getAllGroupTypes", "read:group-types", (200, 401, 503)),
)

ALL_SCOPES = frozenset(endpoint.scope for endpoint in ENDPOINTS if endpoint.scope)
