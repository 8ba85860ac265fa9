"""Record events made from a caller's arguments or JSON, with a message for whatever cannot be one."""

import difflib
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

import msgspec

from sluice.events import Key, Operation, RecordEvent, decode_record
from sluice.wall_clock import utc_now

GivenKey = str | int | Mapping[str, str | int] | Sequence[Mapping[str, str | int]] | None
"""A record's key as callers have it: whole numbers become texts. blueconic.md §12 [sandbox]"""
Data = Mapping[str, Any] | bytes | msgspec.Raw
"""A record's content: a mapping, or a JSON object that is encoded already."""

OPERATIONS: tuple[str, ...] = get_args(Operation)


class InvalidRecord(ValueError):
    """A record that cannot be published; the message says what was expected, what came, and what to do."""


def make_record(
    *,
    object: str,  # noqa: A002  # the event's own word
    operation: str,
    key: GivenKey,
    data: Data,
    job_id: str | None = None,
    event_id: str | None = None,
    occurred_at: datetime | None = None,
) -> RecordEvent:
    """Make a valid event; by default ``event_id`` is a fresh UUID and ``occurred_at`` is now.

    Raises :class:`InvalidRecord`.
    """
    if operation not in OPERATIONS:
        raise InvalidRecord(_unknown_operation(operation))
    text_key = key_as_text(key)
    _check_key(text_key, operation)
    if occurred_at is not None and occurred_at.tzinfo is None:
        raise InvalidRecord(f"expected occurred_at with a time zone, got {occurred_at}; add tzinfo, for example UTC")
    return RecordEvent(
        event_id=str(uuid.uuid4()) if event_id is None else _check_identifier("event_id", event_id),
        object=_check_identifier("object", object),
        operation=operation,  # type: ignore[arg-type]  # checked above
        key=text_key,
        data=_encoded_data(data),
        job_id=None if job_id is None else _check_identifier("job_id", job_id),
        occurred_at=occurred_at or utc_now(),
    )


def read_record(encoded: bytes) -> RecordEvent:
    """Read a valid event from its JSON. Raises :class:`InvalidRecord`."""
    try:
        event = decode_record(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRecord(f"expected a RecordEvent as JSON, got {_abbreviate(encoded)}: {error}") from error
    _check_key(event.key, event.operation)
    return msgspec.structs.replace(event, data=_checked_json(bytes(event.data)))


def key_as_text(key: GivenKey) -> Key:
    """Return ``key`` with its whole numbers as texts. Whatever else is no text stays, for a check to refuse."""
    text: Key = _numbers_as_texts(key)
    return text


def ordering_key(event: RecordEvent) -> bytes:
    """Return the Kafka message key of ``event``, unless its publisher chooses another. Equal keys are applied in order.

    It is the event's key: a string as it is, a mapping or list as JSON with sorted names. An event without a key has
    no order with any other, and its ``event_id`` spreads it over the partitions.
    """
    key = event.key
    if isinstance(key, str):
        return key.encode()
    return event.event_id.encode() if key is None else _encode_sorted(key)


_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _numbers_as_texts(key: Any) -> Any:
    match key:
        case Mapping():
            return {name: _numbers_as_texts(value) for name, value in key.items()}
        case list() | tuple():
            return [_numbers_as_texts(one) for one in key]
        case int() if not isinstance(key, bool):
            return str(key)
        case _:
            return key


def _check_identifier(name: str, value: str) -> str:
    if not _is_text(value) or len(value) > 256:
        raise InvalidRecord(f"expected {name} to be a text of 1 to 256 characters, got {_abbreviate(value)}")
    return value


def _check_key(key: Key, operation: str) -> None:
    if _is_text(key):
        return
    if key is None:
        if operation != "insert":
            raise InvalidRecord(f"expected a key for an {operation}, got none; only an insert may go without one")
        return
    alternatives = key if isinstance(key, list) else [key]
    for names in alternatives or [None]:
        if not isinstance(names, dict) or not names or not all(map(_is_text, (*names, *names.values()))):
            raise InvalidRecord(
                "expected the key to be a text, a mapping of field names to texts, or a list of such mappings, none "
                f"of them empty, got {_abbreviate(key)}"
            )


def _is_text(value: object) -> bool:
    """Return whether ``value`` is a text, not empty, and encodable in UTF-8: half a surrogate pair is not."""
    if not isinstance(value, str) or not value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encoded_data(data: Data) -> msgspec.Raw:
    """Encode ``data`` as one JSON object in UTF-8. Raises :class:`InvalidRecord`."""
    if isinstance(data, bytes | msgspec.Raw):
        return _checked_json(bytes(data))
    if not isinstance(data, Mapping):
        raise InvalidRecord(f"expected data to be a JSON object, got {_abbreviate(data)}; pass a mapping")
    try:
        encoded = _encode(data)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidRecord(f"expected data that can be written as JSON: {error}; convert that value first") from error
    return msgspec.Raw(encoded)


def _checked_json(encoded: bytes) -> msgspec.Raw:
    try:
        _decode_members(encoded)
        encoded.decode()  # the decoder above does not check the UTF-8 in strings
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRecord(
            f"expected data to be a JSON object in UTF-8, got {_abbreviate(encoded)}: {error}"
        ) from error
    # Output with one event per line needs it without line breaks around it.
    return msgspec.Raw(encoded.strip())


def _unknown_operation(operation: object) -> str:
    close = difflib.get_close_matches(str(operation), OPERATIONS, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"expected the operation to be one of {', '.join(OPERATIONS)}, got {_abbreviate(operation)}{hint}"


def _abbreviate(value: object) -> str:
    text = re.sub(r"\s+", " ", repr(value))
    return text if len(text) <= 80 else f"{text[:77]}..."
