"""BatchSender: outages are waited for, bad items isolated, lost answers never guessed at."""

import asyncio
from collections.abc import Callable, Sequence
from math import ceil, inf, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, PreSendCheck, Refused, Unavailable
from sluice.events import Rows
from sluice.flow.batch import Batch, InDoubt, Item
from sluice.flow.outcome import Fate, Outcome
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.batch_sender import BatchSender
from sluice.writer.delivery.limiter import Limiter, LimiterSettings
from sluice.writer.lanes.lanes import Lanes
from tests.support.fakes import (
    DELIVERED,
    NOON,
    FakeDestination,
    FakeLane,
    deliver_all,
    lanes_of,
    make_batch,
    make_item,
    now_s,
    instantly,
    run_instantly,
    scripted,
    turn,
)

Fates = list[tuple[Item, Outcome]]
OUTAGE = Unavailable("503", "busy")
LOST = Ambiguous("connection lost")
REFUSED = Refused("400", "bad request", 400)


class Setup:
    """A batch with all that its sender needs."""

    def __init__(self, destination: FakeDestination, items: Sequence[Item], lanes: Lanes | None = None) -> None:
        self.destination = destination
        self.limiter = Limiter(
            LimiterSettings(max_concurrent=2, requests_per_s=None, backoff_base_s=1.0, backoff_cap_s=60.0),
            monotonic=now_s,
            uniform=lambda: 1.0,
        )
        self.batch = make_batch(items)
        self.lanes = lanes_of(FakeLane(0)) if lanes is None else lanes
        self.settled: Fates = []

    async def fates(self) -> Fates:
        """Send as a dispatcher does: with one permit to begin with, none at the end."""
        await self.limiter.acquire()
        self.sender = BatchSender(self.batch, self.destination, self.limiter, self.lanes, WriterMetrics("crm"))
        try:
            await self.sender.run(lambda fates, _: self.settled.extend(fates))
            return self.settled
        finally:
            self.sender.release_permit()
            assert self.limiter.in_flight == 0, "a permit is not given back, or given back twice"


def _items(count: int) -> list[Item]:
    return [make_item(offset) for offset in range(count)]


def _by_offset(fates: Fates) -> dict[int, Fate]:
    assert len({item.offset for item, _ in fates}) == len(fates), "an item has two fates"
    return {item.offset: outcome.fate for item, outcome in fates}


def _refusing(*bad: int) -> Callable[[Batch], list[Outcome]]:
    """A vendor that refuses any request with one of ``bad`` in it."""

    def answer(batch: Batch) -> list[Outcome]:
        if any(item.offset in bad for item in batch.items):
            raise REFUSED
        return deliver_all(batch)

    return answer


def test_answered_batch_has_an_outcome_per_item() -> None:
    setup = Setup(FakeDestination(), _items(3))
    fates = run_instantly(setup.fates())
    assert fates == [(item, DELIVERED) for item in setup.batch.items]
    assert setup.sender.requests == 1


@instantly
async def test_outage_holds_and_resumes_with_the_same_batch() -> None:
    setup = Setup(FakeDestination(scripted(*[Unavailable("503", "busy", 60.0)] * 100)), _items(3))
    started_at_s = now_s()
    fates = await setup.fates()
    assert now_s() - started_at_s == pytest.approx(6000)
    assert setup.destination.requests == [[0, 1, 2]] * 101
    assert {item.attempt for item, _ in fates} == {1}
    assert set(_by_offset(fates).values()) == {Fate.DELIVERED}


def test_one_bad_item_among_a_thousand_costs_two_requests_a_halving() -> None:
    """At most ``2·⌈log2 n⌉`` more: 20 for 1,000, where 2·log2(1000) is 19.93; most items need 18 to 20."""
    most = 0
    for bad in (0, 1, 499, 500, 624, 998, 999):
        setup = Setup(FakeDestination(_refusing(bad)), _items(1000))
        fates = _by_offset(run_instantly(setup.fates()))
        assert [offset for offset, fate in fates.items() if fate is Fate.REJECTED] == [bad]
        assert list(fates.values()).count(Fate.DELIVERED) == 999
        most = max(most, setup.sender.requests - 1)
    assert most == 2 * ceil(log2(1000)) == 20


