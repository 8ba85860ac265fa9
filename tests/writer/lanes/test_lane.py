"""Lane: each message that comes in is settled once, and then frees its key."""

from collections.abc import Sequence
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.events import Rows, encode_event
from sluice.flow.batch import InDoubt, Item
from sluice.flow.key_order import OrderTerms
from sluice.flow.outcome import Fate, Outcome
from sluice.kafka.sending import Message
from tests.support.factories import (
    DELIVERED,
    INPUT_TOPICS,
    NOON,
    FakeMessage,
    make_item,
    make_lane_job,
    record,
    record_message,
)
from tests.support.fakes import BUILDER, FakeLane, make_answer, settle


def _read_again(message: Message, topic: int, offset: int) -> FakeMessage:
    """Return a retry as its topic hands it out."""
    return FakeMessage(
        topic=INPUT_TOPICS[topic], offset=offset, key=message.key, value=message.value, headers=message.headers
    )


def _offsets(items: Sequence[Item]) -> list[int]:
    return [item.offset for item in items]


def test_followers_of_a_retried_item_wait_until_its_retry_is_settled() -> None:
    lane = FakeLane()
    first, second = (record_message(offset, record(key="k")) for offset in (0, 1))
    settle(lane, lane.accept(0, [first, second]), Outcome(Fate.RETRYABLE, "LOCKED"))
    [message] = lane.settlements[-1].retries[1]
    assert lane.commit() == []
    assert lane.waiting_retries[1] == 1
    retried = lane.accept(1, [_read_again(message, 1, 0)])
    assert lane.waiting_retries[1] == 0
    assert (_offsets(retried), retried[0].attempt, retried[0].topic) == ([0], 2, 1)
    settle(lane, retried, DELIVERED)
    assert _offsets(lane.commit()) == [1]


def test_undecodable_message_does_not_hold_up_its_neighbours() -> None:
    lane = FakeLane()
    messages = [record_message(0), FakeMessage(offset=1, value=None), record_message(2)]
    assert _offsets(lane.accept(0, messages)) == [0, 2]
    lane.commit()
    assert (lane.progress[0].position, lane.progress[0].unsettled) == (0, 2)


def test_undecodable_message_frees_no_key_that_a_good_record_holds() -> None:
    lane = FakeLane()
    messages = [record_message(0, record(key="k")), FakeMessage(offset=1, value=b"{}", key=b"k")]
    assert _offsets(lane.accept(0, [*messages, record_message(2, record(key="k"))])) == [0]
    assert lane.commit() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param(b"k", b"{}", id="of its message, when it cannot be read"),
        pytest.param(None, encode_event(record(key="k", data=b'"bad"')), id="of its event, when it cannot be sent"),
    ],
)
def test_retry_that_can_be_no_item_any_more_frees_the_key(key: bytes | None, value: bytes) -> None:
    lane = FakeLane()
    lane.order.park([b"k"])
    lane.accept(0, [record_message(0, record(key="k"))])
    lane.accept(1, [FakeMessage(topic=INPUT_TOPICS[1], key=key, value=value)])
    assert _offsets(lane.commit()) == [0]


def test_offsets_that_were_settled_before_are_skipped_and_passed() -> None:
    lane = FakeLane(positions=(10, 0, 0), settled=[{11, 12}, set(), set()])
    items = lane.accept(0, [record_message(offset) for offset in (10, 11, 12, 13)])
    assert _offsets(items) == [10, 13]
    assert (lane.buffer.items, lane.settlements) == (2, [])
    settle(lane, items[:1], DELIVERED)
    lane.commit()
    assert lane.progress[0].position == 13


def test_message_is_taken_once() -> None:
    lane = FakeLane(positions=(5, 0, 0))
    assert _offsets(lane.accept(0, [record_message(4), record_message(5)])) == [5]
    assert _offsets(lane.accept(0, [record_message(5), record_message(6)])) == [6]
    assert lane.buffer.items == 2


@pytest.mark.parametrize(("ordered", "offsets"), [(True, [0]), (False, [0, 1])])
def test_later_item_of_a_key_waits_in_its_lane_if_there_is_an_order(ordered: bool, offsets: list[int]) -> None:
    lane = FakeLane(order_terms=OrderTerms(ordered=ordered, max_items=9, max_bytes=9_999))
    assert _offsets(lane.accept(0, [record_message(n, record(key="k")) for n in (0, 1)])) == offsets
    assert (len(offsets) + lane.order.waiting, lane.buffer.items) == (2, 2)


def test_item_that_an_earlier_owner_was_sending_says_so() -> None:
    opened = InDoubt(batch_id="batch-0", refs={}, requested_at=NOON, lost_at_s=0.0)
    lane = FakeLane(in_doubt=[{1: opened}, {}, {}])
    items = lane.accept(0, [record_message(0), record_message(1)])
    assert [item.in_doubt for item in items] == [None, opened]


def test_item_comes_with_what_was_noted_of_it_in_its_headers_and_since() -> None:
    lane = FakeLane(refs=[{1: {"added": "9"}}, {}, {}])
    message = record_message(1)
    message.headers = [("sluice.refs", b'{"meeting":"7"}')]
    items = lane.accept(0, [record_message(0), message])
    assert [item.refs for item in items] == [{}, {"meeting": "7", "added": "9"}]


def test_lane_is_stale_when_nothing_was_committed_for_long() -> None:
    lane = FakeLane()
    lane.kept.confirmed_at_s = 100.0
    assert not lane.is_stale(110.0)
    assert lane.is_stale(110.1)


