"""BatchSender: it waits for the end of an outage, isolates bad items, and asks about lost answers."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from math import ceil, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Unavailable, unproven
from sluice.flow.batch import Batch
from sluice.flow.bisection import SAMPLES
from sluice.flow.outcome import Fate, Outcome
from tests.support.factories import DELIVERED, NOON, make_item, make_items
from tests.support.fakes import FakeDestination, deliver_all, scripted
from tests.support.instant_clock import duration_s, instantly, now_s, run_instantly
from tests.writer.delivery.setups import LOST, OUTAGE, REFUSED, SenderSetup

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
    """At most ``2·⌈log2 n⌉`` more."""
    most = 0
    for bad in (0, 1, 499, 500, 624, 998, 999):
        setup = SenderSetup(FakeDestination(_fail(REFUSED, bad)), make_items(1000))
        setup.run()
        outcomes = {item.offset: outcome for item, outcome in setup.settled}
        refused = outcomes.pop(bad)
        assert refused == Outcome(Fate.REJECTED, "400", "bad request", None, 400)
        assert list(outcomes.values()) == [DELIVERED] * 999
        assert setup.put_back == []
        most = max(most, setup.sender.requests - 1)
    assert most <= 2 * ceil(log2(1000))


@given(st.integers(1, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_bad_items_are_rejected_and_all_others_delivered_once(count: int, data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.integers(0, count - 1)))
    setup = SenderSetup(FakeDestination(_fail(REFUSED, *bad)), make_items(count))
    assert setup.run() == {offset: Fate.REJECTED if offset in bad else DONE for offset in range(count)}
    assert len(setup.destination.requests) <= (1 + len(setup.put_back)) * (1 + 2 * ceil(log2(count)) + SAMPLES)


def test_batch_that_is_bad_throughout_is_put_back_after_tens_of_requests() -> None:
    """2·⌈log2 n⌉ + 8 requests after the first, of which each single item has its fate, and the rest is suspected."""
    setup = SenderSetup(FakeDestination(_fail(REFUSED, *range(1000))), make_items(1000))
    run_instantly(setup.send_once())
    assert len(setup.destination.requests) == 1 + 2 * 10 + 8
    rest = [item.offset for part in setup.put_back for item in part.items]
    assert sorted([*rest, *(item.offset for item, _ in setup.settled)]) == list(range(1000))
    assert sum(part.suspected for part in setup.put_back) == len(rest) > 980


def test_rest_of_a_batch_with_few_bad_items_is_put_back_without_suspicion() -> None:
    setup = SenderSetup(FakeDestination(_fail(REFUSED, *range(0, 1000, 100))), make_items(1000))
    run_instantly(setup.send_once())
    assert setup.put_back
    assert sum(part.suspected for part in setup.put_back) < 0.3 * sum(len(part.items) for part in setup.put_back)


def test_outage_while_bisecting_is_waited_for() -> None:
    setup = SenderSetup(FakeDestination(scripted(REFUSED, OUTAGE, None, OUTAGE, None)), make_items(3))
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


def test_item_whose_answers_get_lost_is_isolated_by_its_neighbours_that_are_answered() -> None:
    setup = SenderSetup(FakeDestination(_fail(LOST, 2)), make_items(4), others_work=True)
    assert setup.run() == {0: DONE, 1: DONE, 2: Fate.RETRYABLE, 3: DONE}
    assert setup.destination.requests == [*[[0, 1, 2, 3]] * 5, [0, 1], [2, 3], [2], [3]]


def test_item_alone_is_not_blamed_while_no_other_is_answered() -> None:
    """As when a firewall resets all writes: not one attempt is used, however long it takes."""
    setup = SenderSetup(FakeDestination(scripted(*[LOST] * 100)), make_items(1))
    assert setup.run() == {0: DONE}
    assert [part.answered_at_loss for part in setup.put_back] == [0] * 96


def test_batch_whose_answers_all_get_lost_is_halved_once() -> None:
    setup = SenderSetup(FakeDestination(scripted(*[LOST] * 25)), make_items(4))
    assert setup.run() == dict.fromkeys(range(4), DONE)
    assert {tuple(request) for request in setup.destination.requests} == {(0, 1, 2, 3), (0, 1), (2, 3)}


def test_keys_of_a_request_whose_answer_is_lost_wait_until_it_has_surely_ended() -> None:
    setup = SenderSetup(FakeDestination(scripted(LOST)), make_items(2))

    async def send() -> float:
        sent_at_s = now_s()
        await setup.fates()
        return sent_at_s

    sent_at_s = run_instantly(send())
    assert [item.may_run_until_s - sent_at_s for item, _ in setup.settled] == [30.0, 30.0]


def test_keys_of_a_request_that_was_turned_away_do_not_wait() -> None:
    setup = SenderSetup(FakeDestination(scripted(OUTAGE, REFUSED)), make_items(2))
    setup.run()
    assert [item.may_run_until_s for item, _ in setup.settled] == [0.0, 0.0]


@pytest.mark.parametrize(
    "answered", [pytest.param(True, id="after it worked"), pytest.param(False, id="from the start")]
)
@instantly
async def test_wrong_address_is_an_outage_that_a_person_hears_of(answered: bool) -> None:
    wrong = Misconfigured("answered 404; check `url`")
    setup = SenderSetup(FakeDestination(scripted(*[wrong] * 20)), make_items(1))
    if answered:
        await setup.limiter.acquire()
        setup.limiter.succeeded()
    fates = asyncio.create_task(setup.fates())
    await asyncio.sleep(100)
    assert setup.limiter.held_because == "misconfigured"
    assert (setup.limiter.obstacle is None) is answered
    await asyncio.sleep(250)
    assert setup.limiter.obstacle == "the destination refuses every write: answered 404; check `url`"
    assert await fates == {0: DONE}
    assert setup.limiter.obstacle is None


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
            Misconfigured("no such address"),
        ]
    ),
    max_size=30,
)


@given(SCRIPT, st.lists(st.booleans(), min_size=1, max_size=9), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_script_of_answers_gives_each_item_one_fate_and_repeats_nothing_unsafe_after_a_lost_answer(
    script: list[BatchError | Fate | None], replay_safe: list[bool], others_work: bool
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
    setup = SenderSetup(FakeDestination(remembering), items, others_work=others_work)
    assert sorted(setup.run()) == list(range(len(items)))
    assert setup.limiter.in_flight == 0
