"""A record's receipt as its consumer sees it: succeeded, or a dead letter with the reason."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from sluice.events import (
    SLUICE_HEADER,
    TRACEPARENT,
    Header,
    Headers,
    KafkaRecord,
    Place,
    RecordEvent,
    SucceededEvent,
    decode_record,
    decode_succeeded,
)


class Succeeded(msgspec.Struct, frozen=True, kw_only=True):
    """A record that the vendor has taken, or had no need to take."""

    place: Place
    written_at: datetime
    traceparent: str | None
    """The record's own trace context, as W3C writes it."""
    event: SucceededEvent


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was given up, as it was published, and why. What no header says is ``None`` or empty."""

    place: Place
    written_at: datetime
    traceparent: str | None
    key: bytes | None
    value: bytes | None
    headers: Headers
    """Those that its publisher gave it."""
    event: RecordEvent | None
    """``value`` decoded; ``None`` where it is no record event."""
    error_class: str
    """``rejected``, ``ambiguous``, or ``retryable`` for what was tried too often."""
    code: str
    """The vendor's own word."""
    message: str
    http_status: int | None
    attempt: int
    batch_id: str | None
    source: Place | None
    """Where the record stood when it was published."""
    first_failure_at: datetime | None
    redrive_count: int


Receipt = Succeeded | DeadLetter


def read_succeeded(message: KafkaRecord) -> Succeeded:
    """Raises ``msgspec.DecodeError`` and ``UnicodeDecodeError`` for what is no SucceededEvent."""
    return Succeeded(
        place=_place(message),
        written_at=_written_at(message),
        traceparent=_text(message.headers, TRACEPARENT),
        event=decode_succeeded(message.value or b""),
    )


def read_dead_letter(message: KafkaRecord) -> DeadLetter:
    """Any message is one: headers that make no sense, which anybody may have written, are as good as none."""
    ours = {name: _decoded(value) for name, value in message.headers if name.startswith(SLUICE_HEADER)}
    return DeadLetter(
        place=_place(message),
        written_at=_written_at(message),
        traceparent=_text(message.headers, TRACEPARENT),
        key=message.key,
        value=message.value,
        headers=[header for header in message.headers if not header[0].startswith(SLUICE_HEADER)],
        event=_record_event(message.value),
        error_class=ours.get(Header.ERROR_CLASS, ""),
        code=ours.get(Header.ERROR_CODE, ""),
        message=ours.get(Header.ERROR_MESSAGE, ""),
        http_status=_number(ours, Header.ERROR_HTTP_STATUS),
        attempt=_number(ours, Header.ATTEMPT) or 1,
        batch_id=ours.get(Header.BATCH_ID),
        source=_source(ours),
        first_failure_at=_instant(ours.get(Header.FIRST_FAILURE_AT)),
        redrive_count=_number(ours, Header.REDRIVE_COUNT) or 0,
    )


def _place(message: KafkaRecord) -> Place:
    return Place(topic=message.topic, partition=message.partition, offset=message.offset)


def _written_at(message: KafkaRecord) -> datetime:
    return datetime.fromtimestamp(message.timestamp / 1000, UTC)


def _text(headers: Sequence[tuple[str, bytes]], name: str) -> str | None:
    for header, value in headers:
        if header == name:
            return _decoded(value)
    return None


def _decoded(value: bytes | None) -> str:
    """A header's value may be null, or anything."""
    return (value or b"").decode("utf-8", "replace")


def _record_event(value: bytes | None) -> RecordEvent | None:
    try:
        return decode_record(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _number(headers: dict[str, str], name: Header) -> int | None:
    try:
        return int(headers[name])
    except (KeyError, ValueError):
        return None


def _source(headers: dict[str, str]) -> Place | None:
    partition, offset = _number(headers, Header.SOURCE_PARTITION), _number(headers, Header.SOURCE_OFFSET)
    if partition is None or offset is None or Header.SOURCE_TOPIC not in headers:
        return None
    return Place(topic=headers[Header.SOURCE_TOPIC], partition=partition, offset=offset)


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None
