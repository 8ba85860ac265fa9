"""Receipt messages: original bytes, our headers overwritten and bounded, all others untouched."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.events import MAX_HEADER_BYTES, Header, Place, decode_succeeded
from sluice.flow.batch import Encoded
from sluice.flow.outcome import Fate, Outcome
from sluice.headers import refs_of
from sluice.kafka.sending import Message
from sluice.writer.lanes.decoding import origin_of
from sluice.writer.lanes.receipt_messages import (
    Failure,
    Received,
    dead_letter,
    received_message,
    retry,
    rfc3339,
    succeeded,
)
from tests.support.factories import NOON, FakeMessage, make_item

SOURCE = Place(topic="crm.records", partition=3, offset=42)
FAILURE = Failure(Fate.REJECTED, "INVALID_EMAIL", "no @ in it", 200)
NAMES = st.sampled_from([*[str(name) for name in Header], "sluice.other", "app", "traceparent", "Sluice.attempt", ""])
HEADERS = st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=40)), max_size=10)
LETTERS = st.builds(
    Received,
    key=st.none() | st.binary(max_size=20),
    value=st.none() | st.binary(max_size=50),
    headers=HEADERS,
    source=st.just(SOURCE),
    attempt=st.integers(1, 1000),
    refs=st.sampled_from([{}, {"meeting": "7"}, {"meeting": "m" * 1000}]),
)
FAILURES = st.builds(
    Failure,
    fate=st.sampled_from([Fate.REJECTED, Fate.RETRYABLE, Fate.AMBIGUOUS]),
    code=st.text(min_size=1, max_size=300),
    message=st.text(max_size=3000),
    http_status=st.none() | st.integers(100, 599),
)


def _make_letter(*headers: tuple[str, bytes], attempt: int = 1) -> Received:
    return Received(b"key", b"value", headers, SOURCE, attempt)


def _text(message: Message) -> dict[str, str]:
    return {name: value.decode() for name, value in message.headers}


def test_receipt_says_what_became_of_its_record_with_its_key_and_headers() -> None:
    item = make_item(7, key="acme", attempt=2, job_id="job-1")
    item.headers = (("traceparent", b"00-1"), ("app", b"\xff"))
    message = succeeded(item, Outcome(Fate.DELIVERED, "CREATED", record_id="v-9", warning="w"), "b-1", NOON)
    receipt = decode_succeeded(message.value or b"")
    assert (receipt.event_id, receipt.outcome, receipt.status) == (item.event.event_id, "delivered", "CREATED")
    assert (receipt.record_id, receipt.warning, receipt.batch_id) == ("v-9", "w", "b-1")
    assert (receipt.attempt, receipt.job_id, receipt.source) == (2, "job-1", item.source)
    assert (message.key, message.headers) == (b"acme", [("traceparent", b"00-1"), ("app", b"\xff")])


@pytest.mark.parametrize(
    ("ours", "vendors", "warning"),
    [
        pytest.param("Email cleared", None, "Email cleared", id="ours"),
        pytest.param("Email cleared", "no such city", "Email cleared; no such city", id="both"),
        pytest.param(None, None, None, id="none"),
    ],
)
def test_receipt_repeats_objections(ours: str | None, vendors: str | None, warning: str | None) -> None:
    item = make_item(encoded=Encoded("company", "acme", b"{}", True, warning=ours))
    message = succeeded(item, Outcome(Fate.DELIVERED, "CREATED", warning=vendors), "b-1", NOON)
    assert decode_succeeded(message.value or b"").warning == warning


def test_dead_letter_says_why() -> None:
    assert _text(dead_letter(_make_letter(attempt=2), FAILURE, "b-1", NOON)) == {
        "sluice.attempt": "2",
        "sluice.error.class": "rejected",
        "sluice.error.code": "INVALID_EMAIL",
        "sluice.error.message": "no @ in it",
        "sluice.error.http-status": "200",
        "sluice.batch-id": "b-1",
        "sluice.source.topic": "crm.records",
        "sluice.source.partition": "3",
        "sluice.source.offset": "42",
        "sluice.first-failure-at": "2026-01-02T12:00:00.000Z",
    }


def test_retry_says_when_its_next_attempt_is_due() -> None:
    headers = _text(retry(_make_letter(attempt=2), FAILURE, "b-1", NOON, NOON + timedelta(seconds=30), attempt=3))
    assert headers["sluice.attempt"] == "3"
    assert headers["sluice.not-before"] == "2026-01-02T12:00:30.000Z"


def test_headers_of_an_earlier_failure_do_not_outlive_it() -> None:
    old = {"sluice.not-before": b"2026-01-02T12:00:30.000Z", "sluice.error.http-status": b"503"}
    again = _make_letter(*old.items(), ("sluice.batch-id", b"b-0"), ("sluice.attempt", b"1"), attempt=2)
    headers = _text(dead_letter(again, Failure(Fate.REJECTED, "too-large", "m"), "", NOON))
    assert {*old, "sluice.batch-id"} & headers.keys() == set()
    assert headers["sluice.attempt"] == "2"


def test_first_failure_is_remembered_over_all_attempts() -> None:
    first = retry(_make_letter(), FAILURE, "b-1", NOON, NOON, attempt=3)
    again = Received(b"key", b"value", first.headers, SOURCE, 2)
    second = retry(again, FAILURE, "b-2", NOON + timedelta(hours=1), NOON, attempt=3)
    last = Received(b"key", b"value", second.headers, SOURCE, 3)
    headers = _text(dead_letter(last, FAILURE, "b-3", NOON + timedelta(hours=9)))
    assert headers["sluice.first-failure-at"] == "2026-01-02T12:00:00.000Z"
    assert headers["sluice.batch-id"] == "b-3"


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        pytest.param("sluice.redrive-count", b"2", "2", id="redrives"),
        pytest.param("sluice.first-failure-at", b"\xff", rfc3339(NOON), id="no first failure that is no instant"),
    ],
)
def test_history_is_kept_as_far_as_it_makes_sense(name: str, value: bytes, kept: str) -> None:
    assert _text(dead_letter(_make_letter((name, value)), FAILURE, "b", NOON))[name] == kept


def test_what_is_known_of_a_record_goes_with_it() -> None:
    item = make_item(5)
    item.refs = {"meeting": "7"}
    again = retry(received_message(item), FAILURE, "b-1", NOON, NOON, attempt=2)
    assert refs_of(again.headers) == {"meeting": "7"}
    item.headers, item.refs = again.headers, {"meeting": "7", "attendee": "9"}
    assert refs_of(dead_letter(received_message(item), FAILURE, "b-1", NOON).headers) == item.refs


def test_letter_of_an_item_is_its_message() -> None:
    item = make_item(5, key="k", attempt=4)
    item.headers = [("app", b"1")]
    assert received_message(item) == Received(b"k", item.value, [("app", b"1")], item.source, 4, {})


@given(LETTERS, FAILURES)
@settings(max_examples=200, deadline=None)
def test_what_is_not_ours_is_untouched(letter: Received, failure: Failure) -> None:
    foreign = [header for header in letter.headers if not header[0].startswith("sluice.")]
    for message in (dead_letter(letter, failure, "b", NOON), retry(letter, failure, "b", NOON, NOON, attempt=3)):
        assert (message.key, message.value) == (letter.key, letter.value)
        assert [header for header in message.headers if not header[0].startswith("sluice.")] == foreign


@given(LETTERS, FAILURES)
@settings(max_examples=200, deadline=None)
def test_our_headers_are_overwritten_and_stay_within_their_limit(letter: Received, failure: Failure) -> None:
    first = retry(letter, failure, "b" * 32, NOON, NOON, attempt=3)
    second = dead_letter(letter._replace(headers=first.headers), failure, "b" * 32, NOON)
    for message in (first, second, dead_letter(letter, failure, "b" * 32, NOON)):
        ours = [(name, value) for name, value in message.headers if name.startswith("sluice.")]
        assert len(ours) == len(dict(ours))
        assert sum(len(name.encode()) + len(value) for name, value in ours) <= MAX_HEADER_BYTES


@given(LETTERS, FAILURES)
@settings(max_examples=200, deadline=None)
def test_no_letter_is_without_its_reason_in_headers_that_aiokafka_takes(letter: Received, failure: Failure) -> None:
    message = dead_letter(letter, failure, "b", NOON)
    assert type(message.headers) is list
    assert all(type(name) is str for name, _ in message.headers)
    headers = dict(message.headers)
    assert headers[Header.ERROR_CLASS] == failure.fate.encode()
    assert headers[Header.ERROR_CODE]
    assert {Header.ERROR_MESSAGE, Header.FIRST_FAILURE_AT} <= headers.keys()
    assert (headers[Header.SOURCE_TOPIC], headers[Header.SOURCE_OFFSET]) == (b"crm.records", b"42")


def test_instant_in_a_header_is_in_utc_to_the_millisecond() -> None:
    instant = datetime(2026, 1, 2, 14, 0, 0, 123_999, timezone(timedelta(hours=2)))
    assert (rfc3339(NOON), rfc3339(instant)) == ("2026-01-02T12:00:00.000Z", "2026-01-02T12:00:00.123Z")


@pytest.mark.parametrize("name", [Header.SOURCE_TOPIC, Header.FIRST_FAILURE_AT, Header.REDRIVE_COUNT, Header.ATTEMPT])
def test_forged_headers_stay_within_the_limit(name: str) -> None:
    headers = {"sluice.source.topic": b"t", "sluice.source.partition": b"1", "sluice.source.offset": b"1"}
    message = FakeMessage(headers=list((headers | {str(name): b"9" * 4300}).items()))
    letter = Received(None, None, message.headers, *origin_of(message))
    ours = dead_letter(letter, FAILURE, "b", NOON).headers
    assert sum(len(name) + len(value) for name, value in ours) <= MAX_HEADER_BYTES


@pytest.mark.parametrize("length", range(4))
def test_message_is_cut_between_characters(length: int) -> None:
    failure = Failure(Fate.REJECTED, "c" * length, "😀" * 1024)
    assert _text(dead_letter(_make_letter(), failure, "b" * 32, NOON))  # decodes every value
