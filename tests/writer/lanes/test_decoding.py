"""Decoder: a message becomes an item, or says why it cannot."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.events import Header, Key, Place, encode_event
from sluice.headers import header_text
from sluice.writer.lanes.decoding import Decoder, Undecodable, origin_of
from tests.support.factories import FakeMessage, record, record_message
from tests.support.fakes import FakeDestination

MAX_BYTES = 50
VALUE = encode_event(record())

ODD_VALUES = st.none() | st.binary(max_size=30) | st.integers(-(10**25), 10**25).map(lambda number: b"%d" % number)
ODD_NAMES = st.sampled_from([*[str(name) for name in Header], "sluice.", "sluice.unknown", "traceparent", "", "é"])
ODD_HEADERS = st.lists(st.tuples(ODD_NAMES, ODD_VALUES), max_size=8)
"""As anybody may have written them."""


def _make_decoder() -> Decoder:
    return Decoder(FakeDestination(), MAX_BYTES)


@pytest.mark.parametrize(
    ("value", "code", "sentence"),
    [
        pytest.param(
            None,
            "null-value",
            "expected a RecordEvent as JSON, got a null value; publish a delete instead",
            id="a null value",
        ),
        pytest.param(
            b"",
            "not-a-record-event",
            "expected a RecordEvent as JSON: Input data was truncated",
            id="no bytes",
        ),
        pytest.param(
            b"name,city",
            "not-a-record-event",
            "expected a RecordEvent as JSON: JSON is malformed: invalid character (byte 4)",
            id="bytes that are no JSON",
        ),
        pytest.param(
            b"{}",
            "not-a-record-event",
            "expected a RecordEvent as JSON: Object missing required field `event_id`",
            id="JSON that is no record event",
        ),
        pytest.param(
            b'{"event_id":"\xff"}',
            "not-a-record-event",
            "expected a RecordEvent as JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
            id="text that is not UTF-8",
        ),
        pytest.param(
            VALUE.replace(b'"data":{}', b'"data":' + b"[" * 100_000 + b"]" * 100_000),
            "not-a-record-event",
            "expected a RecordEvent as JSON: maximum recursion depth exceeded while deserializing an object",
            id="a hundred thousand nested arrays",
        ),
        pytest.param(
            encode_event(record(data=b'"bad"')),
            "bad-data",
            "expected an object as data",
            id="a record that the destination cannot encode",
        ),
        pytest.param(
            encode_event(record(data=b'{"x":"' + b"x" * 60 + b'"}')),
            "too-large",
            "expected at most 50 bytes for one record, got 68; split it upstream",
            id="a record too large for the vendor",
        ),
    ],
)
def test_undecodable_message_has_a_code_and_a_sentence(value: bytes | None, code: str, sentence: str) -> None:
    with pytest.raises(Undecodable) as caught:
        _make_decoder().item(FakeMessage(value=value), 0)
    assert (caught.value.code, caught.value.message) == (code, sentence)


def test_record_as_large_as_allowed_is_taken() -> None:
    data = b'{"x":"' + b"x" * 42 + b'"}'
    assert len(data) == MAX_BYTES
    assert _make_decoder().item(FakeMessage(value=encode_event(record(data=data))), 0).encoded.body == data


def test_item_keeps_the_message_as_it_came() -> None:
    headers = [("traceparent", b"00-x"), ("app", b"\xff"), ("app", b"")]
    value = VALUE.replace(b":", b" : ", 1)
    item = _make_decoder().item(FakeMessage(key=b"\xff\x00", value=value, headers=headers, offset=9, partition=3), 2)
    assert (item.key, item.value, item.headers) == (b"\xff\x00", value, headers)
    assert (item.lane, item.topic, item.offset) == (3, 2, 9)


def test_item_was_published_at_its_kafka_timestamp() -> None:
    assert _make_decoder().item(FakeMessage(value=VALUE, timestamp=1_500), 0).published_at_s == 1.5


def test_message_key_orders_items_whatever_their_event_says() -> None:
    assert _make_decoder().item(FakeMessage(key=b"shop-7", value=VALUE), 0).order_key == b"shop-7"


def test_empty_message_key_is_a_key() -> None:
    assert _make_decoder().item(FakeMessage(key=b"", value=VALUE), 0).order_key == b""


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param("acme", b"acme", id="a string as it is"),
        pytest.param("Zürich", "Zürich".encode(), id="a string in UTF-8"),
        pytest.param({"b": "2", "a": "1"}, b'{"a":"1","b":"2"}', id="a mapping with its names sorted"),
        pytest.param([{"b": "2", "a": "1"}], b'[{"a":"1","b":"2"}]', id="alternatives in their order"),
    ],
)
def test_message_without_a_key_is_ordered_by_its_event(key: Key, expected: bytes) -> None:
    event = record(key=key)
    assert _make_decoder().item(FakeMessage(key=None, value=encode_event(event)), 0).order_key == expected


def test_message_without_a_key_takes_the_key_of_its_event() -> None:
    assert _make_decoder().item(FakeMessage(key=None, value=VALUE), 0).order_key == b"c-1"


def test_origin_of_a_new_message_is_its_place() -> None:
    origin = origin_of(FakeMessage(topic="crm.records", partition=2, offset=7, headers=[("app", b"x")]))
    assert origin == (Place(topic="crm.records", partition=2, offset=7), 1)


def test_origin_of_a_retried_message_is_the_place_in_its_headers() -> None:
    headers = [
        ("sluice.source.topic", b"crm.records"),
        ("sluice.source.partition", b"5"),
        ("sluice.source.offset", b"77"),
        ("sluice.attempt", b"3"),
    ]
    origin = origin_of(FakeMessage(topic="crm.retries.2m", partition=5, offset=0, headers=headers))
    assert origin == (Place(topic="crm.records", partition=5, offset=77), 3)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("sluice.source.topic", b"t")], id="half a source"),
        pytest.param([("sluice.source.topic", None)], id="a null value"),
        pytest.param([("sluice.attempt", b"")], id="an empty attempt"),
        pytest.param([("sluice.attempt", b"-3")], id="an attempt below one"),
        pytest.param([("sluice.attempt", b"9" * 10_000)], id="an attempt of ten thousand digits"),
        pytest.param(
            [("sluice.source.topic", b"\xff"), ("sluice.source.partition", b"1"), ("sluice.source.offset", b"1")],
            id="a topic that is not UTF-8",
        ),
        pytest.param(
            [("sluice.source.topic", b"t"), ("sluice.source.partition", b"x"), ("sluice.source.offset", b"1")],
            id="a partition that is no number",
        ),
        pytest.param([("sluice.attempt", None)], id="a null attempt"),
        pytest.param(
            [("sluice.source.topic", b"t"), ("sluice.source.partition", None), ("sluice.source.offset", b"1")],
            id="a null partition",
        ),
    ],
)
def test_headers_that_make_no_sense_count_as_none(headers: list[tuple[str, bytes]]) -> None:
    origin = origin_of(FakeMessage(topic="crm.records", partition=2, offset=7, headers=headers))
    assert origin == (Place(topic="crm.records", partition=2, offset=7), 1)


@given(ODD_HEADERS)
@settings(max_examples=300, deadline=None)
def test_odd_headers_of_a_good_record_do_no_harm(headers: list[tuple[str, bytes]]) -> None:
    item = _make_decoder().item(FakeMessage(value=VALUE, headers=headers), 0)
    assert item.attempt >= 1
    assert item.headers == headers
    encode_event(item.source)


@given(st.binary(max_size=60), ODD_HEADERS, st.none() | st.binary(max_size=10))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_an_item_or_undecodable(
    value: bytes, headers: list[tuple[str, bytes]], key: bytes | None
) -> None:
    with suppress(Undecodable):
        _make_decoder().item(FakeMessage(value=value, headers=headers, key=key), 0)


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
    headers = [("sluice.source.topic", b"t"), ("sluice.source.partition", b"5"), ("sluice.source.offset", b"77")]
    assert _make_decoder().item(record_message(3, topic=1), 1).encoded.identity == "0-3"
    assert _make_decoder().item(FakeMessage(value=VALUE, headers=headers), 1).encoded.identity == "5-77"


def test_a_null_header_does_not_hide_the_history_before_it() -> None:
    history = [("sluice.source.topic", b"t"), ("sluice.source.partition", b"3"), ("sluice.source.offset", b"7")]
    null: Any = None  # aiokafka's consumer hands out null values, whatever its types say
    item = _make_decoder().item(FakeMessage(value=VALUE, headers=[*history, ("sluice.error.code", null)]), 0)
    assert item.source == Place(topic="t", partition=3, offset=7)
