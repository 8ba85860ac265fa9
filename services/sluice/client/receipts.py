"""The receipt of a record as its consumer sees it: succeeded, or a dead letter with the reason."""

from datetime import UTC, datetime

import msgspec

from sluice.events import (
    SLUICE_HEADER,
    TRACEPARENT,
    CutPart,
    Header,
    Headers,
    KafkaRecord,
    Place,
    RecordEvent,
    SucceededEvent,
    decode_record,
    decode_succeeded,
    place_of,
)
from sluice.headers import (
    cut_parts,
    header_instant,
    header_number,
    header_text,
    original_place,
    redrive_count,
    refs_of,
    source_of,
)


class Succeeded(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt of a record that the vendor has taken, or had no need to take."""

    place: Place
    """Topic, partition and offset of the receipt."""
    written_at: datetime
    traceparent: str | None
    """The record's own trace context, in W3C's form."""
    event: SucceededEvent
    cut: tuple[CutPart, ...] = ()
    """Parts that were too large for the topic."""
    original_at: Place | None = None
    """The place of the message that has these parts."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt of a record that was given up: the record as it was published, and the reason.

    The reason comes from headers; a header that is missing or makes no sense is ``None`` or empty here.
    """

    place: Place
    """Topic, partition and offset of the dead letter."""
    written_at: datetime
    traceparent: str | None
    key: bytes | None
    """The message key."""
    value: bytes | None
    """The bytes that were published; ``None`` also where they were cut."""
    headers: Headers
    """The headers that its publisher gave it."""
    event: RecordEvent | None
    """``value`` decoded; ``None`` where it is no record event."""
    error_class: str
    """``rejected``; ``ambiguous``, for what may have been applied; ``retryable``, for what was tried too often; or
    ``cancelled``, for what somebody has ended before it was applied."""
    code: str
    """The vendor's own word, such as ``UNKNOWN_FIELD``."""
    message: str
    http_status: int | None
    attempt: int
    """The attempt that was the last, from 1."""
    batch_id: str | None
    source: Place | None
    """The record's place when it was published first."""
    first_failure_at: datetime | None
    redrive_count: int
    """Times the record had been redriven before."""
    refs: dict[str, str] = {}
    """What was made of it at the vendor, by name: a redrive continues it."""
    cut: tuple[CutPart, ...] = ()
    """Parts that were too large for the topic: they are ``None`` or missing here."""
    original_at: Place | None = None
    """The place of the message that has these parts."""


Receipt = Succeeded | DeadLetter


def read_succeeded(message: KafkaRecord) -> Succeeded:
    """Read a message of the succeeded topic. Raises ``msgspec.DecodeError`` and ``UnicodeDecodeError``."""
    return Succeeded(
        place=place_of(message),
        written_at=_written_at(message),
        traceparent=header_text(message.headers, TRACEPARENT),
        event=decode_succeeded(message.value or b""),
        cut=cut_parts(message.headers),
        original_at=original_place(message.headers),
    )


def read_dead_letter(message: KafkaRecord) -> DeadLetter:
    """Read a message of the dead-letters topic. Any message is a dead letter, whatever its bytes and headers."""
    headers = message.headers
    return DeadLetter(
        place=place_of(message),
        written_at=_written_at(message),
        traceparent=header_text(headers, TRACEPARENT),
        key=message.key,
        value=message.value,
        headers=[header for header in headers if not header[0].startswith(SLUICE_HEADER)],
        event=_record_event(message.value),
        error_class=header_text(headers, Header.ERROR_CLASS) or "",
        code=header_text(headers, Header.ERROR_CODE) or "",
        message=header_text(headers, Header.ERROR_MESSAGE) or "",
        http_status=header_number(headers, Header.ERROR_HTTP_STATUS),
        attempt=header_number(headers, Header.ATTEMPT) or 1,
        batch_id=header_text(headers, Header.BATCH_ID),
        source=source_of(headers),
        first_failure_at=header_instant(headers, Header.FIRST_FAILURE_AT),
        redrive_count=redrive_count(headers),
        refs=dict(refs_of(headers)),
        cut=cut_parts(headers),
        original_at=original_place(headers),
    )


def _written_at(message: KafkaRecord) -> datetime:
    """Return when it was written; a time that no calendar has, which its publisher chose, is cut to one."""
    return datetime.fromtimestamp(min(max(message.timestamp / 1000, _FIRST_S), _LAST_S), UTC)


_FIRST_S, _LAST_S = datetime(1, 1, 2, tzinfo=UTC).timestamp(), datetime(9999, 12, 30, tzinfo=UTC).timestamp()


def _record_event(value: bytes | None) -> RecordEvent | None:
    try:
        return decode_record(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
