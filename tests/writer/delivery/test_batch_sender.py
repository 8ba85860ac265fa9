"""BatchSender: it waits for the end of an outage, isolates bad items, and asks about lost answers."""

import asyncio
from collections.abc import Callable, Sequence
from math import ceil, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Unavailable
from sluice.flow.batch import Batch
from sluice.flow.outcome import Fate, Outcome
from tests.support.factories import DELIVERED, make_item
from tests.support.fakes import FakeDestination, deliver_all, instantly, now_s, run_instantly, scripted
from tests.writer.delivery.setups import (
    LOST,
    OPENED,
    OUTAGE,
    REFUSED,
    SenderSetup,
    fates_by_offset,
    make_items,
    recovered_after,
)


def _refuse(*bad: int) -> Callable[[Batch], list[Outcome]]:
    """Make a vendor that refuses any request with one of ``bad`` in it."""

    def answer(batch: Batch) -> list[Outcome]:
        if any(item.offset in bad for item in batch.items):
            raise REFUSED
        return deliver_all(batch)

    return answer


def test_answered_batch_has_an_outcome_per_item() -> None:
    setup = SenderSetup(FakeDestination(), make_items(3))
    fates = run_instantly(setup.fates())
    assert fates == [(item, DELIVERED) for item in setup.batch.items]
    assert setup.sender.requests == 1


@instantly
async def test_outage_holds_and_resumes_with_the_same_batch() -> None:
    setup = SenderSetup(FakeDestination(scripted(*[Unavailable("503", "busy", 60.0)] * 100)), make_items(3))
    started_at_s = now_s()
    fates = await setup.fates()
    assert now_s() - started_at_s == pytest.approx(6000)
    assert setup.destination.requests == [[0, 1, 2]] * 101
    assert {item.attempt for item, _ in fates} == {1}
    assert set(fates_by_offset(fates).values()) == {Fate.DELIVERED}


def test_one_bad_item_among_a_thousand_costs_two_requests_a_halving() -> None:
    """At most ``2·⌈log2 n⌉`` more: 20 for 1,000, where 2·log2(1000) is 19.93; most items need 18 to 20."""
    most = 0
    for bad in (0, 1, 499, 500, 624, 998, 999):
        setup = SenderSetup(FakeDestination(_refuse(bad)), make_items(1000))
        fates = fates_by_offset(run_instantly(setup.fates()))
        assert [offset for offset, fate in fates.items() if fate is Fate.REJECTED] == [bad]
        assert list(fates.values()).count(Fate.DELIVERED) == 999
        most = max(most, setup.sender.requests - 1)
    assert most == 2 * ceil(log2(1000)) == 20


