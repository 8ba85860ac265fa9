"""BatchSender: it waits for the end of an outage, isolates bad items, and asks about lost answers."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from math import ceil, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.destinations.contract import Ambiguous, BatchError, Unavailable, unproven
from sluice.flow.batch import Batch
from sluice.flow.outcome import Fate, Outcome
from sluice.writer.delivery.batch_sender import GATHER_S, RECOVERY_BASE_S
from tests.support.factories import DELIVERED, NOON, make_item, make_items
from tests.support.fakes import FakeDestination, Recovery, deliver_all, recovered_after, scripted
from tests.support.instant_clock import duration_s, instantly, now_s
from tests.writer.delivery.setups import LOST, OPENED, OUTAGE, REFUSED, SenderSetup

DONE, AMBIGUOUS = Fate.DELIVERED, Fate.AMBIGUOUS


def _fail(error: BatchError, *bad: int) -> Callable[[Batch], list[Outcome]]:
    """Make a vendor that answers ``error`` to any request with one of ``bad`` in it."""

    def answer(batch: Batch) -> list[Outcome]:
        if any(item.offset in bad for item in batch.items):
            raise error
        return deliver_all(batch)

    return answer


@instantly
async def test_outage_holds_and_resumes_with_the_same_batch() -> None:
    setup = SenderSetup(FakeDestination(scripted(*[Unavailable("503", "busy", 60.0)] * 100)), make_items(3))
    assert await duration_s(setup.fates()) == pytest.approx(6000)
    assert setup.destination.requests == [[0, 1, 2]] * 101
    assert [(item.attempt, outcome) for item, outcome in setup.settled] == [(1, DELIVERED)] * 3


def test_one_bad_item_among_a_thousand_costs_two_requests_a_halving() -> None:
    """At most ``2·⌈log2 n⌉`` more: 20 for 1,000, where 2·log2(1000) is 19.93; most items need 18 to 20."""
    most = 0
    for bad in (0, 1, 499, 500, 624, 998, 999):
        setup = SenderSetup(FakeDestination(_fail(REFUSED, bad)), make_items(1000))
        setup.run()
        outcomes = {item.offset: outcome for item, outcome in setup.settled}
        refused = outcomes.pop(bad)
        assert refused == Outcome(Fate.REJECTED, "400", "bad request", None, 400)
        assert list(outcomes.values()) == [DELIVERED] * 999
        most = max(most, setup.sender.requests - 1)
    assert most == 2 * ceil(log2(1000)) == 20


@given(st.integers(1, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_bad_items_are_rejected_and_all_others_delivered_once(count: int, data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.integers(0, count - 1)))
    setup = SenderSetup(FakeDestination(_fail(REFUSED, *bad)), make_items(count))
    assert setup.run() == {offset: Fate.REJECTED if offset in bad else DONE for offset in range(count)}
    assert setup.sender.requests <= 1 + len(bad) * 2 * ceil(log2(count) if count > 1 else 0)


def test_outage_while_bisecting_is_waited_for() -> None:
    setup = SenderSetup(FakeDestination(scripted(REFUSED, OUTAGE, None, OUTAGE, REFUSED, None)), make_items(3))
    assert setup.run() == {0: DONE, 1: DONE, 2: DONE}
    assert setup.destination.requests[:3] == [[0, 1, 2], [0], [0]]


def test_part_of_a_batch_counts_its_own_bytes() -> None:
    parts: list[Batch] = []

    def answer(batch: Batch) -> list[Outcome]:
        parts.append(batch)
        if len(batch.items) > 1:
            raise REFUSED
        return deliver_all(batch)

    items = [make_item(0, body=b"xx"), make_item(1, body=b"xxx")]
    SenderSetup(FakeDestination(answer), items).run()
    assert [(part.batch_id, len(part.items), part.reason) for part in parts[1:]] == [("batch-1", 1, "bisect")] * 2
    assert 2 <= parts[1].body_bytes < parts[2].body_bytes <= 4


@pytest.mark.parametrize(
    ("script", "unsafe", "fates", "requests"),
    [
        pytest.param([], (), [DONE, DONE], [[0, 1]], id="answered"),
        pytest.param([LOST], (), [DONE, DONE], [[0, 1], [0, 1]], id="lost, and sent again"),
        pytest.param([LOST], (1,), [DONE, AMBIGUOUS, DONE], [[0, 1, 2], [0, 2]], id="lost, one must not be repeated"),
        pytest.param([OUTAGE, OUTAGE], (0,), [DONE], [[0]] * 3, id="turned away, must not be repeated"),
        pytest.param([*[LOST] * 4, OUTAGE, LOST], (), [DONE], [[0]] * 7, id="lost, but not five in a row"),
    ],
)
def test_each_item_has_a_fate(
    script: list[BatchError], unsafe: tuple[int, ...], fates: list[Fate], requests: list[list[int]]
) -> None:
    items = [make_item(offset, replay_safe=offset not in unsafe) for offset in range(len(fates))]
    setup = SenderSetup(FakeDestination(scripted(*script)), items)
    assert setup.run() == dict(enumerate(fates))
    assert setup.destination.requests == requests
    assert setup.sender.requests == len(requests)


@pytest.mark.parametrize(
    ("recovered", "fates", "requests"),
    [
        pytest.param(lambda batch: [DELIVERED, None], [DONE, DONE], [[0, 1], [1]], id="not applied, and sent again"),
        pytest.param(recovered_after(OUTAGE, LOST), [DONE], [[0]], id="asked until there is an answer"),
        pytest.param(recovered_after(REFUSED), [AMBIGUOUS], [[0]], id="the vendor refuses the question"),
    ],
)
def test_vendor_is_asked_for_items_that_must_not_be_repeated_after_a_lost_answer(
    recovered: Recovery, fates: list[Fate], requests: list[list[int]]
) -> None:
    items = [make_item(offset, replay_safe=False) for offset in range(len(fates))]
    setup = SenderSetup(FakeDestination(scripted(LOST), recovered=recovered), items)
    assert setup.run() == dict(enumerate(fates))
    assert setup.destination.requests == requests


def test_batch_that_an_earlier_owner_left_open_is_asked_after_before_it_is_sent() -> None:
    items = [make_item(offset, replay_safe=False) for offset in range(3)]
    rejected = Outcome(Fate.REJECTED, "BAD")
    setup = SenderSetup(FakeDestination(recovered=lambda batch: [DELIVERED, None, rejected]), items, in_doubt=OPENED)
    assert setup.run() == {0: DONE, 1: DONE, 2: Fate.REJECTED}
    assert setup.destination.asked == [([0, 1, 2], OPENED)]
    assert setup.destination.requests == [[1]]


@instantly
async def test_one_failed_question_costs_one_question() -> None:
    """Two of a hundred reads fail: only these two are asked again, and the others have their fates before that."""
    asked: list[int] = []

    def look(batch: Batch) -> list[Outcome | BatchError | None]:
        fails = {30, 70} if not asked else set()
        asked.append(len(batch.items))
        return [OUTAGE if item.offset in fails else None if item.offset % 2 else DELIVERED for item in batch.items]

    items = [make_item(offset, replay_safe=False) for offset in range(100)]
    setup = SenderSetup(FakeDestination(recovered=look), items, in_doubt=OPENED)
    fates = asyncio.create_task(setup.fates())
    await asyncio.sleep(RECOVERY_BASE_S / 2)
    assert {item.offset for item, _ in setup.settled} == set(range(100)) - {30, 70}
    assert sorted(await fates) == list(range(100))
    assert asked == [100, 2]
    assert setup.destination.requests == [list(range(1, 100, 2))]


@instantly
async def test_fates_that_the_vendor_is_asked_for_wait_for_no_other_and_share_their_journal_entries() -> None:
    items = [make_item(offset, replay_safe=False) for offset in range(60)]
    setup = SenderSetup(FakeDestination(recovered=deliver_all, latency_s=0.05), items, in_doubt=OPENED)
    groups: list[int] = []
    sender = await setup.sender_ready()
    run = asyncio.create_task(sender.run(lambda fates, _: groups.append(len(fates))))
    await asyncio.sleep(0.06 + GATHER_S)
    assert 1 <= sum(groups) < 10
    await run
    assert sum(groups) == 60
    assert len(groups) <= 60 * 0.05 / GATHER_S + 1


@instantly
async def test_fates_found_before_a_cancel_are_kept() -> None:
    setup = SenderSetup(
        FakeDestination(recovered=deliver_all, latency_s=0.01),
        [make_item(offset, replay_safe=False) for offset in range(9)],
        in_doubt=OPENED,
    )
    fates = asyncio.create_task(setup.fates())
    await asyncio.sleep(0.055)
    fates.cancel()
    await asyncio.wait([fates])
    assert [item.offset for item, _ in setup.settled] == [0, 1, 2, 3, 4]


def test_items_that_a_proxy_may_have_refused_are_asked_after_and_then_halved() -> None:
    refused = unproven(REFUSED, may_be_repeated=False)
    items = [make_item(offset, replay_safe=offset == 7) for offset in range(8)]
    destination = FakeDestination(_fail(refused, 2), recovered=lambda batch: [None] * len(batch.items))
    assert SenderSetup(destination, items).run() == {n: Fate.REJECTED if n == 2 else DONE for n in range(8)}
    assert len(destination.requests) <= 3 + 2 * ceil(log2(8))


@instantly
async def test_answer_is_lost_when_its_loss_is_known_and_the_vendors_clock_is_of_before_the_request() -> None:
    destination = FakeDestination(recovered=deliver_all, latency_s=5.0)
    destination.vendor_at = NOON

    async def lose(batch: Batch) -> list[Outcome]:
        destination.vendor_at = NOON + timedelta(seconds=4)
        raise LOST

    destination.answer = lose
    sent_at_s = now_s()
    await SenderSetup(destination, [make_item(0, replay_safe=False)]).fates()
    [(_, in_doubt)] = destination.asked
    assert in_doubt.lost_at_s == pytest.approx(sent_at_s + 5.0)
    assert in_doubt.vendor_at == NOON


@instantly
async def test_vendor_that_asks_for_no_pause_is_asked_with_one() -> None:
    hasty = Unavailable("503", "busy", 0.0)
    destination = FakeDestination(scripted(LOST), recovered=recovered_after(*[hasty] * 5))
    setup = SenderSetup(destination, [make_item(0, replay_safe=False)])
    assert await duration_s(setup.fates()) >= sum(RECOVERY_BASE_S * 2**n for n in range(5))


def test_batch_of_which_nobody_can_tell_is_ambiguous_and_not_sent() -> None:
    setup = SenderSetup(FakeDestination(), [make_item(0, replay_safe=False)], in_doubt=OPENED)
    assert setup.run() == {0: AMBIGUOUS}
    assert setup.destination.requests == []


def test_five_lost_answers_of_a_vendor_that_is_well_isolate_the_item() -> None:
    setup = SenderSetup(FakeDestination(_fail(LOST, 2)), make_items(4))
    assert setup.run() == {0: DONE, 1: DONE, 2: Fate.RETRYABLE, 3: DONE}
    assert setup.destination.requests.count([0, 1, 2, 3]) == 5


def test_lost_answers_of_a_vendor_that_is_not_well_are_held() -> None:
    setup = SenderSetup(FakeDestination(scripted(*[LOST] * 30), ill=Unavailable("connect", "refused")), make_items(2))
    assert setup.run() == {0: DONE, 1: DONE}
    assert setup.destination.requests == [[0, 1]] * 31
    assert setup.destination.checks == 26


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
            Ambiguous("timed out", overloaded=True),
            REFUSED,
        ]
    ),
    max_size=30,
)


@given(SCRIPT, st.lists(st.booleans(), min_size=1, max_size=9), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_script_of_answers_gives_each_item_one_fate_and_repeats_nothing_unsafe_after_a_lost_answer(
    script: list[BatchError | Fate | None], replay_safe: list[bool], ill: bool
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

    items = [make_item(offset, replay_safe=safe) for offset, safe in enumerate(replay_safe)]
    setup = SenderSetup(FakeDestination(remembering, ill=OUTAGE if ill else None), items)
    assert sorted(setup.run()) == list(range(len(items)))
    assert setup.limiter.in_flight == 0


@instantly
async def test_vendor_is_not_asked_before_it_wants_to_be() -> None:
    slow_down = Unavailable("429", "slow down", 300.0, overloaded=True)
    destination = FakeDestination(scripted(LOST), recovered=recovered_after(slow_down))
    setup = SenderSetup(destination, [make_item(0, replay_safe=False)])
    assert await duration_s(setup.fates()) >= 300
