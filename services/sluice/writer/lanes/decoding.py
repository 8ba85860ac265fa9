"""Decodes Kafka messages to items, or says why a message can be none."""

from typing import NamedTuple

import msgspec

from sluice.destinations.contract import Account, Rejection
from sluice.events import SLUICE_HEADER, TRACEPARENT, Header, KafkaRecord, Place, RecordEvent, decode_record, place_of
from sluice.flow.batch import Encoded, Item
from sluice.flow.table_header import table_bytes
from sluice.headers import header_number, source_of
from sluice.kafka.bounded_consumer import HEADER_BYTES
from sluice.records import ordering_key
from sluice.telemetry.traceparent import is_sampled
from sluice.writer.lanes.held_bytes import item_bytes

RECORDS = 0
"""The number of the records topic among a lane's input topics; 1 is the first retry topic."""
_UNSENDABLE = Encoded("", None, b"", replay_safe=False)
MAX_ATTEMPTS = 1_000_000
"""Bound on the attempts that a header may claim: anybody may have written it."""


class Undecodable(Exception):
    """A message that can be no item: it becomes a dead letter with its bytes untouched."""

    def __init__(self, code: str, message: str, event: RecordEvent | None = None) -> None:
        """``event`` is the decoded event, where the message is one that cannot be sent."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.event = event


class Origin(NamedTuple):
    """A record's place when it was published first, and its attempts, this one included."""

    source: Place
    attempt: int


class Decoder:
    """Decodes messages of one destination's input topics and encodes them for the vendor."""

    def __init__(self, destination: Account, max_bytes: int) -> None:
        self._encode = destination.encode
        self._max_bytes = max_bytes

    def item(self, message: KafkaRecord, topic: int, *, sent_before: bool = False) -> Item:
        """Return ``message`` of input topic number ``topic`` as an item. Raises :class:`Undecodable`.

        One that was ``sent_before`` is an item also where the settings of now do not let it be sent any more.
        """
        value = message.value
        if value is None:
            raise Undecodable(
                "null-value", "expected a RecordEvent as JSON, got a null value; publish a delete instead"
            )
        try:
            event = decode_record(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Undecodable("not-a-record-event", f"expected a RecordEvent as JSON: {error}") from error
        traceparent, has_history = None, False
        message_bytes = len(value)
        for name, header in message.headers:
            message_bytes += HEADER_BYTES + len(name) + len(header or b"")
            if name == TRACEPARENT:
                traceparent = header
            elif name.startswith(SLUICE_HEADER):
                has_history = True
        source, attempt = _recorded_origin(message) if has_history else (place_of(message), 1)
        identifier = f"{source.partition}-{source.offset}"
        try:
            encoded = self._encode(event, identifier)
        except Rejection as error:
            if not sent_before:
                raise Undecodable(error.code, error.message, event) from error
            encoded = _UNSENDABLE
        body_bytes = table_bytes([encoded]) if encoded.columns else len(encoded.body)
        if body_bytes > self._max_bytes and not sent_before:
            raise Undecodable(
                "too-large",
                f"expected at most {self._max_bytes} bytes for one record, got {body_bytes}; split it upstream",
                event,
            )
        key = message.key
        if key is not None:
            message_bytes += len(key)
        return Item(
            event,
            encoded,
            identifier,
            source,
            message.partition,
            topic,
            message.offset,
            ordering_key(event) if key is None else key,
            message.timestamp / 1000,
            key,
            value,
            message.headers,
            attempt,
            traceparent if traceparent is not None and is_sampled(traceparent) else None,
            item_bytes(message_bytes, event.key, encoded.body),
        )


def origin_of(message: KafkaRecord) -> Origin:
    """Return where the record began, from the ``sluice.`` headers of a retried or redriven one."""
    for name, _ in message.headers:
        if name.startswith(SLUICE_HEADER):
            return _recorded_origin(message)
    return Origin(place_of(message), 1)


def _recorded_origin(message: KafkaRecord) -> Origin:
    attempt = header_number(message.headers, Header.ATTEMPT) or 1
    return Origin(source_of(message.headers) or place_of(message), min(max(1, attempt), MAX_ATTEMPTS))
