"""Records: which arguments make a record event, and the message for all others."""

from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.events import Key, RecordEvent, decode_record, encode_event, record_data
from sluice.records import InvalidRecord, make_record, ordering_key, read_record

GOOD: dict[str, Any] = {"object": "group/company", "operation": "upsert", "key": "acme", "data": {"name": "Acme"}}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256)
KEYS = (
    TEXTS | st.dictionaries(TEXTS, TEXTS, min_size=1) | st.lists(st.dictionaries(TEXTS, TEXTS, min_size=1), min_size=1)
)
DATA = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**53), 2**53) | TEXTS | st.none()
)


@settings(max_examples=100, deadline=None)
@given(object=TEXTS, key=KEYS, data=DATA, job_id=st.none() | TEXTS)
def test_every_valid_record_survives_its_encoding(object: str, key: Any, data: Any, job_id: str | None) -> None:  # noqa: A002
    event = make_record(object=object, operation="upsert", key=key, data=data, job_id=job_id)
    read = read_record(encode_event(event))
    assert (read.object, read.key, read.job_id, read.occurred_at) == (object, key, job_id, event.occurred_at)
    assert record_data(read) == data


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        pytest.param({"operation": "upsrt"}, "got 'upsrt'; did you mean 'upsert'?", id="operation"),
        pytest.param({"object": ""}, "expected object to be a text of 1 to 256 characters, got ''", id="empty object"),
        pytest.param({"object": "x" * 257}, "expected object to be a text of 1 to 256 characters", id="long object"),
        pytest.param({"object": "\ud800"}, "expected object to be a text", id="half a character"),
        pytest.param({"event_id": ""}, "expected event_id", id="empty event_id"),
        pytest.param({"job_id": 7}, "expected job_id to be a text of 1 to 256 characters, got 7", id="job_id"),
        pytest.param({"key": None}, "expected a key for an upsert, got none", id="no key"),
        pytest.param({"key": ""}, "expected the key to be a text", id="empty key"),
        pytest.param({"key": {}}, "none of them empty, got {}", id="empty mapping as key"),
        pytest.param({"key": []}, "none of them empty, got []", id="no alternative as key"),
        pytest.param({"key": [{}]}, "none of them empty, got [{}]", id="empty alternative as key"),
        pytest.param({"key": {"id": 7.5}}, "got {'id': 7.5}", id="fraction in key"),
        pytest.param({"key": True}, "got True", id="true as key"),
        pytest.param({"key": {"": "7"}}, "got {'': '7'}", id="empty name in key"),
        pytest.param({"data": [1]}, "expected data to be a JSON object, got [1]; pass a mapping", id="list"),
        pytest.param({"data": b"[1]"}, "expected data to be a JSON object in UTF-8, got b'[1]'", id="array in bytes"),
        pytest.param({"data": b'{"a": '}, "expected data to be a JSON object in UTF-8", id="bytes cut off"),
        pytest.param({"data": b'{"a": "\xff"}'}, "expected data to be a JSON object in UTF-8", id="no UTF-8"),
        pytest.param({"data": {"a": object()}}, "expected data that can be written as JSON", id="object"),
        pytest.param({"data": {"a": "\ud800"}}, "expected data that can be written as JSON", id="half a character"),
        pytest.param({"occurred_at": datetime(2026, 11, 1)}, "add tzinfo", id="naive instant"),  # noqa: DTZ001
    ],
)
def test_wrong_record_is_refused_with_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        make_record(**{**GOOD, **changed})
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff", id="bytes"),
        pytest.param(b"{}", id="empty object"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(
            b'{"event_id":"e","object":"o","operation":"upsert","key":"","occurred_at":"2026-01-01T00:00:00Z"}',
            id="empty key",
        ),
        pytest.param(
            b'{"event_id":"e","object":"o","operation":"upsert","key":"k","data":7,"occurred_at":"2026-01-01T00:00:00Z"}',
            id="number as data",
        ),
    ],
)
def test_wrong_event_is_refused(encoded: bytes) -> None:
    with pytest.raises(InvalidRecord, match="expected"):
        read_record(encoded)


@settings(max_examples=100, deadline=None)
@given(st.binary())
def test_any_bytes_are_an_event_or_are_refused(encoded: bytes) -> None:
    try:
        read_record(encoded)
    except InvalidRecord:
        return


def test_encoded_data_is_passed_on_as_it_is() -> None:
    event = make_record(**{**GOOD, "data": b' {"price": 1.10, "big": 123456789012345678901234567890}\n'})
    assert bytes(event.data) == b'{"price": 1.10, "big": 123456789012345678901234567890}'
    assert bytes(decode_record(encode_event(event)).data) == bytes(event.data)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param("acme", b"acme", id="text"),
        pytest.param({"b": "2", "a": "1"}, b'{"a":"1","b":"2"}', id="mapping in any order"),
        pytest.param([{"b": "2"}, {"a": "1"}], b'[{"b":"2"},{"a":"1"}]', id="alternatives in their order"),
    ],
)
def test_ordering_key_is_the_key_in_one_form(key: Any, expected: bytes) -> None:
    assert ordering_key(make_record(**{**GOOD, "key": key})) == expected


@pytest.mark.parametrize(
    ("key", "text"),
    [
        pytest.param(42, "42", id="an id"),
        pytest.param({"crm": 7, "shop": "nl"}, {"crm": "7", "shop": "nl"}, id="in a mapping"),
        pytest.param([{"crm": 7}, {"email": "x"}], [{"crm": "7"}, {"email": "x"}], id="in alternatives"),
    ],
)
def test_whole_numbers_in_a_key_become_texts(key: Any, text: Key) -> None:
    assert make_record(**{**GOOD, "key": key}).key == text


def test_record_without_a_key_shares_its_order_with_no_other() -> None:
    events = [make_record(object="o", operation="insert", key=None, data={}) for _ in range(2)]
    assert [ordering_key(event) for event in events] == [event.event_id.encode() for event in events]


def test_event_defaults_are_a_fresh_id_and_now() -> None:
    first, second = (make_record(**GOOD) for _ in range(2))
    assert isinstance(first, RecordEvent)
    assert first.event_id != second.event_id
    assert msgspec.json.decode(msgspec.json.encode(first.occurred_at)).endswith("Z")
