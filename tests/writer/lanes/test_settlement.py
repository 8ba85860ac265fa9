"""SettlementBuilder: what each fate writes, and the offsets and keys that it settles."""

from collections import Counter
from collections.abc import Sequence

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.events import Header, Headers, RecordEvent, Rows, decode_succeeded, encode_event
from sluice.flow.batch import Item
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.retry_policy import RetryPolicy
from sluice.kafka.sending import Message
from sluice.writer.lanes.cutting import message_bytes
from sluice.writer.lanes.decoding import Undecodable
from sluice.writer.lanes.message_limits import MIN_MESSAGE_BYTES, MessageLimits
from sluice.writer.lanes.settlement import Settlement, SettlementBuilder
from tests.support.factories import DELIVERED, INPUT_TOPICS, LIMITS, NOON, FakeMessage, make_item, record
from tests.support.fakes import make_answer

LARGE = b"x" * 100_000
SMALL = MessageLimits(
    MIN_MESSAGE_BYTES, MIN_MESSAGE_BYTES, (MIN_MESSAGE_BYTES,) * 2, MIN_MESSAGE_BYTES, MIN_MESSAGE_BYTES
)
NAMES = st.sampled_from(["app", "ü" * 30_000, "traceparent", "tracestate", *map(str, Header), "sluice.other"])
POLICY = RetryPolicy(delays_s=(30.0, 120.0), max_attempts=3, max_age_s=3600.0)


def _settle(items: Sequence[Item], *outcomes: Outcome, limits: MessageLimits = LIMITS) -> Settlement:
    return SettlementBuilder(POLICY, limits, INPUT_TOPICS).of_answer(make_answer(items, *outcomes), NOON)


def _marks(message: Message) -> tuple[str, str]:
    """Return what the headers say of what is cut, and of where it stands."""
    headers = dict(message.headers)
    return headers[Header.CUT].decode(), headers[Header.ORIGINAL_AT].decode()


def _settle_undecodable(
    message: FakeMessage, event: RecordEvent | None = None, *, topic: int = 0, limits: MessageLimits = LIMITS
) -> Settlement:
    error = Undecodable("bad-data", "expected an object as data", event)
    return SettlementBuilder(POLICY, limits, INPUT_TOPICS).of_undecodable(topic, [(message, error)], NOON)


@pytest.mark.parametrize(("fate", "word"), [(Fate.DELIVERED, "delivered"), (Fate.SKIPPED, "skipped")])
def test_item_that_the_vendor_has_taken_gets_a_receipt(fate: Fate, word: str) -> None:
    settlement = _settle([make_item(7, key="7")], Outcome(fate, "CODE"))
    [receipt] = settlement.succeeded
    assert decode_succeeded(receipt.value or b"").outcome == word
    assert (settlement.dead, settlement.retries) == ([], {})
    assert (settlement.offsets, settlement.keys) == ({0: [7]}, [b"7"])


@pytest.mark.parametrize(
    ("fate", "attempt"),
    [
        pytest.param(Fate.REJECTED, 1, id="rejected"),
        pytest.param(Fate.AMBIGUOUS, 1, id="ambiguous"),
        pytest.param(Fate.RETRYABLE, 3, id="retryable after the last attempt"),
    ],
)
def test_item_that_is_given_up_is_a_dead_letter(fate: Fate, attempt: int) -> None:
    settlement = _settle([make_item(7, key="k", attempt=attempt)], Outcome(fate, "CODE", "why"))
    [letter] = settlement.dead
    assert dict(letter.headers)["sluice.error.class"] == fate.value.encode()
    assert (settlement.succeeded, settlement.retries) == ([], {})
    assert (settlement.offsets, settlement.keys) == ({0: [7]}, [b"k"])


@pytest.mark.parametrize(
    ("attempt", "tier", "due"),
    [
        pytest.param(1, 1, b"2026-01-02T12:00:30.000Z", id="the first failure waits in the first tier"),
        pytest.param(2, 2, b"2026-01-02T12:02:00.000Z", id="the second failure waits in the second tier"),
    ],
)
def test_retryable_item_goes_to_its_tier_and_keeps_its_key(attempt: int, tier: int, due: bytes) -> None:
    settlement = _settle([make_item(7, key="k", attempt=attempt)], Outcome(Fate.RETRYABLE, "LOCKED"))
    [message] = settlement.retries[tier]
    assert dict(message.headers)["sluice.not-before"] == due
    assert (settlement.succeeded, settlement.dead) == ([], [])
    assert (settlement.offsets, settlement.keys) == ({0: [7]}, [])