@given(st.integers(1, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_bad_items_are_rejected_and_all_others_delivered_once(count: int, data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.integers(0, count - 1)))
    setup = SenderSetup(FakeDestination(_refuse(*bad)), make_items(count))
    fates = fates_by_offset(run_instantly(setup.fates()))
    assert fates == {offset: Fate.REJECTED if offset in bad else Fate.DELIVERED for offset in range(count)}
    assert setup.sender.requests <= 1 + len(bad) * 2 * ceil(log2(count) if count > 1 else 0)


def test_isolated_item_keeps_the_code_of_its_refusal() -> None:
    setup = SenderSetup(FakeDestination(_refuse(0)), make_items(1))
    [(_, outcome)] = run_instantly(setup.fates())
    assert outcome == Outcome(Fate.REJECTED, "400", "bad request", None, 400)


def test_outage_while_bisecting_is_waited_for() -> None:
    setup = SenderSetup(FakeDestination(scripted(REFUSED, OUTAGE, None, OUTAGE, REFUSED, None)), make_items(3))
    assert fates_by_offset(run_instantly(setup.fates()))[0] is Fate.DELIVERED
    assert setup.destination.requests[:3] == [[0, 1, 2], [0], [0]]


def test_part_of_a_batch_counts_its_own_bytes() -> None:
    parts: list[Batch] = []

    def answer(batch: Batch) -> list[Outcome]:
        parts.append(batch)
        if len(batch.items) > 1:
            raise REFUSED
        return deliver_all(batch)

    items = [make_item(0, body=b"xx"), make_item(1, body=b"xxx")]
    run_instantly(SenderSetup(FakeDestination(answer), items).fates())
    assert [(part.batch_id, len(part.items), part.reason) for part in parts[1:]] == [("batch-1", 1, "bisect")] * 2
    assert 2 <= parts[1].body_bytes < parts[2].body_bytes <= 4


def test_lost_answer_of_a_batch_that_may_be_repeated_is_sent_again() -> None:
    setup = SenderSetup(FakeDestination(scripted(LOST)), make_items(2))
    assert set(fates_by_offset(run_instantly(setup.fates())).values()) == {Fate.DELIVERED}
    assert setup.destination.requests == [[0, 1], [0, 1]]


def test_lost_answer_of_an_item_that_must_not_be_repeated_is_ambiguous() -> None:
    items = [make_item(0), make_item(1, replay_safe=False), make_item(2)]
    setup = SenderSetup(FakeDestination(scripted(LOST)), items)
    assert fates_by_offset(run_instantly(setup.fates())) == {
        0: Fate.DELIVERED,
        1: Fate.AMBIGUOUS,
        2: Fate.DELIVERED,
    }
    assert setup.destination.requests == [[0, 1, 2], [0, 2]]


def test_lost_item_that_was_not_applied_is_sent_again() -> None:
    items = [make_item(offset, replay_safe=False) for offset in range(2)]
    setup = SenderSetup(FakeDestination(scripted(LOST), recovered=lambda batch: [DELIVERED, None]), items)
    assert fates_by_offset(run_instantly(setup.fates())) == {0: Fate.DELIVERED, 1: Fate.DELIVERED}
    assert setup.destination.requests == [[0, 1], [1]]


def test_vendor_is_asked_again_until_it_answers_what_became_of_an_item() -> None:
    destination = FakeDestination(scripted(LOST), recovered=recovered_after(OUTAGE, LOST))
    setup = SenderSetup(destination, [make_item(0, replay_safe=False)])
    assert fates_by_offset(run_instantly(setup.fates())) == {0: Fate.DELIVERED}
    assert setup.destination.requests == [[0]]


def test_batch_that_an_earlier_owner_left_open_is_asked_after_before_it_is_sent() -> None:
    items = [make_item(offset, replay_safe=False) for offset in range(3)]
    rejected = Outcome(Fate.REJECTED, "BAD")
    setup = SenderSetup(FakeDestination(recovered=lambda batch: [DELIVERED, None, rejected]), items, in_doubt=OPENED)
    assert fates_by_offset(run_instantly(setup.fates())) == {0: Fate.DELIVERED, 1: Fate.DELIVERED, 2: Fate.REJECTED}
    assert setup.destination.asked == [([0, 1, 2], OPENED)]
    assert setup.destination.requests == [[1]]


def test_batch_of_which_nobody_can_tell_is_ambiguous_and_not_sent() -> None:
    setup = SenderSetup(FakeDestination(), [make_item(0, replay_safe=False)], in_doubt=OPENED)
    assert fates_by_offset(run_instantly(setup.fates())) == {0: Fate.AMBIGUOUS}
    assert setup.destination.requests == []


def test_outage_of_an_item_that_must_not_be_repeated_is_waited_for() -> None:
    setup = SenderSetup(FakeDestination(scripted(OUTAGE, OUTAGE)), [make_item(0, replay_safe=False)])
    assert fates_by_offset(run_instantly(setup.fates())) == {0: Fate.DELIVERED}


def test_five_lost_answers_of_a_vendor_that_is_well_isolate_the_item() -> None:
    def answer(batch: Batch) -> list[Outcome]:
        if any(item.offset == 2 for item in batch.items):
            raise LOST
        return deliver_all(batch)

    setup = SenderSetup(FakeDestination(answer), make_items(4))
    assert fates_by_offset(run_instantly(setup.fates())) == {
        0: Fate.DELIVERED,
        1: Fate.DELIVERED,
        2: Fate.RETRYABLE,
        3: Fate.DELIVERED,
    }
    assert setup.destination.requests.count([0, 1, 2, 3]) == 5


def test_lost_answers_of_a_vendor_that_is_not_well_are_held() -> None:
    setup = SenderSetup(FakeDestination(scripted(*[LOST] * 30), ill=Unavailable("connect", "refused")), make_items(2))
    assert set(fates_by_offset(run_instantly(setup.fates())).values()) == {Fate.DELIVERED}
    assert setup.destination.requests == [[0, 1]] * 31
    assert setup.destination.checks == 26


def test_what_a_person_must_change_is_raised() -> None:
    setup = SenderSetup(FakeDestination(scripted(OUTAGE, Misconfigured("unknown tenant"))), make_items(2))
    with pytest.raises(Misconfigured, match="unknown tenant"):
        run_instantly(setup.fates())


@instantly
async def test_request_is_with_the_vendor_until_it_is_answered() -> None:
    setup = SenderSetup(FakeDestination(scripted(Unavailable("503", "busy", 60.0)), latency_s=10.0), make_items(1))
    fates = asyncio.create_task(setup.fates())
    seen: list[bool] = []
    for _ in range(4):
        await asyncio.sleep(5 if not seen else 20)
        seen.append(setup.sender.with_vendor)
    assert seen == [True, False, False, False]
    assert await fates


@instantly
async def test_cancelled_request_gives_its_permit_back() -> None:
    setup = SenderSetup(FakeDestination(latency_s=10.0), make_items(1))
    fates = asyncio.create_task(setup.fates())
    await asyncio.sleep(5)
    fates.cancel()
    await asyncio.wait([fates])
    assert fates.cancelled()
    assert (setup.limiter.in_flight, setup.sender.with_vendor) == (0, False)


SCRIPT = st.lists(
    st.sampled_from(
        [
            None,
            Fate.RETRYABLE,
            Fate.REJECTED,
            OUTAGE,
            Unavailable("429", "slow down", 7.0, overloaded=True),
            LOST,
            Ambiguous("timed out", timed_out=True),
            REFUSED,
        ]
    ),
    max_size=30,
)


@given(SCRIPT, st.lists(st.booleans(), min_size=1, max_size=9), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_script_of_answers_gives_each_item_one_fate(
    script: list[BatchError | Fate | None],
    replay_safe: list[bool],
    ill: bool,
) -> None:
    items = [make_item(offset, replay_safe=safe) for offset, safe in enumerate(replay_safe)]
    setup = SenderSetup(FakeDestination(scripted(*script), ill=OUTAGE if ill else None), items)
    fates = fates_by_offset(run_instantly(setup.fates()))
    assert sorted(fates) == list(range(len(items)))
    assert setup.limiter.in_flight == 0


@given(SCRIPT, st.integers(1, 9))
@settings(max_examples=150, deadline=None)
def test_item_that_must_not_be_repeated_is_never_sent_after_a_lost_answer(
    script: list[BatchError | Fate | None], count: int
) -> None:
    answer = scripted(*script)
    lost: set[int] = set()

    def remembering(batch: Batch) -> Sequence[Outcome]:
        assert not lost & {item.offset for item in batch.items if not item.encoded.replay_safe}
        try:
            outcomes = answer(batch)
        except Ambiguous:
            lost.update(item.offset for item in batch.items)
            raise
        assert isinstance(outcomes, list)
        return outcomes

    items = [make_item(offset, replay_safe=offset % 2 == 0) for offset in range(count)]
    run_instantly(SenderSetup(FakeDestination(remembering), items).fates())


def test_question_that_the_vendor_refuses_leaves_the_item_ambiguous() -> None:
    destination = FakeDestination(scripted(LOST), recovered=recovered_after(REFUSED))
    setup = SenderSetup(destination, [make_item(0, replay_safe=False)])
    assert fates_by_offset(run_instantly(setup.fates())) == {0: Fate.AMBIGUOUS}


@instantly
async def test_vendor_is_not_asked_before_it_wants_to_be() -> None:
    slow_down = Unavailable("429", "slow down", 300.0, overloaded=True)
    destination = FakeDestination(scripted(LOST), recovered=recovered_after(slow_down))
    setup = SenderSetup(destination, [make_item(0, replay_safe=False)])
    started_at_s = now_s()
    await setup.fates()
    assert now_s() - started_at_s >= 300


def test_lost_answers_count_only_in_a_row() -> None:
    setup = SenderSetup(FakeDestination(scripted(LOST, LOST, LOST, LOST, OUTAGE, LOST)), make_items(1))
    assert fates_by_offset(run_instantly(setup.fates())) == {0: Fate.DELIVERED}
