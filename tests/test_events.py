"""Events: additions of later versions are ignored, anything else is refused with a known error."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sluice.events import (
    MAX_HEADER_BYTES,
    BatchEvent,
    Header,
    Place,
    RecordEvent,
    Rows,
    SucceededEvent,
    decode_batch,
    decode_record,
    decode_succeeded,
    encode_event,
    record_data,
)
from tests.support.factories import NOON, record

RECORD = record(key="acme", data=b'{"name":"Acme"}', job_id="job-1")
SUCCEEDED = SucceededEvent(
    event_id="e",
    object="company",
    operation="delete",
    key={"email": "a@b.c"},
    outcome="skipped",
    status="NOTFOUND",
    batch_id="b",
    source=Place(topic="crm.records", partition=3, offset=2**40),
    occurred_at=NOON,
    settled_at=NOON,
)
BATCH = BatchEvent(
    batch_id="b", state="settled", batch_key="company", rows=[Rows(0, 5, 1000, 0)], counts={"delivered": 1}
)

DECODERS = [
    pytest.param(RECORD, decode_record, id="a record event"),
    pytest.param(SUCCEEDED, decode_succeeded, id="a receipt"),
    pytest.param(BATCH, decode_batch, id="a journal entry"),
]


@pytest.mark.parametrize(("event", "decode"), DECODERS)
def test_event_survives_its_encoding(event: msgspec.Struct, decode: Callable[[bytes], object]) -> None:
    assert encode_event(decode(encode_event(event))) == encode_event(event)


@pytest.mark.parametrize(("event", "decode"), DECODERS)
def test_fields_of_later_versions_are_ignored(event: msgspec.Struct, decode: Callable[[bytes], object]) -> None:
    later = encode_event(event)[:-1] + b',"added_in_2030":{"deep":[1,null]}}'
    assert encode_event(decode(later)) == encode_event(event)


def test_record_event_needs_no_more_than_four_fields() -> None:
    event = decode_record(
        b'{"event_id":"e","object":"o","operation":"insert","occurred_at":"2026-01-02T12:00:00+02:00"}'
    )
    assert (event.key, event.job_id, record_data(event)) == (None, None, {})


def test_data_stays_as_it_was_published() -> None:
    data = b'{"z": 1.10,\n "a" :[ ], "z":2}'
    assert bytes(decode_record(encode_event(record(key="k", data=data))).data) == data


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"event_id": ""}, id="an empty event id"),
        pytest.param({"event_id": "x" * 257}, id="an event id that is too long"),
        pytest.param({"event_id": None}, id="a null event id"),
        pytest.param({"object": ""}, id="an empty object"),
        pytest.param({"operation": "replace"}, id="an operation that is none"),
        pytest.param({"key": 7}, id="a number as key"),
        pytest.param({"key": {"id": 7}}, id="a key field that is no text"),
        pytest.param({"occurred_at": "2026-01-02T12:00:00"}, id="an instant without a time zone"),
        pytest.param({"occurred_at": 1_767_355_200}, id="an instant as a number"),
    ],
)
def test_what_is_no_record_event_is_refused(change: dict[str, Any]) -> None:
    message = json.loads(encode_event(RECORD)) | change
    with pytest.raises(msgspec.ValidationError):
        decode_record(json.dumps(message).encode())


@pytest.mark.parametrize("data", [b"null", b"[]", b'"text"', b"7"])
def test_data_that_is_no_object_is_refused_when_it_is_needed(data: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        record_data(record(key="k", data=data))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ODD_EVENTS = st.fixed_dictionaries(
    {},
    optional={
        name: JSON | st.just(value)
        for event in (RECORD, SUCCEEDED, BATCH)
        for name, value in json.loads(encode_event(event)).items()
    },
).map(lambda fields: json.dumps(fields).encode())


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """Draw an event with a few bytes overwritten."""
    value = bytearray(encode_event(draw(st.sampled_from([RECORD, SUCCEEDED, BATCH]))))
    for _ in range(draw(st.integers(1, 4))):
        value[draw(st.integers(0, len(value) - 1))] = draw(st.integers(0, 255))
    return bytes(value)


@given(st.binary(max_size=100) | ODD_EVENTS | _damaged())
@example(b'{"data":' + b"[" * 100_000)
@example(b'{"event_id":"\xff"}')
@example(b'{"event_id":"\\ud800"}')
@settings(max_examples=500, deadline=None)
def test_decoding_any_bytes_ends_in_an_event_or_a_known_error(value: bytes) -> None:
    for decode, kind in ((decode_record, RecordEvent), (decode_succeeded, SucceededEvent), (decode_batch, BatchEvent)):
        try:
            event = decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        assert isinstance(event, kind)
        encode_event(event)


def test_header_names_are_flat_lower_case_ascii() -> None:
    for name in Header:
        assert name.startswith("sluice.")
        assert name.isascii()
        assert name == name.lower()


def test_names_of_all_headers_leave_room_for_their_values() -> None:
    assert sum(len(name) for name in Header) < MAX_HEADER_BYTES / 10
