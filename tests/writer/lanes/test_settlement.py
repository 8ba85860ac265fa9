"""SettlementBuilder: what each fate writes, and the offsets and keys that it settles."""

from collections.abc import Sequence

import pytest

from sluice.events import RecordEvent, Rows, decode_succeeded
from sluice.flow.batch import Item
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.retry_policy import RetryPolicy
from sluice.writer.lanes.decoding import Undecodable
from sluice.writer.lanes.settlement import Settlement, SettlementBuilder
from tests.support.factories import DELIVERED, INPUT_TOPICS, NOON, FakeMessage, make_item, record
from tests.support.fakes import make_answer

POLICY = RetryPolicy(delays_s=(30.0, 120.0), max_attempts=3, max_age_s=3600.0)


def _make_builder(max_message_bytes: int) -> SettlementBuilder:
    return SettlementBuilder(POLICY, max_message_bytes, INPUT_TOPICS)


def _settle(items: Sequence[Item], *outcomes: Outcome, max_message_bytes: int = 1_000_000) -> Settlement:
    return _make_builder(max_message_bytes).of_answer(make_answer(items, *outcomes), NOON)


def _settle_undecodable(
    message: FakeMessage, event: RecordEvent | None = None, *, topic: int = 0, max_message_bytes: int = 1_000_000
) -> Settlement:
    error = Undecodable("bad-data", "expected an object as data", event)
    return _make_builder(max_message_bytes).of_undecodable(topic, [(message, error)], NOON)


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
    entry = _settle(items, DELIVERED, bad, DELIVERED).entry
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
    assert settlement.entry.rows == [Rows(0, 4, 1, -1)]
    assert (settlement.offsets, settlement.keys) == ({0: [4]}, [])


def test_dead_letter_that_is_too_large_names_the_place_of_its_payload() -> None:
    [letter] = _settle_undecodable(FakeMessage(offset=7, value=b"x" * 2000), max_message_bytes=1000).dead
    assert letter.value is None
    assert dict(letter.headers)["sluice.payload-at"] == b"crm.records/0/7"


def test_item_that_is_too_large_for_its_retry_topic_is_a_dead_letter() -> None:
    settlement = _settle([make_item(7, key="k")], Outcome(Fate.RETRYABLE, "LOCKED"), max_message_bytes=400)
    assert (settlement.retries, len(settlement.dead), settlement.keys) == ({}, 1, [b"k"])


def test_rejected_record_counts_for_its_job() -> None:
    settlement = _settle_undecodable(FakeMessage(), record(key="k", job_id="job-1"))
    assert settlement.entry.jobs == {"job-1": {"rejected": 1}}


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