def test_settlement_names_rows_of_each_topic_and_counts_by_fate() -> None:
    items = [make_item(5), make_item(6), make_item(9, topic=1, job_id="j")]
    bad = Outcome(Fate.REJECTED, "BAD")
    [entry] = _settle(items, DELIVERED, bad, DELIVERED).entries
    assert entry.rows == [Rows(0, 5, 2, 0), Rows(1, 9, 1, 2)]
    assert entry.counts == {"delivered": 2, "rejected": 1}
    assert entry.jobs == {"j": {"delivered": 1}}
    assert (entry.batch_id, entry.state, entry.batch_key) == ("batch-1", "settled", "company")


def test_offsets_are_settled_in_rising_order_whatever_the_order_of_outcomes() -> None:
    assert _settle([make_item(9), make_item(3)], DELIVERED, DELIVERED).offsets == {0: [3, 9]}


def test_undecodable_message_is_settled_without_a_batch() -> None:
    settlement = _settle_undecodable(FakeMessage(offset=4, value=b"\xff"))
    [letter] = settlement.dead
    assert (letter.key, letter.value) == (b"k", b"\xff")
    assert dict(letter.headers)["sluice.error.code"] == b"bad-data"
    assert settlement.entries[0].rows == [Rows(0, 4, 1, -1)]
    assert (settlement.offsets, settlement.keys) == ({0: [4]}, [])


def test_dead_letter_that_is_too_large_names_the_place_of_its_payload() -> None:
    [letter] = _settle_undecodable(FakeMessage(offset=7, value=LARGE), limits=SMALL).dead
    assert letter.value is None
    assert _marks(letter) == ("payload", "crm.records/0/7")


def test_receipt_of_a_record_with_large_headers_is_written_without_them() -> None:
    item = make_item(7, key="k")
    item.headers = [("app", LARGE), ("traceparent", b"00-1")]
    [receipt] = _settle([item], DELIVERED, limits=SMALL).succeeded
    assert receipt.headers[0] == ("traceparent", b"00-1")
    assert (receipt.key, *_marks(receipt)) == (b"k", "headers", "crm.records/0/7")


def test_receipt_of_a_record_with_a_large_key_is_written_without_it() -> None:
    [receipt] = _settle([make_item(7, key=LARGE.decode())], DELIVERED, limits=SMALL).succeeded
    assert (receipt.key, *_marks(receipt)) == (None, "key,event-key", "crm.records/0/7")
    assert decode_succeeded(receipt.value or b"").key is None


def test_retry_loses_large_headers_and_its_dead_letter_still_says_where_they_are() -> None:
    item = make_item(7, key="k")
    item.headers = [("app", LARGE)]
    [retry] = _settle([item], Outcome(Fate.RETRYABLE, "LOCKED"), limits=SMALL).retries[1]
    assert (retry.key, retry.value, *_marks(retry)) == (b"k", item.value, "headers", "crm.records/0/7")
    again = make_item(3, topic=1, attempt=2)
    again.headers = retry.headers
    [letter] = _settle([again], Outcome(Fate.REJECTED, "BAD"), limits=SMALL).dead
    assert _marks(letter) == ("headers", "crm.records/0/7")
    again.value = LARGE
    [letter] = _settle([again], Outcome(Fate.REJECTED, "BAD"), limits=SMALL).dead
    assert _marks(letter) == ("headers,payload", "crm.records/0/7")


def test_record_cannot_claim_that_something_of_it_stands_elsewhere() -> None:
    message = FakeMessage(offset=7, headers=[("sluice.cut", b"payload"), ("sluice.original-at", b"other/0/1")])
    [letter] = _settle_undecodable(message).dead
    assert {"sluice.cut", "sluice.original-at"} & dict(letter.headers).keys() == set()


@pytest.mark.parametrize(
    ("key", "value"),
    [pytest.param("k", LARGE, id="its payload"), pytest.param(LARGE.decode(), b"{}", id="its key")],
)
def test_item_that_is_too_large_for_its_retry_topic_is_a_dead_letter(key: str, value: bytes) -> None:
    item = make_item(7, key=key)
    item.value = value
    settlement = _settle([item], Outcome(Fate.RETRYABLE, "LOCKED"), limits=SMALL)
    assert (settlement.retries, len(settlement.dead), settlement.keys) == ({}, 1, [key.encode()])


