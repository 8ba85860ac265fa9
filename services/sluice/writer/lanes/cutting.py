"""Cuts a message to what its topic takes, so that no record stops a lane.

A record may have come compressed to a hundredth, and what is written about it counts as it is. Parts are cut in a fixed
order until the rest fits. ``sluice.cut`` names them, and ``sluice.original-at`` the place of the message that has them.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import msgspec

from sluice.events import (
    MAX_HEADER_BYTES,
    TRACEPARENT,
    CutPart,
    Header,
    Headers,
    Place,
    decode_succeeded,
    encode_event,
)
from sluice.headers import CUT_PARTS, cut_parts, original_place
from sluice.kafka.sending import Message

RETRY_PARTS: tuple[CutPart, ...] = ("headers",)
"""A retry needs its payload, and its key for the order."""
LETTER_PARTS: tuple[CutPart, ...] = ("headers", "payload", "key")
RECEIPT_PARTS: tuple[CutPart, ...] = ("headers", "key", "event-key")

PER_HEADER_BYTES = 10
PER_MESSAGE_BYTES = 128
"""Upper bounds of what Kafka adds: lengths, and the record batch around a message that stands alone."""

TRACE_HEADERS = (TRACEPARENT, "tracestate")
MAX_TRACE_BYTES = 1024
"""Of each of them: W3C asks for 512 to be passed on. A larger one is cut with the headers of others."""


class Whole(NamedTuple):
    """The message from which all parts came: its place, and those that an earlier message had to lose already."""

    at: Place
    cut: Sequence[CutPart] = ()


def whole_of(headers: Sequence[tuple[str, bytes]], read_at: Place, *, is_retry: bool) -> Whole:
    """Return where the message that was read at ``read_at`` is whole: a retry may have lost its headers.

    ``read_at`` is not its place when it was published first: an edited and redriven record is another one.
    """
    place = original_place(headers) if is_retry else None
    return Whole(read_at) if place is None else Whole(place, cut_parts(headers))


def fit(message: Message, max_bytes: int, parts: Sequence[CutPart], whole: Whole) -> Message:
    """Return ``message`` without as many of ``parts`` as it takes to fit; without all where not even that is enough."""
    cut = set(whole.cut)
    fitting = _marked(message, cut, whole.at)
    for part in parts:
        if message_bytes(fitting) <= max_bytes:
            break
        smaller = _without(message, part)
        if message_bytes(smaller) < message_bytes(message):
            message = smaller
            cut.add(part)
        fitting = _marked(message, cut, whole.at)
    return fitting


def message_bytes(message: Message) -> int:
    """Return at least the bytes that ``message`` takes in Kafka, uncompressed."""
    size_bytes = PER_MESSAGE_BYTES + len(message.key or b"") + len(message.value or b"")
    for name, value in message.headers:
        size_bytes += PER_HEADER_BYTES + (len(name) if name.isascii() else len(name.encode())) + len(value or b"")
    return size_bytes


def _without(message: Message, part: CutPart) -> Message:
    match part:
        case "headers":
            return msgspec.structs.replace(message, headers=[*_trace(message.headers), *_ours(message.headers)])
        case "payload":
            return msgspec.structs.replace(message, value=None)
        case "key":
            return msgspec.structs.replace(message, key=None)
        case "event-key":
            receipt = msgspec.structs.replace(decode_succeeded(message.value or b""), key=None)
            return msgspec.structs.replace(message, value=encode_event(receipt))


def _trace(headers: Iterable[tuple[str, bytes]]) -> Headers:
    """Return the trace context, of which the last header of a name counts."""
    found = {name: value for name, value in headers if name in TRACE_HEADERS and len(value or b"") <= MAX_TRACE_BYTES}
    return list(found.items())


def _ours(headers: Iterable[tuple[str, bytes]]) -> Headers:
    """Return the headers of ours, unless somebody else has written them: those have no bound."""
    found = [(name, value) for name, value in headers if name in _NAMES]
    return found if sum(len(name) + len(value or b"") for name, value in found) <= MAX_HEADER_BYTES else []


_NAMES = frozenset(map(str, Header))


def _marked(message: Message, cut: Collection[CutPart], at: Place) -> Message:
    """Return ``message`` with the headers that say what is cut."""
    if not cut:
        return message
    marks = {
        str(Header.CUT): ",".join(part for part in CUT_PARTS if part in cut).encode(),
        str(Header.ORIGINAL_AT): f"{at.topic}/{at.partition}/{at.offset}".encode(),
    }
    kept = [header for header in message.headers if header[0] not in marks]
    return msgspec.structs.replace(message, headers=[*kept, *marks.items()])
