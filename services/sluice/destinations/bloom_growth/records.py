"""Encoding of record events as work. Facts without a section are from bloom_growth.md §14.

====================  =====================  =============================================================
operation             key                    becomes
====================  =====================  =============================================================
insert                none                   a create, which is not safe to repeat
update                the record's id        changes, safe to repeat: they end in the same state
upsert                the record's id        the same
upsert                none                   the record of that meeting, title and owner changed, else made
delete                the record's id        a delete, safe to repeat
====================  =====================  =============================================================
"""

from typing import Any

from msgspec import Raw

from sluice.destinations.bloom_growth.field_values import describe_value, read_id
from sluice.destinations.bloom_growth.fields import body_of, decode_data, nearest, read_fields
from sluice.destinations.bloom_growth.marks import MARKED, with_mark
from sluice.destinations.bloom_growth.shapes import SHAPES, Shape
from sluice.destinations.bloom_growth.titles import fold
from sluice.destinations.bloom_growth.work import Attend, Create, Delete, Score, Update, Upsert, Work, encode_work
from sluice.destinations.contract import Rejection
from sluice.events import RecordEvent
from sluice.flow.batch import Encoded

BATCH_KEY = "records"
"""All records share batches: a batch is not a request here."""


def encode_record(event: RecordEvent, *, marks: bool = False) -> Encoded:
    """Encode ``event``, a new record with its mark in its notes if ``marks`` is set. Raises ``Rejection``."""
    shape = SHAPES.get(event.object)
    if shape is None:
        raise Rejection(
            "unknown-object",
            f"expected {', '.join(SHAPES)}, got {event.object!r}{nearest(event.object, SHAPES)}",
        )
    marks = marks and event.object in MARKED
    match event.operation:
        case "insert":
            return _insert(event, shape, marks=marks)
        case "update":
            return _update(event, shape)
        case "upsert":
            return _upsert(event, shape, marks=marks)
        case "delete":
            return _delete(event, shape)
    raise Rejection(
        "unknown-operation",
        f"expected insert, update, upsert or delete, got {event.operation!r}; correct it upstream",
    )


def _insert(event: RecordEvent, shape: Shape, *, marks: bool) -> Encoded:
    if shape.insert is None:
        raise _unsupported(event)
    if event.key is not None:
        raise Rejection(
            "bad-key",
            f"expected no key for an insert, got {describe_value(event.key)}: Bloom Growth chooses ids; leave it out, "
            "and name what the records are ordered by as the message key",
        )
    values = read_fields(decode_data(event.data), shape.insert, null_is_absent=True)
    if event.object == "meeting_attendee":
        return _attend(values)
    return _unsafe(_create(event, shape, with_mark(values, event.event_id) if marks else values))


def _update(event: RecordEvent, shape: Shape) -> Encoded:
    if shape.update is None:
        raise _unsupported(event)
    key = _key(event)
    values = read_fields(decode_data(event.data), shape.update, shape.fixed, null_is_absent=False)
    if event.object == "measurable":
        score = Score(key, body_of(values, shape.update), values.get("week"))
        return _safe(("measurable", key, score.week), score)
    if not values:
        raise Rejection("no-fields", "expected at least one field to change, got none; add it upstream")
    names = tuple(field.name for field in shape.update if field.wire and field.name in values)
    update = Update(
        object=event.object,
        id=key,
        fields=body_of(values, shape.update) if names else Raw(b"null"),
        names=names,
        keeps_owner=event.object == "goal" and bool(names) and "user_id" not in values,
        complete=values.get("complete"),
        archived=values.get("archived"),
        attendees=values.get("attendees", ()),
    )
    return _safe((event.object, key), update)