@given(st.integers(1, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_bad_items_are_rejected_and_all_others_delivered_once(count: int, data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.integers(0, count - 1)))
    setup = Setup(FakeDestination(_refusing(*bad)), _items(count))
    fates = _by_offset(run_instantly(setup.fates()))
    assert fates == {offset: Fate.REJECTED if offset in bad else Fate.DELIVERED for offset in range(count)}
    assert setup.sender.requests <= 1 + len(bad) * 2 * ceil(log2(count) if count > 1 else 0)


def test_isolated_item_keeps_the_code_of_its_refusal() -> None:
    setup = Setup(FakeDestination(_refusing(0)), _items(1))
    [(_, outcome)] = run_instantly(setup.fates())
    assert outcome == Outcome(Fate.REJECTED, "400", "bad request", None, 400)


def test_outage_while_bisecting_is_waited_for() -> None:
    setup = Setup(FakeDestination(scripted(REFUSED, OUTAGE, None, OUTAGE, REFUSED, None)), _items(3))
    assert _by_offset(run_instantly(setup.fates()))[0] is Fate.DELIVERED
    assert setup.destination.requests[:3] == [[0, 1, 2], [0], [0]]


def test_part_of_a_batch_counts_its_own_bytes() -> None:
    parts: list[Batch] = []

    def answer(batch: Batch) -> list[Outcome]:
        parts.append(batch)
        if len(batch.items) > 1:
            raise REFUSED
        return deliver_all(batch)

    items = [make_item(0, body=b"xx"), make_item(1, body=b"xxx")]
    run_instantly(Setup(FakeDestination(answer), items).fates())
    assert [(part.batch_id, len(part.items), part.reason) for part in parts[1:]] == [("batch-1", 1, "bisect")] * 2
    assert 2 <= parts[1].body_bytes < parts[2].body_bytes <= 4


def test_lost_answer_of_a_batch_that_may_be_repeated_is_sent_again() -> None:
    setup = Setup(FakeDestination(scripted(LOST)), _items(2))
    assert set(_by_offset(run_instantly(setup.fates())).values()) == {Fate.DELIVERED}
    assert setup.destination.requests == [[0, 1], [0, 1]]


def test_lost_answer_of_an_item_that_must_not_be_repeated_is_ambiguous() -> None:
    items = [make_item(0), make_item(1, replay_safe=False), make_item(2)]
    setup = Setup(FakeDestination(scripted(LOST)), items)
    assert _by_offset(run_instantly(setup.fates())) == {
        0: Fate.DELIVERED,
        1: Fate.AMBIGUOUS,
        2: Fate.DELIVERED,
    }
    assert setup.destination.requests == [[0, 1, 2], [0, 2]]


def test_lost_item_that_was_not_applied_is_sent_again() -> None:
    items = [make_item(offset, replay_safe=False) for offset in range(2)]
    setup = Setup(FakeDestination(scripted(LOST), recovered=lambda batch: [DELIVERED, None]), items)
    assert _by_offset(run_instantly(setup.fates())) == {0: Fate.DELIVERED, 1: Fate.DELIVERED}
    assert setup.destination.requests == [[0, 1], [1]]


def test_vendor_is_asked_again_until_it_answers_what_became_of_an_item() -> None:
    errors = iter([OUTAGE, LOST])

    def recovered(batch: Batch) -> Sequence[Outcome]:
        for error in errors:
            raise error
        return [DELIVERED]

    setup = Setup(FakeDestination(scripted(LOST), recovered=recovered), [make_item(0, replay_safe=False)])
    assert _by_offset(run_instantly(setup.fates())) == {0: Fate.DELIVERED}
    assert setup.destination.requests == [[0]]


@instantly
async def test_what_must_not_be_sent_twice_is_in_the_journal_before_it_is_sent() -> None:
    lane = FakeLane(0)
    lane.kept.writing = False
    items = [make_item(0), make_item(1, replay_safe=False), make_item(2, replay_safe=False)]
    setup = Setup(FakeDestination(), items, lanes_of(lane))
    fates = asyncio.create_task(setup.fates())
    await turn()
    [entry] = lane.kept.entries
    assert entry is not None
    assert (entry.batch_id, entry.state, entry.rows) == ("batch-1", "opened", [Rows(0, 1, 2, 1)])
    assert setup.destination.requests == []
    lane.kept.release()
    await fates
    assert setup.destination.requests == [[0, 1, 2]]


@pytest.mark.parametrize(
    "first",
    [pytest.param(OUTAGE, id="after an outage"), pytest.param(LOST, id="after a lost answer that was not applied")],
)
def test_what_is_sent_again_is_in_the_journal_with_the_time_of_its_last_request(first: BatchError) -> None:
    lane = FakeLane(0)
    destination = FakeDestination(scripted(first), recovered=lambda batch: [None])
    setup = Setup(destination, [make_item(0, replay_safe=False)], lanes_of(lane))
    run_instantly(setup.fates())
    opened_at = [entry.requested_at for entry in lane.kept.entries if entry is not None and entry.requested_at]
    assert len(opened_at) == len(destination.requests) == 2
    assert opened_at[0] < opened_at[1]


def test_journal_of_each_lane_has_its_own_items() -> None:
    lanes = {0: FakeLane(0), 1: FakeLane(1)}
    items = [make_item(5, lane=lane, replay_safe=False) for lane in (0, 1)]
    run_instantly(Setup(FakeDestination(scripted(OUTAGE, REFUSED)), items, lanes_of(*lanes.values())).fates())
    for row, lane in enumerate(lanes.values()):
        assert [entry.rows for entry in lane.kept.entries if entry is not None] == 3 * [[Rows(0, 5, 1, row)]]


def test_what_may_be_sent_twice_needs_no_journal() -> None:
    lane = FakeLane(0)
    run_instantly(Setup(FakeDestination(scripted(OUTAGE, LOST)), _items(3), lanes_of(lane)).fates())
    assert lane.kept.entries == []


@instantly
async def test_lane_that_was_not_confirmed_of_late_is_confirmed_before_each_request() -> None:
    lane = FakeLane(0)
    lane.kept.confirmed_at_s = -inf
    lane.kept.writing = False
    setup = Setup(FakeDestination(), _items(1), lanes_of(lane))
    fates = asyncio.create_task(setup.fates())
    await turn()
    assert (lane.kept.entries, setup.destination.requests) == ([None], [])
    lane.kept.release()
    assert _by_offset(await fates) == {0: Fate.DELIVERED}


@instantly
async def test_who_was_stopped_while_the_journal_was_written_asks_again_whether_the_lane_is_its_own() -> None:
    lane = FakeLane(0)
    lane.kept.writing = False
    setup = Setup(FakeDestination(), [make_item(0, replay_safe=False)], lanes_of(lane))
    fates = asyncio.create_task(setup.fates())
    await turn()
    lane.kept.release()  # the journal has it
    lane.kept.confirmed_at_s = -inf  # but that was long ago
    await turn()
    lane.alive = False
    lane.kept.release()
    assert (await fates, setup.destination.requests) == ([], [])


@instantly
async def test_nothing_is_sent_for_a_lane_that_turns_out_to_be_lost() -> None:
    lane = FakeLane(0)
    lane.kept.confirmed_at_s = -inf
    lane.kept.writing = False
    setup = Setup(FakeDestination(), _items(1), lanes_of(lane))
    fates = asyncio.create_task(setup.fates())
    await turn()
    lane.alive = False
    lane.kept.release()
    assert await fates == []
    assert setup.destination.requests == []


def _left_open(items: Sequence[Item], in_doubt: InDoubt, destination: FakeDestination) -> Setup:
    setup = Setup(destination, items)
    setup.batch.in_doubt = in_doubt
    return setup


OPENED = InDoubt(batch_id="batch-0", refs={"job": "7"}, requested_at=NOON)


def test_batch_that_an_earlier_owner_left_open_is_asked_after_before_it_is_sent() -> None:
    items = [make_item(offset, replay_safe=False) for offset in range(3)]
    rejected = Outcome(Fate.REJECTED, "BAD")
    setup = _left_open(items, OPENED, FakeDestination(recovered=lambda batch: [DELIVERED, None, rejected]))
    assert _by_offset(run_instantly(setup.fates())) == {0: Fate.DELIVERED, 1: Fate.DELIVERED, 2: Fate.REJECTED}
    assert setup.destination.asked == [([0, 1, 2], OPENED)]
    assert setup.destination.requests == [[1]]


def test_batch_of_which_nobody_can_tell_is_ambiguous_and_not_sent() -> None:
    setup = _left_open([make_item(0, replay_safe=False)], OPENED, FakeDestination())
    assert _by_offset(run_instantly(setup.fates())) == {0: Fate.AMBIGUOUS}
    assert setup.destination.requests == []


def test_asking_what_became_of_a_batch_opens_nothing_in_the_journal() -> None:
    setup = _left_open([make_item(0, replay_safe=False)], OPENED, FakeDestination())
    run_instantly(setup.fates())
    [lane] = setup.lanes
    assert isinstance(lane, FakeLane)
    assert lane.kept.entries == []


def test_outage_of_an_item_that_must_not_be_repeated_is_waited_for() -> None:
    setup = Setup(FakeDestination(scripted(OUTAGE, OUTAGE)), [make_item(0, replay_safe=False)])
    assert _by_offset(run_instantly(setup.fates())) == {0: Fate.DELIVERED}


def test_five_lost_answers_of_a_vendor_that_is_well_isolate_the_item() -> None:
    def answer(batch: Batch) -> list[Outcome]:
        if any(item.offset == 2 for item in batch.items):
            raise LOST
        return deliver_all(batch)

    setup = Setup(FakeDestination(answer), _items(4))
    assert _by_offset(run_instantly(setup.fates())) == {
        0: Fate.DELIVERED,
        1: Fate.DELIVERED,
        2: Fate.RETRYABLE,
        3: Fate.DELIVERED,
    }
    assert setup.destination.requests.count([0, 1, 2, 3]) == 5


def test_lost_answers_of_a_vendor_that_is_not_well_are_held() -> None:
    setup = Setup(FakeDestination(scripted(*[LOST] * 30), ill=Unavailable("connect", "refused")), _items(2))
    assert set(_by_offset(run_instantly(setup.fates())).values()) == {Fate.DELIVERED}
    assert setup.destination.requests == [[0, 1]] * 31
    assert setup.destination.checks == 26


def test_what_a_person_must_change_is_raised() -> None:
    setup = Setup(FakeDestination(scripted(OUTAGE, Misconfigured("unknown tenant"))), _items(2))
    with pytest.raises(Misconfigured, match="unknown tenant"):
        run_instantly(setup.fates())


def test_items_of_a_lane_that_is_lost_are_not_sent_again() -> None:
    lanes = {0: FakeLane(0), 1: FakeLane(1)}

    def answer(batch: Batch) -> list[Outcome]:
        if lanes[1].alive:
            lanes[1].alive = False
            raise OUTAGE
        return deliver_all(batch)

    items = [make_item(0, lane=0), make_item(10, lane=1), make_item(1, lane=0)]
    setup = Setup(FakeDestination(answer), items, lanes_of(*lanes.values()))
    assert _by_offset(run_instantly(setup.fates())) == {0: Fate.DELIVERED, 1: Fate.DELIVERED}
    assert setup.destination.requests == [[0, 10, 1], [0, 1]]


def test_nothing_is_sent_again_once_every_lane_is_lost() -> None:
    lane = FakeLane(0)

    def answer(batch: Batch) -> list[Outcome]:
        lane.alive = False
        raise LOST

    setup = Setup(FakeDestination(answer), _items(2), lanes_of(lane))
    assert run_instantly(setup.fates()) == []
    assert setup.destination.requests == [[0, 1]]


@instantly
async def test_request_is_with_the_vendor_until_it_is_answered() -> None:
    setup = Setup(FakeDestination(scripted(Unavailable("503", "busy", 60.0)), latency_s=10.0), _items(1))
    fates = asyncio.create_task(setup.fates())
    seen: list[bool] = []
    for _ in range(4):
        await asyncio.sleep(5 if not seen else 20)
        seen.append(setup.sender.with_vendor)
    assert seen == [True, False, False, False]
    assert await fates


@instantly
async def test_cancelled_request_gives_its_permit_back() -> None:
    setup = Setup(FakeDestination(latency_s=10.0), _items(1))
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
    setup = Setup(FakeDestination(scripted(*script), ill=OUTAGE if ill else None), items)
    fates = _by_offset(run_instantly(setup.fates()))
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
    run_instantly(Setup(FakeDestination(remembering), items).fates())


@instantly
async def test_items_of_a_lane_that_is_lost_during_a_hold_are_not_sent() -> None:
    lane = FakeLane(0)
    setup = Setup(FakeDestination(scripted(Unavailable("503", "busy", 60.0))), _items(2), lanes_of(lane))
    fates = asyncio.create_task(setup.fates())
    await asyncio.sleep(30)
    lane.alive = False
    assert await fates == []
    assert setup.destination.requests == [[0, 1]]


def test_only_what_is_sent_again_is_opened_again() -> None:
    lane = FakeLane(0)
    items = [make_item(offset, replay_safe=False) for offset in range(2)]
    setup = Setup(FakeDestination(recovered=lambda batch: [DELIVERED, None]), items, lanes_of(lane))
    setup.batch.in_doubt = OPENED
    run_instantly(setup.fates())
    assert [entry.rows for entry in lane.kept.entries if entry is not None] == [[Rows(0, 1, 1, 1)]]


def test_question_that_the_vendor_refuses_leaves_the_item_ambiguous() -> None:
    def refused(batch: Batch) -> list[Outcome | None]:
        raise REFUSED

    setup = Setup(FakeDestination(scripted(LOST), recovered=refused), [make_item(0, replay_safe=False)])
    assert _by_offset(run_instantly(setup.fates())) == {0: Fate.AMBIGUOUS}


@instantly
async def test_vendor_is_not_asked_before_it_wants_to_be() -> None:
    errors = iter([Unavailable("429", "slow down", 300.0, overloaded=True)])

    def recovered(batch: Batch) -> list[Outcome | None]:
        for error in errors:
            raise error
        return [DELIVERED]

    setup = Setup(FakeDestination(scripted(LOST), recovered=recovered), [make_item(0, replay_safe=False)])
    started_at_s = now_s()
    await setup.fates()
    assert now_s() - started_at_s >= 300


def test_lost_answers_count_only_in_a_row() -> None:
    setup = Setup(FakeDestination(scripted(LOST, LOST, LOST, LOST, OUTAGE, LOST)), _items(1))
    assert _by_offset(run_instantly(setup.fates())) == {0: Fate.DELIVERED}


@pytest.mark.parametrize(
    ("answer", "states"),
    [
        pytest.param(OUTAGE, ["opened", "withdrawn"], id="turned away, then given up"),
        pytest.param(LOST, ["opened"], id="answer lost, then given up"),
        pytest.param(None, ["opened"], id="answered"),
    ],
)
@instantly
async def test_journal_is_told_what_was_opened_and_not_sent(answer: BatchError | None, states: list[str]) -> None:
    lane = FakeLane(0)
    lost_for_now = FakeDestination(scripted(answer, OUTAGE), recovered=_never)
    setup = Setup(lost_for_now, [make_item(0, replay_safe=False)], lanes_of(lane))
    fates = asyncio.create_task(setup.fates())
    await asyncio.sleep(0.5)
    fates.cancel()
    await asyncio.wait([fates])
    assert [entry.state for entry in lane.kept.entries if entry is not None] == states


def _never(batch: Batch) -> list[Outcome | None]:
    raise Unavailable("503", "busy", 600.0)


def test_request_of_a_process_that_was_frozen_does_not_leave() -> None:
    lane = FakeLane(0)

    class Frozen(FakeDestination):
        async def write(self, batch: Batch, pre_send_check: PreSendCheck) -> Sequence[Outcome]:
            if not self.requests:
                lane.kept.confirmed_at_s = -inf  # as after a long stop: Kafka has taken nothing from us for too long
            return await super().write(batch, pre_send_check)

    destination = Frozen()
    setup = Setup(destination, _items(1), lanes_of(lane))
    assert _by_offset(run_instantly(setup.fates())) == {0: Fate.DELIVERED}
    assert (
        len(destination.requests) == 2
    )  # the first one was called back, the lane confirmed, and the second one let go
