"""The messages that a lane writes: receipts, dead letters, retries.

A receipt is a SucceededEvent. A dead letter and a retry are the original key and value, bytes untouched, with the
reason in headers. Headers of ours are overwritten, never appended; all others pass through unchanged.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sluice.events import SLUICE_HEADER, Header, Headers, Place, SucceededEvent, encode_event
from sluice.flow.batch import Item
from sluice.flow.outcome import Fate, Outcome
from sluice.kafka.sending import Message

MAX_MESSAGE_BYTES = 1024
"""An error message is cut to this; with the other headers it stays below ``MAX_HEADER_BYTES``."""
MAX_DIGITS = 9

PER_HEADER_BYTES = 10
PER_MESSAGE_BYTES = 128
"""What Kafka adds at most: lengths, and the record batch around a message that stands alone."""


class Failure(NamedTuple):
    """Why a record is not delivered, as the headers say it."""

    fate: Fate
    code: str
    message: str
    http_status: int | None = None


def succeeded(item: Item, outcome: Outcome, batch_id: str, settled_at: datetime) -> Message:
    """The receipt of a delivered or skipped item. It carries the headers of its record."""
    event = item.event
    receipt = SucceededEvent(
        event_id=event.event_id,
        object=event.object,
        operation=event.operation,
        key=event.key,
        job_id=event.job_id,
        outcome="delivered" if outcome.fate is _DELIVERED else "skipped",
        status=outcome.code,
        record_id=outcome.record_id,
        warning=outcome.warning,
        batch_id=batch_id,
        attempt=item.attempt,
        source=item.source,
        occurred_at=event.occurred_at,
        settled_at=settled_at,
    )
    return Message(item.key, encode_event(receipt), list(item.headers))


_DELIVERED = Fate.DELIVERED


class Letter(NamedTuple):
    """A message as it came, with what is known of its history."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    source: Place
    attempt: int


def dead_letter(letter: Letter, failure: Failure, batch_id: str, now: datetime) -> Message:
    """``letter`` for the dead-letters topic."""
    return _returned(letter, failure, batch_id, now, {})


def retry(letter: Letter, failure: Failure, batch_id: str, now: datetime, not_before: datetime) -> Message:
    """``letter`` for a retry topic: its next attempt is due at ``not_before``."""
    due = {Header.ATTEMPT: str(letter.attempt + 1), Header.NOT_BEFORE: rfc3339(not_before)}
    return _returned(letter, failure, batch_id, now, due)


def message_bytes(message: Message) -> int:
    """About what ``message`` weighs in Kafka, uncompressed; never less."""
    headers_bytes = sum(len(name.encode()) + len(value or b"") + PER_HEADER_BYTES for name, value in message.headers)
    return len(message.key or b"") + len(message.value or b"") + headers_bytes + PER_MESSAGE_BYTES


def without_payload(message: Message, read_at: Place) -> Message:
    """``message`` for a topic that does not take one so large: its value is null, and a header says where it stands.

    ``read_at`` is where this message was read, which is not its first life's place when it was edited and redriven.
    """
    place = f"{read_at.topic}/{read_at.partition}/{read_at.offset}"
    return Message(message.key, None, [*message.headers, (str(Header.PAYLOAD_AT), place.encode())])


def letter_of(item: Item) -> Letter:
    """The message that ``item`` was read from."""
    return Letter(item.key, item.value, item.headers, item.source, item.attempt)


def rfc3339(instant: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _returned(letter: Letter, failure: Failure, batch_id: str, now: datetime, extra: dict[Header, str]) -> Message:
    kept = [(name, value) for name, value in letter.headers if not name.startswith(SLUICE_HEADER)]
    before = {name: value for name, value in letter.headers if name.startswith(SLUICE_HEADER) and value is not None}
    written: dict[str, str] = {
        Header.ATTEMPT: str(letter.attempt),
        Header.ERROR_CLASS: failure.fate.value,
        Header.ERROR_CODE: failure.code[:128],
        Header.ERROR_MESSAGE: failure.message,
        Header.BATCH_ID: batch_id,
        Header.SOURCE_TOPIC: letter.source.topic,
        Header.SOURCE_PARTITION: str(letter.source.partition),
        Header.SOURCE_OFFSET: str(letter.source.offset),
    }
    written.update({name.value: value for name, value in extra.items()})
    if failure.http_status is not None:
        written[Header.ERROR_HTTP_STATUS] = str(failure.http_status)
    if not batch_id:
        del written[Header.BATCH_ID]
    encoded = {name: value.encode("utf-8", "replace") for name, value in written.items()}
    encoded[Header.FIRST_FAILURE_AT] = _instant(before.get(Header.FIRST_FAILURE_AT, b"")) or rfc3339(now).encode()
    if (redrives := before.get(Header.REDRIVE_COUNT, b"")).isdigit() and len(redrives) <= MAX_DIGITS:
        encoded[Header.REDRIVE_COUNT] = redrives
    return Message(letter.key, letter.value, kept + _within_limit(encoded))


def _instant(value: bytes) -> bytes | None:
    """``value`` if it is an instant; anybody may have written the header."""
    try:
        datetime.fromisoformat(value.decode())
    except ValueError:
        return None
    return value


def _within_limit(headers: dict[str, bytes]) -> Headers:
    """``headers`` with the error message cut, between characters. All others are short: they fit in what is left."""
    message = headers[Header.ERROR_MESSAGE]
    headers[Header.ERROR_MESSAGE] = message[:MAX_MESSAGE_BYTES].decode("utf-8", "ignore").encode()
    return [(str(name), value) for name, value in headers.items()]  # aiokafka wants str itself, no subclass