def test_age_counts_from_the_oldest_record_that_is_not_settled() -> None:
    lane = FakeLane()
    assert lane.oldest_age_s(inf) == 0.0
    items = lane.accept(0, [record_message(0)])
    assert lane.oldest_age_s(inf) == inf
    settle(lane, items, DELIVERED)
    lane.commit()
    assert lane.oldest_age_s(inf) == 0.0


OUTCOMES = st.sampled_from([Outcome(fate, fate.name) for fate in Fate])
MESSAGES = st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=15)
"""By offset: the key, and whether it cannot be decoded."""


@given(MESSAGES, st.data())
@settings(max_examples=100, deadline=None)
def test_every_message_is_settled_once_and_leaves_nothing_behind(
    messages: list[tuple[str, bool]], data: st.DataObject
) -> None:
    lane = FakeLane()
    settled: list[tuple[int, int]] = []
    under_way = lane.accept(0, [_make_message(offset, *message) for offset, message in enumerate(messages)])
    retried = {1: 0, 2: 0}
    while under_way or lane.settlements:
        for item in under_way:
            settle(lane, [item], data.draw(OUTCOMES))
        settlements = list(lane.settlements)
        under_way = lane.commit()
        for settlement in settlements:
            settled += [(topic, offset) for topic, offsets in settlement.offsets.items() for offset in offsets]
            receipts = len(settlement.succeeded) + len(settlement.dead) + sum(map(len, settlement.retries.values()))
            assert receipts == settlement.items
            for topic, letters in settlement.retries.items():
                for letter in letters:
                    under_way += lane.accept(topic, [_read_again(letter, topic, retried[topic])])
                    retried[topic] += 1
    expected = [(0, offset) for offset in range(len(messages))]
    expected += [(topic, offset) for topic, count in retried.items() for offset in range(count)]
    assert sorted(settled) == sorted(expected)
    assert [progress.position for progress in lane.progress] == [len(messages), *retried.values()]
    assert (lane.buffer.items, lane.buffer.item_bytes, lane.order.waiting) == (0, 0, 0)


def _make_message(offset: int, key: str, undecodable: bool) -> FakeMessage:
    return FakeMessage(offset=offset, key=key.encode()) if undecodable else record_message(offset, record(key=key))


def test_messages_without_any_key_do_not_wait_for_each_other() -> None:
    events = [record(key=None, operation="insert", event_id=f"e-{n}") for n in (0, 1)]
    messages = [FakeMessage(key=None, offset=n, value=encode_event(event)) for n, event in enumerate(events)]
    assert _offsets(FakeLane().accept(0, messages)) == [0, 1]


@pytest.mark.parametrize("built", [False, True], ids=["answered when it was lost already", "settled, not committed"])
@pytest.mark.parametrize(
    ("position", "settled", "left"),
    [
        pytest.param(5, set(), [5, 6, 7], id="nothing was settled meanwhile"),
        pytest.param(7, set(), [], id="the commit has moved on"),
        pytest.param(5, {6}, [], id="one was settled beyond the commit"),
        pytest.param(8, set(), [], id="all were settled"),
    ],
)
def test_kept_answers_are_settled_unless_somebody_has_begun_to(
    position: int, settled: set[int], left: list[int], built: bool
) -> None:
    lane = FakeLane(0, positions=(position, 0, 0), settled=[settled])
    answer = make_answer([make_item(offset) for offset in (5, 6, 7)], *[DELIVERED] * 3)
    assert lane.settle_kept([BUILDER.of_answer(answer, NOON) if built else answer], NOON) is bool(left)
    assert [offset for one in lane.settlements for offset in one.offsets[0]] == left
    assert lane.buffer.items == len(left)
    read = lane.accept(0, [record_message(offset) for offset in range(position, 10)])
    assert _offsets(read) == [one for one in range(position, 10) if one not in {*left, *settled}]


def test_kept_answer_is_not_settled_when_somebody_has_given_its_item_to_the_vendor_as_a_job() -> None:
    lane = FakeLane(0, positions=(5, 0, 0), jobs=[make_lane_job(Rows(0, 6, 1, 0), refs={"job": "J"})])
    kept = [make_answer([make_item(5), make_item(6)], DELIVERED, DELIVERED), make_answer([make_item(7)], DELIVERED)]
    assert lane.settle_kept(kept, NOON)
    assert [one.offsets for one in lane.settlements] == [{0: [7]}]


def test_kept_answer_that_sends_its_item_to_a_retry_topic_parks_the_key() -> None:
    lane = FakeLane(0)
    lane.settle_kept([make_answer([make_item(0, key="k")], Outcome(Fate.RETRYABLE, "LOCKED"))], NOON)
    assert lane.accept(0, [record_message(1, record(key="k"))]) == []


def test_follower_waits_until_the_lost_request_of_its_key_has_surely_ended() -> None:
    lane = FakeLane(0)
    first, other = lane.accept(0, [record_message(n, record(key=key)) for n, key in enumerate("kok")])
    first.may_run_until_s = 30.0
    settle(lane, [first, other], DELIVERED, DELIVERED)
    assert lane.commit() == []
    assert lane.accept(0, [record_message(3, record(key="k"))]) == []
    assert [item.offset for item in lane.accept(0, [record_message(4, record(key="o"))])] == [4]
    assert lane.due(29.9) == []
    assert [item.offset for item in lane.due(30.0)] == [2]
    assert lane.due(1000.0) == []
