"""Reads of profiles: one profile with its timeline, and the search by unique properties. blueconic.md §8."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from sandbox.blueconic.arguments import names
from sandbox.blueconic.definitions import page_of
from sandbox.blueconic.errors import FieldError, bad_request, not_found
from sandbox.blueconic.profile_table import Profile
from sandbox.blueconic.profiles import Profiles
from sandbox.blueconic.property_view import PropertyView, as_views
from sandbox.blueconic.settings import Settings
from sandbox.blueconic.timeline import Event
from sandbox.clock import Clock, rfc3339
from sandbox.http.messages import Request, Response, as_json

_EVENT_COUNT = 20
"""Default of ``eventCount``. §8 [spec]"""


class EventView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An event as read: the fields that it was written with and ``source`` (§5 [spec]); their nesting is [assumed]."""

    id: str
    event_type_id: str
    date: str
    source: str
    data: list[dict[str, Any]]


class ProfileView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A profile as read. §8 [spec]; ``replacedBy`` belongs to merges, which the sandbox does not do."""

    id: str
    creation_date: str
    consented_objectives: list[str]
    refused_objectives: list[str]
    permissions: dict[str, Any]
    properties: list[PropertyView]
    events: list[EventView] | UnsetType
    segments: list[dict[str, str]] | UnsetType
    replaces: list[str]


class ProfileReads:
    """Handlers of reads over ``Profiles``."""

    def __init__(self, settings: Settings, profiles: Profiles, clock: Clock) -> None:
        self._settings = settings
        self._profiles = profiles
        self._clock = clock

    def get_profile(self, request: Request) -> Response:
        """Return one profile. No 400 is declared here: an invalid filter is ignored. [assumed]"""
        profile_id = request.params["profileId"]
        profile = self._profiles.table.get(profile_id)
        if profile is None:
            return not_found(bare=self._settings.bare_not_found)
        return as_json(self.view(request, profile_id, profile, request.query.get("expand", [])))

    def view(self, request: Request, profile_id: str, profile: Profile, expand: list[str]) -> ProfileView:
        """Return a profile with what ``expand`` names, limited to the properties and events that the request names."""
        wanted = names(request, "profileProperty") or names(request, "properties")
        segments = [{"id": name} for name in self._profiles.segments.of(profile_id, profile.values)]
        return ProfileView(
            id=profile_id,
            creation_date=rfc3339(profile.created_ms),
            consented_objectives=profile.values.get("consented_objectives", []),
            refused_objectives=profile.values.get("refused_objectives", []),
            permissions=_permissions(profile, expand),
            properties=as_views(profile.values, wanted),
            events=self._events(request, profile) if "profile.timeline" in expand else UNSET,
            segments=segments if "profile.segments" in expand else UNSET,
            replaces=[],
        )

    def search(self, request: Request) -> Response:
        """Find profiles by all pairs of ``property`` and ``value`` [assumed]; 501 if one is not unique [spec]."""
        properties, values = request.query.get("property", []), request.query.get("value", [])
        if not properties or len(properties) != len(values):
            problem = f"expected a value for each property, got {len(properties)} and {len(values)}"
            return bad_request(FieldError(field="property", message=problem))
        if not self._settings.unique_properties.issuperset(properties):
            return Response(status=501)
        found = self._profiles.table.find(list(zip(properties, values, strict=True)))
        return page_of("profiles", [{"id": profile_id} for profile_id in found])

    def _events(self, request: Request, profile: Profile) -> list[EventView]:
        """Return the latest events that match, newest first [assumed order]."""
        kinds, shown = names(request, "eventTypeId"), names(request, "eventProperty")
        since, until = _instant(request, "fromDate"), _instant(request, "toDate")
        fitting = [
            event
            for event in self._profiles.timeline.kept(profile.events, self._clock.now_ms())
            if (kinds is None or event.event_type_id in kinds)
            and (since is None or event.date_ms >= since)
            and (until is None or event.date_ms <= until)
        ]
        return [_event_view(event, shown) for event in reversed(fitting)][: _event_count(request)]


def _permissions(profile: Profile, expand: list[str]) -> dict[str, Any]:
    exceptions: dict[str, list[str]] = {"exceptions": []} if "profile.permissions.exceptions" in expand else {}
    return {"level": profile.permission_level, **exceptions}


def _event_view(event: Event, shown: frozenset[str] | None) -> EventView:
    data = [_data_view(name, values) for name, values in event.data.items() if shown is None or name in shown]
    return EventView(
        id=event.id, event_type_id=event.event_type_id, date=rfc3339(event.date_ms), source=event.source, data=data
    )


def _data_view(name: str, values: list[Any]) -> dict[str, Any]:
    """Return the values as strings, as all reads do. §8 [spec]"""
    return {"id": name, "values": [_value_view(value) for value in values]}


def _value_view(value: Any) -> Any:
    if isinstance(value, dict):
        return [_data_view(name, values) for name, values in value.items()]
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _event_count(request: Request) -> int:
    text = request.argument("eventCount") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else _EVENT_COUNT


def _instant(request: Request, name: str) -> int | None:
    try:
        instant = datetime.fromisoformat(request.argument(name) or "")
    except ValueError:
        return None
    return round(instant.timestamp() * 1000)