def _upsert(event: RecordEvent, shape: Shape, *, marks: bool) -> Encoded:
    if event.key is not None and not isinstance(event.key, dict):
        return _update(event, shape)
    if event.object == "meeting_attendee" and event.key is None:
        return _insert(event, shape, marks=marks)
    if not shape.finds or shape.insert is None or shape.update is None:
        raise _bad_key(event)
    values = read_fields(_named_data(event), shape.insert, null_is_absent=True)
    if "meeting_id" not in values:
        raise Rejection(
            "missing-field",
            "expected the field `meeting_id` in an upsert without an id as key, as the record is looked for in its "
            "meeting's list, got none; add it, or give the record's id as key",
        )
    changes = tuple(field for field in shape.update if field.wire and field.name in values)
    dropped = tuple(name for name in shape.fixed if name in values and name not in ("meeting_id", "user_id"))
    create = _create(event, shape, with_mark(values, event.event_id) if marks else values)
    return _unsafe(create, Upsert(create, body_of(values, changes), tuple(one.name for one in changes), dropped))


def _named_data(event: RecordEvent) -> dict[str, Any]:
    """Return the data of an upsert, with the fields that its key names, such as meeting and title."""
    data = decode_data(event.data)
    for name, value in event.key.items() if isinstance(event.key, dict) else ():
        if str(data.setdefault(name, value)) != value:
            raise Rejection(
                "bad-key",
                f"expected the field `{name}` alike in key and data, got {describe_value(value)} and "
                f"{describe_value(data[name])}; name it in one of them",
            )
    return data


def _delete(event: RecordEvent, shape: Shape) -> Encoded:
    if shape.delete is None:
        raise _unsupported(event)
    key = _key(event)
    values = read_fields(decode_data(event.data), shape.delete, null_is_absent=True)
    return _safe((event.object, key), Delete(event.object, key, values.get("meeting_id")))


def _create(event: RecordEvent, shape: Shape, values: dict[str, Any]) -> Create:
    object_ = event.object
    fields = shape.insert or ()
    body = body_of(values, fields)
    adds_self = True
    if object_ == "meeting":
        # The server's own default is false, the SDK's is true. §7
        adds_self = values.get("add_self", True)
        body = Raw(bytes(body)[:-1] + (b',"addSelf":true}' if adds_self else b',"addSelf":false}'))
    return Create(
        object=object_,
        path=_create_path(object_, values.get("meeting_id")),
        body=body,
        title=values["title"],
        meeting_id=values.get("meeting_id"),
        owner_id=values.get("user_id"),
        attendees=values.get("attendees", ()),
        is_listed=adds_self,
    )


def _create_path(object_: str, meeting_id: int | None) -> str:
    """Return the path that creates. §3.1, §3.9, §3.10, §3.17, §3.18, §3.26, §8"""
    match object_:
        case "issue":
            return "issues/create"
        case "meeting":
            return "L10/create"
        case "todo":
            return "todo/create" if meeting_id is None else f"L10/{meeting_id}/todos"
        case "goal":
            return "rocks/create" if meeting_id is None else f"L10/{meeting_id}/rocks"
        case _:
            return f"L10/{meeting_id}/headlines"


def _attend(values: dict[str, Any]) -> Encoded:
    meeting_id, user_id = values["meeting_id"], values["user_id"]
    return _safe(("meeting_attendee", meeting_id, user_id), Attend(meeting_id, user_id))


def _safe(identity: tuple[object, ...], work: Work) -> Encoded:
    return Encoded(BATCH_KEY, identity, encode_work(work), replay_safe=True)


def _unsafe(create: Create, work: Work | None = None) -> Encoded:
    identity = create.object, create.meeting_id, fold(create.title)
    return Encoded(BATCH_KEY, identity, encode_work(work or create), replay_safe=False)


def _key(event: RecordEvent) -> int:
    if not isinstance(event.key, str):
        raise _bad_key(event)
    return read_id("key", event.key)


def _bad_key(event: RecordEvent) -> Rejection:
    return Rejection(
        "bad-key",
        f"expected the id of the {event.object} as key, such as '7001', got {describe_value(event.key)}; "
        "name it upstream",
    )


def _unsupported(event: RecordEvent) -> Rejection:
    return Rejection(
        "unsupported-operation",
        f"Bloom Growth has no call for {event.operation} of {event.object}{_HINTS.get(event.object, '')}",
    )


_HINTS = {
    "todo": "; an update with `complete` ends it",
    "measurable": "; expected update or upsert with the measurable's id as key",
    "meeting_attendee": "; expected insert",
}