def test_words_of_the_vendor_are_bounded() -> None:
    wordy = Outcome(Fate.DELIVERED, "c" * 9999, record_id="i" * 9999, warning="w" * 9999)
    settlement = _settle([make_item(7)], wordy)
    receipt = decode_succeeded(settlement.succeeded[0].value or b"")
    assert [len(text or "") for text in (receipt.status, receipt.record_id, receipt.warning)] == [128, 1024, 1024]
    assert settlement.outcomes == {(Fate.DELIVERED, "c" * 128): 1}


@given(
    key=st.sampled_from([None, "k", "ä" * 20_000, "k" * 40_000]),
    headers=st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=99) | st.just(LARGE)), max_size=40),
    value=st.sampled_from([b"{}", LARGE]),
    job_id=st.none() | st.text(min_size=200, max_size=256),
    outcome=st.builds(Outcome, st.sampled_from(Fate), st.text(), st.text(), st.none() | st.text(min_size=2000)),
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_written_of_a_record_fits_into_its_topic(
    key: str | None, headers: Headers, value: bytes, job_id: str | None, outcome: Outcome
) -> None:
    item = make_item(7, key="k", event=record(key=key, event_id="e", job_id=job_id))
    item.headers, item.value = headers, value
    item.key = None if key is None else key.encode()
    settlement = _settle([item], outcome, limits=SMALL)
    written = [*settlement.succeeded, *settlement.dead, *(one for many in settlement.retries.values() for one in many)]
    assert len(written) == 1
    estimate = DefaultRecordBatchBuilder.estimate_size_in_bytes(written[0].key, written[0].value, written[0].headers)
    assert estimate <= message_bytes(written[0]) <= MIN_MESSAGE_BYTES
    assert [len(encode_event(entry)) <= SMALL.entry for entry in settlement.entries] == [True]


def test_journal_entry_that_is_too_large_is_several_and_nothing_counts_twice() -> None:
    items = [make_item(2 * n, job_id=f"job-{n}-{'x' * 250}") for n in range(1000)]
    fates = [DELIVERED if n % 3 else Outcome(Fate.REJECTED, "BAD") for n in range(1000)]
    entries = _settle(items, *fates, limits=SMALL).entries
    assert len(entries) > 1
    assert all(len(encode_event(entry)) <= SMALL.entry for entry in entries)
    assert [row.offset for entry in entries for row in entry.rows] == [item.offset for item in items]
    assert sum(entry.body_bytes for entry in entries) == sum(len(item.encoded.body) for item in items)
    assert sum((Counter(entry.counts) for entry in entries), Counter()) == Counter(delivered=666, rejected=334)
    assert len({job_id for entry in entries for job_id in entry.jobs}) == 1000


def test_rejected_record_counts_for_its_job() -> None:
    settlement = _settle_undecodable(FakeMessage(), record(key="k", job_id="job-1"))
    assert settlement.entries[0].jobs == {"job-1": {"rejected": 1}}


def test_retryable_item_that_has_failed_for_too_long_is_a_dead_letter() -> None:
    item = make_item(7, attempt=2)
    item.headers = [("sluice.first-failure-at", b"2026-01-02T10:59:59Z")]
    settlement = _settle([item], Outcome(Fate.RETRYABLE, "LOCKED"))
    assert (settlement.retries, settlement.dead_by_class) == ({}, {"retryable": 1})


@pytest.mark.parametrize(
    ("topic", "key", "event", "keys"),
    [
        pytest.param(0, b"k", None, [], id="a new record held no key"),
        pytest.param(1, b"k", None, [b"k"], id="a retry held its message key"),
        pytest.param(1, None, record(key="e"), [b"e"], id="a retry without one held its event's"),
        pytest.param(1, None, None, [], id="a retry that is no record event held none"),
    ],
)
def test_undecodable_message_frees_the_key_that_it_held(
    topic: int, key: bytes | None, event: RecordEvent | None, keys: list[bytes]
) -> None:
    assert _settle_undecodable(FakeMessage(key=key), event, topic=topic).keys == keys


def test_key_that_an_undecodable_retry_has_parked_is_freed_as_it_was_folded() -> None:
    builder = SettlementBuilder(POLICY, LIMITS, INPUT_TOPICS, bytes.lower)
    settlement = builder.of_undecodable(1, [(FakeMessage(key=b"Ab"), Undecodable("code", "why"))], NOON)
    assert settlement.keys == [b"ab"]
