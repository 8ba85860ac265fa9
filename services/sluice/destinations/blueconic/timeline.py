"""Entries of ``PUT /profiles`` that write one timeline event. §5"""

from json.encoder import encode_basestring as quoted
from typing import Any

import msgspec

from sluice.destinations.blueconic.entry_fields import IDENTIFIER, MARK, PROFILE_FIELDS, EntryFields
from sluice.destinations.blueconic.profiles import PROFILES, profile_key
from sluice.destinations.blueconic.rules import (
    EventRule,
    PropertyRules,
    describe_value,
    event_rules,
    instant_of,
    reject_value,
    typed_properties,
)
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import Rejection
from sluice.events import Key, Operation, RecordEvent
from sluice.flow.batch import Encoded

EVENT_STRATEGIES: dict[Operation, str] = {"insert": "SET", "upsert": "UPSERT", "update": "UPDATE", "delete": "DELETE"}
"""§5 [spec]"""
SOURCE = f"{MARK}source"
"""The name of an event's source in the data of an insert: only ``SET`` may set it. §5 [client]"""


class TimelineEncoder:
    """Encoder for timeline events of one type.

    An event is part of an entry for its profile, so its identity in a batch is that of its profile.

    A repeat must find the event of its first attempt: an insert without an ``id`` takes the record's event id, and an
    insert or upsert without a ``date`` takes the time at which the record occurred. An update or delete without a
    ``date`` is sent without one: it means all events of that id and type.
    """

    def __init__(self, settings: BlueConicSettings, type_: str, operation: Operation) -> None:
        self._type = type_
        self._operation = operation
        self._adds = operation in ("insert", "upsert")
        self._creates_profile = self._adds and settings.timeline_creates_profiles
        self._start = f',"strategy":"{"UPSERT" if self._creates_profile else "UPDATE"}",'
        self._fields = EntryFields(settings, PROFILE_FIELDS)
        self._rules = PropertyRules("")

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """Encode ``event``. Raises ``Rejection``."""
        key, names = _split_event_key(event.key)
        profile = profile_key(key)
        rules = self._rules.matching_rules(profile.alternatives, {}) if self._creates_profile else []
        properties = f',"properties":[{",".join(rules)}]' if rules else ""
        data = typed_properties(event.data)
        source = data.pop(SOURCE, None) if self._operation == "insert" else None
        fields = self._fields.encode(data)
        timeline = msgspec.json.encode(self._event(event, names, identifier, data, source)).decode()
        start = f"{IDENTIFIER}{quoted(identifier)}{self._start}{profile.field}{fields}{properties}"
        return Encoded(PROFILES, profile.identity, f'{start},"timeline":[{timeline}]}}'.encode(), replay_safe=True)

    def _event(
        self, event: RecordEvent, names: dict[str, str], identifier: str, data: dict[str, Any], source: object
    ) -> "_Event":
        id_ = names.get("id") or (event.event_id if self._operation == "insert" else "")
        if not id_:
            raise Rejection(
                "bad-key", f"expected the event's `id` in the key, got {describe_value(event.key)}; name it upstream"
            )
        date = names.get("date", "")
        if date and instant_of(date) is None:
            # For any other text the whole request is refused. §7 [assumed]
            raise Rejection("bad-key", "expected the event's `date` as in 2025-01-22T11:21:33Z; correct it upstream")
        if not isinstance(source, str | None):
            reject_value(SOURCE, "a text", source)
        return _Event(
            eventTypeId=self._type,
            id=id_,
            date=date or (msgspec.to_builtins(event.occurred_at) if self._adds else ""),
            identifier=identifier,
            strategy=EVENT_STRATEGIES[self._operation],
            source=source or "",
            data=[] if self._operation == "delete" else event_rules(data),
        )


class _Event(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An element of ``timeline``. §5 [spec]"""

    eventTypeId: str  # noqa: N815  # the wire's name
    id: str
    date: str = ""
    identifier: str
    strategy: str
    source: str = ""
    data: list[EventRule] = []


def _split_event_key(key: Key) -> tuple[Key, dict[str, str]]:
    """Return the profile's key, and the event's ``id`` and ``date`` from the first mapping."""
    if not isinstance(key, dict | list) or not key:
        return key, {}
    first, *others = [key] if isinstance(key, dict) else key
    names = {name: value for name, value in first.items() if name in ("id", "date")}
    found_by = {name: value for name, value in first.items() if name not in names}
    if "profileId" in found_by:
        # BlueConic would ignore the other properties. §4 [spec]
        if len(found_by) > 1 or others:
            got = describe_value(key)
            raise Rejection("bad-key", f"expected `profileId` or properties to find a profile by, got both: {got}")
        return found_by["profileId"], names
    return [found_by, *others], names
