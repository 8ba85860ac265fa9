"""Read the headers of a Kafka message.

Anybody may have written them. Of several headers with one name the last one counts, as with Kafka's ``lastHeader``; a
null value, or one that makes no sense, counts as none.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import get_args

import msgspec

from sluice.events import MAX_REFS_BYTES, NO_REFS, CutPart, Header, Place

Pairs = Sequence[tuple[str, bytes]]


def header(headers: Pairs, name: str) -> bytes | None:
    """Return the value of the last header called ``name``."""
    found = None
    for one, value in headers:
        if one == name and value is not None:
            found = value
    return found


def header_text(headers: Pairs, name: str) -> str | None:
    """Return the header as text; bytes that are no UTF-8 are replaced."""
    value = header(headers, name)
    return None if value is None else value.decode("utf-8", "replace")


def header_number(headers: Pairs, name: str) -> int | None:
    """Return the header as a whole number."""
    try:
        return int(header(headers, name) or b"")
    except ValueError:
        return None


def header_instant(headers: Pairs, name: str) -> datetime | None:
    """Return the same as an instant in UTC; one without a time zone counts as none."""
    try:
        instant = msgspec.convert(header_text(headers, name), datetime)
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (msgspec.ValidationError, OverflowError):  # in UTC it can lie before year 1 or after 9999
        return None


def source_of(headers: Pairs) -> Place | None:
    """Return the place at which the record was published first; retries, dead letters and redrives carry it."""
    topic = header_text(headers, Header.SOURCE_TOPIC) or ""
    partition, offset = header_number(headers, Header.SOURCE_PARTITION), header_number(headers, Header.SOURCE_OFFSET)
    if not _TOPIC(topic) or partition is None or offset is None:
        return None
    return Place(topic=topic, partition=partition, offset=offset)


_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}").fullmatch
"""Kafka's own rule for names of topics."""


def cut_parts(headers: Pairs) -> tuple[CutPart, ...]:
    """Return the parts of the message that are missing here and stand at :func:`original_place`."""
    text = header_text(headers, Header.CUT)
    if text is None:
        return ("payload",) if header(headers, Header.PAYLOAD_AT) is not None else ()
    named = set(text.split(","))
    return tuple(part for part in CUT_PARTS if part in named)


CUT_PARTS: tuple[CutPart, ...] = get_args(CutPart)


def original_place(headers: Pairs) -> Place | None:
    """Return the place of the message before anything was cut from it."""
    text = header_text(headers, Header.ORIGINAL_AT) or header_text(headers, Header.PAYLOAD_AT) or ""
    try:
        topic, partition, offset = text.rsplit("/", 2)
        return Place(topic=topic, partition=int(partition), offset=int(offset)) if _TOPIC(topic) else None
    except ValueError:
        return None


def refs_of(headers: Pairs) -> Mapping[str, str]:
    """Return what is known of the record at the vendor."""
    encoded = header(headers, Header.REFS)
    if encoded is None or len(encoded) > MAX_REFS_BYTES:
        return NO_REFS
    try:
        return _decode_refs(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NO_REFS


_decode_refs = msgspec.json.Decoder(dict[str, str]).decode


def redrive_count(headers: Pairs) -> int:
    """Return how often the record was redriven before."""
    return max(0, header_number(headers, Header.REDRIVE_COUNT) or 0)
