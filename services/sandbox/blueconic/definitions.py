"""Definitions of a tenant: group types, properties, event types, its OpenAPI document. blueconic.md §1, §8, §9."""

from collections.abc import Sequence

from sandbox.blueconic.endpoints import BASE, ENDPOINTS
from sandbox.blueconic.settings import Settings
from sandbox.http.messages import Request, Response, as_json


class Definitions:
    """Handlers over the settings. Only ``groupTypes`` has a documented body (§8 [spec]); the others follow it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def list_group_types(self, _: Request) -> Response:
        return page_of("groupTypes", list(self._settings.group_types))

    def list_properties(self, request: Request) -> Response:
        """List the properties of ``groupTypeId``, by their prefix (§3), or without it those of profiles. [assumed]"""
        group_type = request.argument("groupTypeId")
        prefixes = tuple(f"{known.id}_" for known in self._settings.group_types)
        unique = self._settings.unique_properties
        known = sorted((self._settings.defined_properties or frozenset()) | unique)
        if group_type is None:
            listed = [name for name in known if not name.startswith(prefixes)]
        else:
            listed = [name for name in known if name.startswith(f"{group_type}_")]
        found = [{"id": name, "name": name, "uniqueIdentifier": name in unique} for name in listed]
        return page_of("profileProperties", found)

    def list_event_types(self, _: Request) -> Response:
        return page_of("timelineEventTypes", list(self._settings.event_types))

    def openapi(self, _: Request) -> Response:
        """Return the endpoints with their operations, statuses and scopes. §9: a tenant serves its own definition"""
        paths: dict[str, dict[str, object]] = {}
        for endpoint in ENDPOINTS:
            paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = {
                "operationId": endpoint.operation,
                "security": [{"oauth2": [endpoint.scope]}] if endpoint.scope else [],
                "responses": {str(status): {"description": ""} for status in endpoint.statuses},
            }
        info = {"title": "BlueConic REST API v2 (sandbox)", "version": "R103"}
        return as_json({"openapi": "3.0.3", "info": info, "servers": [{"url": BASE}], "paths": paths})


def page_of(name: str, items: Sequence[object]) -> Response:
    """Return the only page of a listing that is never cut into pages."""
    paging = {"itemsPerPage": len(items), "startIndex": 0, "totalPages": 1, "totalResults": len(items)}
    return as_json({name: items, **paging})
