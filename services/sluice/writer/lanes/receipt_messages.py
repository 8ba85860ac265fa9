"""The messages that a lane writes: receipts, dead letters, retries.

A receipt is a SucceededEvent. A dead letter and a retry are the original key and value, bytes untouched, with the
reason in headers. Headers of ours are overwritten, never appended; all others pass through unchanged. The vendor's
words have bounds; what is too large all the same is cut in :mod:`sluice.writer.lanes.cutting`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sluice.events import NO_REFS, SLUICE_HEADER, Header, Place, SucceededEvent, encode_event
from sluice.flow.batch import Item
from sluice.flow.outcome import Fate, Outcome
from sluice.headers import header_instant, redrive_count
from sluice.kafka.sending import Message

MAX_MESSAGE_BYTES = 1024
"""An error message is cut to this; with the other headers it stays below ``MAX_HEADER_BYTES``."""
MAX_CODE_CHARS = 128
MAX_RECORD_ID_CHARS = MAX_WARNING_CHARS = 1024
MAX_REDRIVES = 999_999_999


class Failure(NamedTuple):
    """The reason why a record is not delivered, as the headers say it."""

    fate: Fate
    code: str
    message: str
    http_status: int | None = None


def succeeded(item: Item, outcome: Outcome, batch_id: str, settled_at: datetime) -> Message:
    """Return the receipt of a delivered or skipped item. It carries the headers of its record."""
    event = item.event
    receipt = SucceededEvent(
        event_id=event.event_id,
        object=event.object,
        operation=event.operation,
        key=event.key,
        job_id=event.job_id,
        outcome="delivered" if outcome.fate is _DELIVERED else "skipped",
        status=outcome.code[:MAX_CODE_CHARS],
        record_id=outcome.record_id and outcome.record_id[:MAX_RECORD_ID_CHARS],
        warning=_warning(item.encoded.warning, outcome.warning),
        batch_id=batch_id,
        attempt=item.attempt,
        source=item.source,
        occurred_at=event.occurred_at,
        settled_at=settled_at,
    )
    return Message(item.key, encode_event(receipt), list(item.headers))


_DELIVERED = Fate.DELIVERED


def _warning(ours: str | None, vendors: str | None) -> str | None:
    """Return the objection that was there before the record was sent, and then the vendor's."""
    warning = f"{ours}; {vendors}" if ours and vendors else ours or vendors
    return warning and warning[:MAX_WARNING_CHARS]


class Received(NamedTuple):
    """A message as it was read, with its record's first place and its attempts."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    source: Place
    attempt: int
    refs: Mapping[str, str] = NO_REFS


def dead_letter(received: Received, failure: Failure, batch_id: str, now: datetime) -> Message:
    """Return ``received`` as a dead letter."""
    return _with_reason(received, failure, batch_id, now, {})


def retry(
    received: Received, failure: Failure, batch_id: str, now: datetime, not_before: datetime, *, attempt: int
) -> Message:
    """Return ``received`` for a retry topic: its next attempt, which has the number ``attempt``, is due then."""
    due = {Header.ATTEMPT: str(attempt), Header.NOT_BEFORE: rfc3339(not_before)}
    return _with_reason(received, failure, batch_id, now, due)


def received_message(item: Item) -> Received:
    """Return the message that ``item`` was read from."""
    return Received(item.key, item.value, item.headers, item.source, item.attempt, item.refs)


def rfc3339(instant: datetime) -> str:
    """Return ``instant`` as RFC 3339 in UTC, to the millisecond."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _with_reason(
    received: Received, failure: Failure, batch_id: str, now: datetime, more: dict[Header, str]
) -> Message:
    headers = received.headers
    ours: dict[Header, str] = {
        Header.ATTEMPT: str(received.attempt),
        Header.ERROR_CLASS: failure.fate.value,
        Header.ERROR_CODE: failure.code[:MAX_CODE_CHARS],
        Header.ERROR_MESSAGE: failure.message,
        Header.SOURCE_TOPIC: received.source.topic,
        Header.SOURCE_PARTITION: str(received.source.partition),
        Header.SOURCE_OFFSET: str(received.source.offset),
        Header.FIRST_FAILURE_AT: rfc3339(header_instant(headers, Header.FIRST_FAILURE_AT) or now),
        **more,
    }
    if failure.http_status is not None:
        ours[Header.ERROR_HTTP_STATUS] = str(failure.http_status)
    if received.refs:
        ours[Header.REFS] = encode_event(received.refs).decode()
    if batch_id:
        ours[Header.BATCH_ID] = batch_id
    if redrives := redrive_count(headers):
        ours[Header.REDRIVE_COUNT] = str(min(redrives, MAX_REDRIVES))
    encoded = {name: value.encode("utf-8", "replace") for name, value in ours.items()}
    # All others are short, so that the message fits in what is left; cut between characters.
    message = encoded[Header.ERROR_MESSAGE][:MAX_MESSAGE_BYTES]
    encoded[Header.ERROR_MESSAGE] = message.decode("utf-8", "ignore").encode()
    kept = [(name, value) for name, value in headers if not name.startswith(SLUICE_HEADER)]
    return Message(received.key, received.value, [*kept, *((str(name), value) for name, value in encoded.items())])
