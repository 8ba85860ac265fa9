"""Decodes Kafka messages to items, or says why a message can be none."""

from enum import Enum, auto
from typing import NamedTuple

import msgspec

from sluice.destinations.contract import Account, Rejection, fold_key_of
from sluice.events import (
    NO_REFS,
    SLUICE_HEADER,
    TRACEPARENT,
    Header,
    KafkaRecord,
    Place,
    RecordEvent,
    decode_record,
    place_of,
)
from sluice.flow.batch import Encoded, Item
from sluice.flow.table_header import table_bytes
from sluice.headers import header_number, refs_of, source_of
from sluice.kafka.bounded_consumer import HEADER_BYTES
from sluice.records import ordering_key
from sluice.telemetry.traceparent import is_sampled
from sluice.writer.lanes.held_bytes import item_bytes

RECORDS = 0
"""The number of the records topic among a lane's input topics; 1 is the first retry topic."""
NOT_ENCODED = Encoded("", None, b"", replay_safe=False)
"""Stands where a record that was sent before was not encoded again."""
MAX_SHAPES = 10_000
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


class Recall(Enum):
    """The reason why a record that was sent before is read again."""

    TO_SETTLE = auto()  # by a result that its row leads to: it is encoded only where it may have a warning
    TO_ENCODE = auto()  # by a result that its identity leads to, or to be sent anew


class Decoder:
    """Decodes messages of one destination's input topics and encodes them for the vendor."""

    def __init__(self, destination: Account, max_bytes: int, *, warns_of: bytes | None = None) -> None:
        """``warns_of``: see :class:`~sluice.destinations.vendor_jobs.JobDestination`."""
        self._encode = destination.encode
        self.fold_key = fold_key_of(destination)
        self._max_bytes = max_bytes
        self._warns_of = warns_of
        self._header_bytes: dict[tuple[str, ...], int] = {}

    def item(self, message: KafkaRecord, topic: int, recall: Recall | None = None) -> Item:
        """Return ``message`` of input topic number ``topic`` as an item. Raises :class:`Undecodable`.

        One that is a ``recall`` is an item also where the settings of now do not let it be sent any more.
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
        if recall is Recall.TO_SETTLE and (self._warns_of is None or self._warns_of not in value):
            encoded = NOT_ENCODED
        else:
            try:
                encoded = self._encode(event, identifier)
            except Rejection as error:
                if recall is None:
                    raise Undecodable(error.code, error.message, event) from error
                encoded = NOT_ENCODED
        body_bytes = len(encoded.body) + self._header(encoded) if encoded.columns else len(encoded.body)
        if body_bytes > self._max_bytes and recall is None:
            raise Undecodable(
                "too-large",
                f"expected at most {self._max_bytes} bytes for one record, got {body_bytes}; split it upstream",
                event,
            )
        key = message.key
        if key is not None:
            message_bytes += len(key)
        order_key = ordering_key(event) if key is None else key
        if self.fold_key is not None:
            order_key = self.fold_key(order_key)
        return Item(
            event,
            encoded,
            identifier,
            source,
            message.partition,
            topic,
            message.offset,
            order_key,
            message.timestamp / 1000,
            key,
            value,
            message.headers,
            attempt,
            traceparent if traceparent is not None and is_sampled(traceparent) else None,
            item_bytes(message_bytes, event.key, encoded.body),
            refs=refs_of(message.headers) if has_history else NO_REFS,
        )

    def order_key(self, key: bytes) -> bytes:
        """Return the ordering key of a message with the key ``key``."""
        return key if self.fold_key is None else self.fold_key(key)

    def _header(self, encoded: Encoded) -> int:
        """Return the bytes of the header over a row that stands alone."""
        found = self._header_bytes.get(encoded.columns)
        if found is None:
            if len(self._header_bytes) >= MAX_SHAPES:
                self._header_bytes.clear()
            found = self._header_bytes[encoded.columns] = table_bytes([encoded]) - len(encoded.body)
        return found


def origin_of(message: KafkaRecord) -> Origin:
    """Return where the record began, from the ``sluice.`` headers of a retried or redriven one."""
    for name, _ in message.headers:
        if name.startswith(SLUICE_HEADER):
            return _recorded_origin(message)
    return Origin(place_of(message), 1)


def _recorded_origin(message: KafkaRecord) -> Origin:
    attempt = header_number(message.headers, Header.ATTEMPT) or 1
    return Origin(source_of(message.headers) or place_of(message), min(max(1, attempt), MAX_ATTEMPTS))
