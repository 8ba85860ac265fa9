"""Decoder: a message becomes an item, or says why it cannot."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.events import Header, Key, Place, encode_event
from sluice.flow.batch import Item
from sluice.headers import header_text
from sluice.writer.lanes.decoding import Decoder, Undecodable, origin_of
from tests.support.factories import FakeMessage, record, record_message
from tests.support.fakes import FakeDestination, FoldingDestination

MAX_BYTES = 50
VALUE = encode_event(record())

ODD_VALUES = st.none() | st.binary(max_size=30) | st.integers(-(10**25), 10**25).map(lambda number: b"%d" % number)
ODD_NAMES = st.sampled_from([*[str(name) for name in Header], "sluice.", "sluice.unknown", "traceparent", "", "é"])
ODD_HEADERS = st.lists(st.tuples(ODD_NAMES, ODD_VALUES), max_size=8)
"""As anybody may have written them."""


def _decode(message: FakeMessage, topic: int = 0) -> Item:
    return Decoder(FakeDestination(), MAX_BYTES).item(message, topic)


def _encode(data: bytes) -> bytes:
    return encode_event(record(data=data))


def _source(
    topic: bytes | None = b"t", partition: bytes | None = b"5", offset: bytes = b"77"
) -> list[tuple[str, bytes | None]]:
    """Make the headers that name where a record began; a null value is one, whatever aiokafka's types say."""
    return [("sluice.source.topic", topic), ("sluice.source.partition", partition), ("sluice.source.offset", offset)]


NO_EVENT = "not-a-record-event: expected a RecordEvent as JSON"
NO_TEXT = "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
TOO_DEEP = "maximum recursion depth exceeded while deserializing an object"
NULL_VALUE = "null-value: expected a RecordEvent as JSON, got a null value; publish a delete instead"
TOO_LARGE = "too-large: expected at most 50 bytes for one record, got 68; split it upstream"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(None, NULL_VALUE, id="a null value"),
        pytest.param(b"", f"{NO_EVENT}: Input data was truncated", id="no bytes"),
        pytest.param(b"name,city", f"{NO_EVENT}: JSON is malformed: invalid character (byte 4)", id="no JSON"),
        pytest.param(b"{}", f"{NO_EVENT}: Object missing required field `event_id`", id="JSON that is no record event"),
        pytest.param(b'{"event_id":"\xff"}', f"{NO_EVENT}: {NO_TEXT}", id="text that is not UTF-8"),
        pytest.param(_encode(b"[" * 100_000 + b"]" * 100_000), f"{NO_EVENT}: {TOO_DEEP}", id="100,000 nested arrays"),
        pytest.param(_encode(b'"bad"'), "bad-data: expected an object as data", id="what the destination refuses"),
        pytest.param(_encode(b'{"x":"' + b"x" * 60 + b'"}'), TOO_LARGE, id="a record too large for the vendor"),
    ],
)
def test_undecodable_message_has_a_code_and_a_sentence(value: bytes | None, reason: str) -> None:
    with pytest.raises(Undecodable) as caught:
        _decode(FakeMessage(value=value))
    assert f"{caught.value.code}: {caught.value.message}" == reason


def test_record_as_large_as_allowed_is_taken() -> None:
    data = b'{"x":"' + b"x" * 42 + b'"}'
    assert len(data) == MAX_BYTES
    assert _decode(FakeMessage(value=_encode(data))).encoded.body == data


def test_item_keeps_the_message_as_it_came() -> None:
    headers = [("traceparent", b"00-x"), ("app", b"\xff"), ("app", b"")]
    value = VALUE.replace(b":", b" : ", 1)
    message = FakeMessage(key=b"\xff\x00", value=value, headers=headers, offset=9, partition=3, timestamp=1_500)
    item = _decode(message, 2)
    assert (item.key, item.value, item.headers) == (b"\xff\x00", value, headers)
    assert (item.lane, item.topic, item.offset, item.published_at_s) == (3, 2, 9, 1.5)


