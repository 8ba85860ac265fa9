"""From a Kafka message to an item, or to the reason why it can be none."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from sluice.destinations.contract import Destination, Rejection
from sluice.events import SLUICE_HEADER, TRACEPARENT, Header, Headers, KafkaRecord, Place, RecordEvent, decode_record
from sluice.flow.batch import Item
from sluice.records import ordering_key
from sluice.telemetry.traceparent import is_sampled

RECORDS = 0
"""The number of the records topic among a lane's input topics; 1 is the first retry topic."""
MAX_ATTEMPTS = 1_000_000
"""No message has been tried more often than this, whatever its header says."""


class Undecodable(Exception):
    """A message that can be no item: it becomes a dead letter with its bytes untouched."""

    def __init__(self, code: str, message: str, event: RecordEvent | None = None) -> None:
        """``event`` is what it is, where it is one that cannot be sent."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.event = event


class Origin(NamedTuple):
    """Where a message's first life began, and how often it has been tried, this time included."""

    source: Place
    attempt: int


class Decoder:
    """Decodes messages of one destination's input topics and encodes them for the vendor."""

    def __init__(self, destination: Destination, max_bytes: int) -> None:
        self._encode = destination.encode
        self._max_bytes = max_bytes

    def item(self, message: KafkaRecord, topic: int) -> Item:
        """``message`` of input topic number ``topic`` as an item. Raises :class:`Undecodable`."""
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
        for name, header in message.headers:
            if name == TRACEPARENT:
                traceparent = header
            elif name.startswith(SLUICE_HEADER):
                has_history = True
        source, attempt = _recorded_origin(message) if has_history else (place_of(message), 1)
        identifier = f"{source.partition}-{source.offset}"
        try:
            encoded = self._encode(event, identifier)
        except Rejection as error:
            raise Undecodable(error.code, error.message, event) from error
        if len(encoded.body) > self._max_bytes:
            raise Undecodable(
                "too-large",
                f"expected at most {self._max_bytes} bytes for one record, got {len(encoded.body)}; split it upstream",
                event,
            )
        key = message.key
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
        )


def origin_of(message: KafkaRecord) -> Origin:
    """From the ``sluice.`` headers of a retried or redriven message; any other one begins its life where it stands."""
    for name, _ in message.headers:
        if name.startswith(SLUICE_HEADER):
            return _recorded_origin(message)
    return Origin(place_of(message), 1)


def place_of(message: KafkaRecord) -> Place:
    """Where ``message`` was read."""
    return Place(topic=message.topic, partition=message.partition, offset=message.offset)


def _recorded_origin(message: KafkaRecord) -> Origin:
    """Headers that make no sense (anybody may have written them, a value may be null) are as good as none."""
    headers = dict(message.headers)
    try:
        source = Place(
            topic=headers[Header.SOURCE_TOPIC].decode(),
            partition=int(headers[Header.SOURCE_PARTITION]),
            offset=int(headers[Header.SOURCE_OFFSET]),
        )
    except (KeyError, ValueError, AttributeError, TypeError):
        source = place_of(message)
    try:
        attempt = min(max(1, int(headers[Header.ATTEMPT])), MAX_ATTEMPTS)
    except (KeyError, ValueError, TypeError):
        attempt = 1
    return Origin(source, attempt)


def header_text(headers: Headers | Sequence[tuple[str, bytes]], name: str) -> str | None:
    """The last header called ``name``, as text; ``None`` when there is none."""
    found = None
    for header, value in headers:
        if header == name and value is not None:
            found = value.decode("utf-8", "replace")
    return found
