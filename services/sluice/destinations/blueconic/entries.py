"""From a record event to the entry that BlueConic gets. What is not marked is from blueconic.md, Mapping.

============================ ========================================== ==========================================
object                       key                                        data
============================ ========================================== ==========================================
``group/<type>``             the group's id, a string                   properties
``profile``                  the profile's id, a string; or the unique  properties
                             properties it is found by, as one mapping
                             or as alternatives
``timeline/<event type>``    the profile's key as a mapping, with       the event's properties, also nested
                             ``profileId`` for its id, and the event's
                             ``id`` and ``date``
============================ ========================================== ==========================================

A property is a value or a list of values to set, ``null`` to clear it, or one rule: ``{"add": v}``, ``{"remove": v}``,
``{"increment": n}``, ``{"set_if_empty": v}``, ``{"set": v}``; a profile's rule may name its ``restriction``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from json.encoder import encode_basestring as quoted
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from sluice.destinations.blueconic.rules import (
    MAX_REMEMBERED,
    RESTRICTIONS,
    EventRule,
    PropertyRules,
    event_rules,
    property_id,
    shown,
    text_properties,
    typed_properties,
)
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import Rejection
from sluice.events import Key, Operation, RecordEvent
from sluice.flow.batch import Encoded

GROUPS: Final = "groups"
PROFILES: Final = "profiles"

STRATEGIES: dict[Operation, str] = {"insert": "UPSERT", "upsert": "UPSERT", "update": "UPDATE", "delete": "DELETE"}
"""There is no strategy that only inserts. §3 [spec]"""
EVENT_STRATEGIES: dict[Operation, str] = {"insert": "SET", "upsert": "UPSERT", "update": "UPDATE", "delete": "DELETE"}
"""§5 [spec]"""
_START = '{"identifier":'


class Entries:
    """Encodes record events for one tenant."""

    def __init__(self, settings: BlueConicSettings) -> None:
        self._settings = settings
        self._encoders: dict[str, dict[Operation, _Encoder]] = {}

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """The entry of ``event``; it begins with ``identifier``. Raises :class:`Rejection`."""
        try:
            encoder = self._encoders[event.object][event.operation]
        except KeyError:
            encoder = self._remembered(event.object, event.operation)
        return encoder.encode(event, identifier)

    def _remembered(self, object_: str, operation: Operation) -> "_Encoder":
        if len(self._encoders) >= MAX_REMEMBERED:
            self._encoders.clear()
        encoder = self._encoder(object_, operation)
        self._encoders.setdefault(object_, {})[operation] = encoder
        return encoder

    def _encoder(self, object_: str, operation: Operation) -> "_Encoder":
        kind, _, type_ = object_.partition("/")
        if kind == "group" and type_:
            return _Groups(self._settings, type_, operation)
        if object_ == "profile":
            return _Profiles(self._settings, operation)
        if kind == "timeline" and type_:
            return _Timeline(self._settings, type_, operation)
        raise Rejection(
            "unknown-object",
            f"expected the object group/<type>, profile or timeline/<event type>, got {object_!r}; correct it upstream",
        )


class _Encoder(Protocol):
    """Encodes the events of one object and operation."""

    def encode(self, event: RecordEvent, identifier: str) -> Encoded: ...


class _Groups:
    """§3. Identity is type and id."""

    def __init__(self, settings: BlueConicSettings, type_: str, operation: Operation) -> None:
        self._type = type_
        self._deletes = operation == "delete"
        self._start = (
            f',{quoted(settings.group_type_field)}:{quoted(type_)},"strategy":"{STRATEGIES[operation]}"'
            f'{_domain(settings)},"groupId":'
        )
        self._rules = PropertyRules(settings.property_prefix.replace("{type}", type_))

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        key = event.key
        if not isinstance(key, str) or not key:
            raise Rejection("bad-key", f"expected the group's id as key, a string, got {shown(key)}; name it upstream")
        start = f"{_START}{quoted(identifier)}{self._start}{quoted(key)}"
        if self._deletes:
            return Encoded(GROUPS, (self._type, key), f"{start}}}".encode(), replay_safe=True)
        rules, repeatable = self._rules.encode(text_properties(event.data))
        return Encoded(GROUPS, (self._type, key), f'{start},"properties":[{",".join(rules)}]}}'.encode(), repeatable)


class _Profiles:
    """§4. Without a key nothing is sent: each repeat would make another profile."""

    def __init__(self, settings: BlueConicSettings, operation: Operation) -> None:
        self._operation = operation
        self._start = f',"strategy":"{STRATEGIES[operation]}"{_domain(settings)}'
        self._extras = _extras(settings)
        # An insert leaves a profile that is there already as it is.
        self._rules = PropertyRules(
            "", allowed=RESTRICTIONS, forced="NEW_PROFILES_ONLY" if operation == "insert" else None
        )

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        profile = _profile(event.key)
        start = f"{_START}{quoted(identifier)}{self._start},{profile.text}"
        if self._operation == "delete":
            return Encoded(PROFILES, profile.identity, f"{start}}}".encode(), replay_safe=True)
        properties = text_properties(event.data)
        rules, repeatable = self._rules.encode(properties)
        if self._operation != "update":
            rules += self._rules.matched(profile.alternatives, properties)
            # An insert's rules, increments too, leave alone a profile that is found again.
            repeatable = (repeatable or self._operation == "insert") and profile.found_again(properties)
        body = f'{start}{self._extras},"properties":[{",".join(rules)}]}}'.encode()
        return Encoded(PROFILES, profile.identity, body, repeatable)


class _Timeline:
    """§5: an event rides in an entry of its profile, so an event's identity in a batch is that of its profile.

    A repeat must find the event of its first attempt: an insert without an ``id`` takes the record's event id, and
    what may add an event without a ``date`` takes the time at which the record occurred. An update or delete without a
    ``date`` is sent without: it means all events of that id and type.
    """

    def __init__(self, settings: BlueConicSettings, type_: str, operation: Operation) -> None:
        self._type = type_
        self._operation = operation
        self._adds = operation in ("insert", "upsert")
        self._creates_profile = self._adds and settings.timeline_creates_profiles
        strategy = "UPSERT" if self._creates_profile else "UPDATE"
        self._start = f',"strategy":"{strategy}"{_domain(settings)}'
        self._extras = _extras(settings)
        self._rules = PropertyRules("")

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        key, names = _split_event_key(event.key)
        profile = _profile(key)
        rules = self._rules.matched(profile.alternatives, {}) if self._creates_profile else []
        properties = f',"properties":[{",".join(rules)}]' if rules else ""
        timeline = _encode(self._event(event, names, identifier)).decode()
        start = f"{_START}{quoted(identifier)}{self._start},{profile.text}{self._extras}{properties}"
        return Encoded(PROFILES, profile.identity, f'{start},"timeline":[{timeline}]}}'.encode(), replay_safe=True)

    def _event(self, event: RecordEvent, names: dict[str, str], identifier: str) -> "_Event":
        id_ = names.get("id") or (event.event_id if self._operation == "insert" else "")
        if not id_:
            raise Rejection(
                "bad-key", f"expected the event's `id` in the key, got {shown(event.key)}; name it upstream"
            )
        date = names.get("date", "")
        if date and not _is_instant(date):
            raise Rejection("bad-key", "expected the event's `date` as in 2025-01-22T11:21:33Z; correct it upstream")
        return _Event(
            eventTypeId=self._type,
            id=id_,
            date=date or (msgspec.to_builtins(event.occurred_at) if self._adds else ""),
            identifier=identifier,
            strategy=EVENT_STRATEGIES[self._operation],
            data=[] if self._operation == "delete" else event_rules(typed_properties(event.data)),
        )


class _Profile(NamedTuple):
    """Which profile an entry is about."""

    text: str
    """As it stands in the entry."""
    identity: object
    alternatives: Sequence[Mapping[str, str]]
    """The properties it is found by: one of these mappings, with all of its properties."""

    def found_again(self, properties: Mapping[str, Any]) -> bool:
        """Whether a repeat finds what the first attempt made: the properties it is found by are written as such."""
        if not self.alternatives:
            return True
        return all(
            properties.get(name, value) in (value, {"set": value}, {"set_if_empty": value})
            for name, value in self.alternatives[0].items()
        )


class _Event(msgspec.Struct, kw_only=True, omit_defaults=True):
    """§5 [spec]"""

    eventTypeId: str  # noqa: N815  # the wire's name
    id: str
    date: str = ""
    identifier: str
    strategy: str
    data: list[EventRule] = []


_encode = msgspec.json.Encoder().encode


def _profile(key: Key) -> _Profile:
    """§4: ``profileId`` for a string, ``matching`` for mappings: any of them, with all of its properties."""
    if isinstance(key, str) and key:
        return _Profile(f'"profileId":{quoted(key)}', key, ())
    alternatives = [key] if isinstance(key, dict) else key if isinstance(key, list) else []
    if not alternatives or not all(alternatives) or not all(value for one in alternatives for value in one.values()):
        raise Rejection(
            "bad-key",
            "expected a profile's id as key, or the unique properties it is found by, such as "
            f'{{"email": "jane@example.com"}}, got {shown(key)}; without one each repeat would make another profile',
        )
    matching = ",".join(
        "[" + ",".join(f'{{"id":"{property_id(name)}","value":{quoted(one[name])}}}' for name in one) + "]"
        for one in alternatives
    )
    identity = tuple(tuple(sorted(one.items())) for one in alternatives)
    return _Profile(f'"matching":[{matching}]', identity, alternatives)


def _split_event_key(key: Key) -> tuple[Key, dict[str, str]]:
    """The profile's key, and the event's ``id`` and ``date``, which stand in the first mapping."""
    if not isinstance(key, dict | list) or not key:
        return key, {}
    first, *others = [key] if isinstance(key, dict) else key
    names = {name: value for name, value in first.items() if name in ("id", "date")}
    found_by = {name: value for name, value in first.items() if name not in names}
    if "profileId" in found_by:
        # It would override the others. §4 [spec]
        if len(found_by) > 1 or others:
            raise Rejection(
                "bad-key", f"expected `profileId` or properties to find a profile by, got both: {shown(key)}"
            )
        return found_by["profileId"], names
    return [found_by, *others], names


def _is_instant(text: str) -> bool:
    """Whether ``text`` is a date and time with its zone: anything else is refused with the whole request."""
    try:
        return "T" in text and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _domain(settings: BlueConicSettings) -> str:
    return f',"domainGroup":{quoted(settings.domain_group)}' if settings.domain_group else ""


def _extras(settings: BlueConicSettings) -> str:
    """What else a profile's entry says. §4 [spec]"""
    extras = {
        "permissionLevel": settings.permission_level,
        "privacyLegislation": settings.privacy_legislation,
        "triggerOnPropertyChange": settings.trigger_on_property_change,
        "triggerOnEventAdded": settings.trigger_on_event_added,
    }
    return "".join(f",{quoted(name)}:{_encode(value).decode()}" for name, value in extras.items() if value is not None)
