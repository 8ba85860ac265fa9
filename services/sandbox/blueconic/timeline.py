"""Timeline events inside profile entries. blueconic.md §5.

An event is identified by (``id``, ``eventTypeId``, ``date``). A rejected event does not fail its entry. [spec]
"""

import re
import uuid
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from sandbox.blueconic import event_data
from sandbox.blueconic.event_data import Data, EventRule
from sandbox.blueconic.event_types import EventType

MAX_EVENTS = 250
MANY_HIGH = 200
MAX_LOW_BESIDE_MANY_HIGH = 50
"""Events that a profile keeps, and LOW ones once there are 200 HIGH ones. §5 [spec]; the latest stay [assumed]"""

_DAY_MS = 86_400_000
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
"""Form of a date: ``fromisoformat`` alone also accepts week dates and offsets in hours."""
Strategy = Literal["SET", "UPSERT", "UPDATE", "DELETE"]
State = Literal["CREATED", "SET", "MODIFIED", "REJECTED", "NOTFOUND", "DELETED"]


class EventEntry(msgspec.Struct, kw_only=True, rename="camel"):
    """One event as sent. An empty or absent ``date`` means now; an absent ``id`` gets a new one, an absent ``strategy``
    is ``SET``. §5 [spec], the last two [assumed]"""

    event_type_id: str | UnsetType = UNSET
    id: str = ""
    date: str = ""
    strategy: Strategy = "SET"
    identifier: str | UnsetType = UNSET
    source: str = ""
    data: list[EventRule] = []


class EventResult(msgspec.Struct, kw_only=True, rename="camel"):
    """Result of one event; ``validation_errors`` is a plain list here. §5 [spec]"""

    id: str
    identifier: str | UnsetType
    state: State
    validation_errors: list[str] | UnsetType = UNSET


class Event(msgspec.Struct, array_like=True):
    """A stored event."""

    id: str
    event_type_id: str
    date_ms: int
    source: str
    data: Data


class Written(NamedTuple):
    """An event's result, and whether it changed the profile's timeline."""

    result: EventResult
    changed: bool


class Timeline:
    """Event types of a tenant, and the rules by which a profile's events are written and kept."""

    def __init__(self, event_types: tuple[EventType, ...]) -> None:
        self._types = {event_type.id: event_type for event_type in event_types}

    def write(self, entry: EventEntry, events: list[Event], now_ms: int) -> Written:
        """Apply an entry to ``events`` in place."""
        event_type = self._types.get(entry.event_type_id or "")
        if event_type is None:
            return _rejected(entry, "#/eventTypeId: the event type does not exist")
        try:
            date_ms = _milliseconds(entry.date) if entry.date else None
        except ValueError:
            return _rejected(entry, f"#/date: expected an RFC 3339 date, found: {entry.date}")
        errors = list(event_data.problems(entry.data, event_type.properties))
        if errors:
            return _rejected(entry, *errors)
        if date_ms is None and entry.strategy == "SET":
            date_ms = now_ms
        named = [event for event in events if _is_named(event, entry, date_ms)]
        if entry.strategy == "DELETE":
            events[:] = [event for event in events if event not in named]
            return _written(entry, "DELETED" if named else "NOTFOUND", changed=bool(named))
        if entry.strategy == "SET" or (entry.strategy == "UPSERT" and not named):
            return _store(entry, event_type, events, named, now_ms if date_ms is None else date_ms)
        changes = [event_data.apply(entry.data, event.data, event_type.properties) for event in named]
        return _written(entry, "MODIFIED" if named else "NOTFOUND", changed=any(changes))

    def kept(self, events: list[Event], now_ms: int) -> list[Event]:
        """Return the events that are neither too old nor too many, by date."""
        alive = [event for event in sorted(events, key=_date) if not self._is_expired(event, now_ms)]
        low = [event for event in alive if self._is_low(event)]
        high = [event for event in alive if not self._is_low(event)][-MAX_EVENTS:]
        room = MAX_EVENTS - len(high)
        if len(high) >= MANY_HIGH:
            room = min(room, MAX_LOW_BESIDE_MANY_HIGH)
        return sorted(high + low[max(0, len(low) - room) :], key=_date)

    def _is_low(self, event: Event) -> bool:
        return self._types[event.event_type_id].priority == "LOW"

    def _is_expired(self, event: Event, now_ms: int) -> bool:
        age_ms = now_ms - event.date_ms
        return self._is_low(event) and age_ms > self._types[event.event_type_id].retention_days * _DAY_MS


def _store(entry: EventEntry, event_type: EventType, events: list[Event], named: list[Event], date_ms: int) -> Written:
    data: Data = {}
    event_data.apply(entry.data, data, event_type.properties)
    source = entry.source if entry.strategy == "SET" else ""  # Only SET may set it. §5 [client]
    event = Event(entry.id or str(uuid.uuid4()), event_type.id, date_ms, source, data)
    events[:] = [other for other in events if other not in named] + [event]
    state: State = "SET" if entry.strategy == "SET" else "CREATED"
    result = EventResult(id=event.id, identifier=entry.identifier, state=state)
    return Written(result, changed=named != [event])


def _is_named(event: Event, entry: EventEntry, date_ms: int | None) -> bool:
    """Return whether the entry names this event; without a date it names every one of its id and type. §5 [spec]"""
    same = event.id == entry.id and event.event_type_id == entry.event_type_id
    return same and date_ms in (None, event.date_ms)


def _written(entry: EventEntry, state: State, *, changed: bool) -> Written:
    return Written(EventResult(id=entry.id, identifier=entry.identifier, state=state), changed)


def _rejected(entry: EventEntry, *errors: str) -> Written:
    result = EventResult(id=entry.id, identifier=entry.identifier, state="REJECTED", validation_errors=list(errors))
    return Written(result, changed=False)


def _date(event: Event) -> int:
    return event.date_ms


def _milliseconds(date: str) -> int:
    if not _RFC_3339.fullmatch(date):
        raise ValueError(date)
    return round(datetime.fromisoformat(date.upper()).timestamp() * 1000)