@pytest.mark.parametrize(
    ("message_key", "key", "expected"),
    [
        pytest.param(b"shop-7", "c-1", b"shop-7", id="the message key, whatever the event says"),
        pytest.param(b"", "c-1", b"", id="the message key, although it is empty"),
        pytest.param(None, "acme", b"acme", id="a string as it is"),
        pytest.param(None, "Zürich", "Zürich".encode(), id="a string in UTF-8"),
        pytest.param(None, {"b": "2", "a": "1"}, b'{"a":"1","b":"2"}', id="a mapping with its names sorted"),
        pytest.param(None, [{"b": "2", "a": "1"}], b'[{"a":"1","b":"2"}]', id="alternatives in their order"),
    ],
)
def test_item_is_ordered_by(message_key: bytes | None, key: Key, expected: bytes) -> None:
    assert _decode(FakeMessage(key=message_key, value=encode_event(record(key=key)))).order_key == expected


def test_origin_of_a_retried_message_is_the_place_in_its_headers() -> None:
    headers: Any = [*_source(), ("sluice.attempt", b"3")]
    origin = origin_of(FakeMessage(topic="crm.retries.2m", partition=5, offset=0, headers=headers))
    assert origin == (Place(topic="t", partition=5, offset=77), 3)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("app", b"x")], id="none of ours"),
        pytest.param(_source()[:1], id="half a source"),
        pytest.param(_source(topic=None)[:1], id="a null value"),
        pytest.param(_source(topic=b"\xff"), id="a topic that is not UTF-8"),
        pytest.param(_source(partition=b"x"), id="a partition that is no number"),
        pytest.param(_source(partition=None), id="a null partition"),
        pytest.param([("sluice.attempt", b"")], id="an empty attempt"),
        pytest.param([("sluice.attempt", b"-3")], id="an attempt below one"),
        pytest.param([("sluice.attempt", b"9" * 10_000)], id="an attempt of ten thousand digits"),
        pytest.param([("sluice.attempt", None)], id="a null attempt"),
    ],
)
def test_origin_of_a_message_without_sensible_headers_is_its_place(headers: list[tuple[str, bytes]]) -> None:
    origin = origin_of(FakeMessage(topic="crm.records", partition=2, offset=7, headers=headers))
    assert origin == (Place(topic="crm.records", partition=2, offset=7), 1)


@given(ODD_HEADERS)
@settings(max_examples=300, deadline=None)
def test_odd_headers_of_a_good_record_do_no_harm(headers: list[tuple[str, bytes]]) -> None:
    item = _decode(FakeMessage(value=VALUE, headers=headers))
    assert item.attempt >= 1
    assert item.headers == headers
    encode_event(item.source)


@given(st.binary(max_size=60), ODD_HEADERS, st.none() | st.binary(max_size=10))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_an_item_or_undecodable(
    value: bytes, headers: list[tuple[str, bytes]], key: bytes | None
) -> None:
    with suppress(Undecodable):
        _decode(FakeMessage(value=value, headers=headers, key=key))


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        pytest.param([], None, id="none"),
        pytest.param([("other", b"x")], None, id="another name"),
        pytest.param([("name", b"1"), ("name", b"2")], "2", id="the last of several"),
        pytest.param([("name", b"1"), ("name", None)], "1", id="a null value is none"),
        pytest.param([("name", b"\xff")], "�", id="bytes that are not UTF-8"),
    ],
)
def test_header_as_text(headers: list[tuple[str, bytes]], text: str | None) -> None:
    assert header_text(headers, "name") == text


def test_identifier_names_the_origin_of_a_record() -> None:
    headers: Any = [*_source(), ("sluice.error.code", None)]  # a null header does not hide those before it
    item = _decode(FakeMessage(value=VALUE, headers=headers), 1)
    assert (item.encoded.identity, item.source) == ("5-77", Place(topic="t", partition=5, offset=77))
    assert _decode(record_message(3, topic=1), 1).encoded.identity == "0-3"


def test_keys_that_the_vendor_may_take_for_one_are_one_ordering_key_and_stay_as_they_were_written() -> None:
    decoder = Decoder(FoldingDestination(), MAX_BYTES)
    items = [decoder.item(FakeMessage(key=key, value=encode_event(record(key="AB"))), 0) for key in (b"Ab", None)]
    assert [(item.order_key, item.key) for item in items] == [(b"ab", b"Ab"), (b"ab", None)]
    assert (decoder.order_key(b"K"), Decoder(FakeDestination(), MAX_BYTES).order_key(b"K")) == (b"k", b"K")
