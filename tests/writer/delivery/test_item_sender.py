"""ItemSender: each item has its own fate, calls are metered one by one, and nothing unsafe is written twice."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from sluice.destinations.contract import Ambiguous, Recovered, Refused, Unavailable, unproven
from sluice.flow.batch import Batch, InDoubt, Item
from sluice.flow.outcome import Fate, Outcome
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.identities import Identities
from sluice.writer.delivery.item_sender import ItemSender
from sluice.writer.delivery.limiter import Limiter
from tests.support.factories import DELIVERED, NOON, make_batch, make_item, make_items
from tests.support.fake_items import FakeItemDestination, offsets_of
from tests.support.fakes import FakeLane, lanes_of
from tests.support.instant_clock import duration_s, instantly, now_s, turn
from tests.writer.delivery.setups import LOST, OUTAGE, REFUSED, make_limiter

CREATE = "standup"
"""The identity of items that must not be written twice."""


class _Setup:
    """A batch with all that its sender needs."""

    def __init__(
        self,
        destination: FakeItemDestination,
        items: Sequence[Item],
        *,
        in_doubt: InDoubt | None = None,
        limiter: Limiter | None = None,
        identities: Identities | None = None,
    ) -> None:
        self.destination = destination
        self.lane = FakeLane(0)
        self.limiter = limiter or make_limiter()
        self.batch = make_batch(items)
        self.batch.in_doubt = in_doubt
        self.settled: dict[int, Outcome] = {}
        self.hand_overs = 0
        self.sender = ItemSender(
            self.batch,
            destination,
            self.limiter,
            lanes_of(self.lane),
            WriterMetrics("crm"),
            identities or Identities(),
        )

    async def run(self) -> dict[int, Fate]:
        """Send as a dispatcher does; return the fates by offset."""
        await self.limiter.acquire()
        try:
            await self.sender.run(self._settle, lambda _: None)
        finally:
            self.sender.release_permit()
        assert self.limiter.in_flight == 0, "a permit is not given back, or given back twice"
        return {offset: outcome.fate for offset, outcome in self.settled.items()}

    def _settle(self, fates: Sequence[tuple[Item, Outcome]], _times: object) -> None:
        assert not {item.offset for item, _ in fates} & self.settled.keys(), "an item has two fates"
        self.settled.update((item.offset, outcome) for item, outcome in fates)
        self.hand_overs += 1

    @property
    def states(self) -> list[tuple[str, list[int]]]:
        """The journal's entries, each with the offsets of its rows."""
        entries = [entry for entry in self.lane.kept.entries if entry is not None]
        return [(one.state, [at for run in one.rows for at in range(run[1], run[1] + run[2])]) for one in entries]


def _creates(*offsets: int, identity: str | None = None) -> list[Item]:
    return [make_item(offset, replay_safe=False, identity=identity or f"{CREATE} {offset}") for offset in offsets]


@instantly
async def test_items_are_written_side_by_side_and_no_more_at_once_than_calls_are_permitted() -> None:
    setup = _Setup(FakeItemDestination(latency_s=1.0), make_items(10))
    assert await duration_s(setup.run()) == pytest.approx(3.0, abs=0.2)  # 4 + 4 + 2
    assert setup.destination.most_in_flight == 4
    assert (setup.settled, setup.sender.requests) == (dict.fromkeys(range(10), DELIVERED), 10)


@instantly
async def test_fates_that_are_known_within_a_moment_are_settled_together() -> None:
    setup = _Setup(FakeItemDestination(), make_items(50))
    await setup.run()
    assert setup.hand_overs == 1


@instantly
async def test_refused_item_harms_no_other() -> None:
    setup = _Setup(FakeItemDestination({1: [REFUSED]}), make_items(3))
    assert await setup.run() == {0: Fate.DELIVERED, 1: Fate.REJECTED, 2: Fate.DELIVERED}
    assert setup.settled[1] == Outcome(Fate.REJECTED, "400", "bad request", None, 400)


@instantly
async def test_outage_is_waited_for_and_calls_under_way_are_left_alone() -> None:
    """All four calls of a round meet the outage: that is one failure, not four."""
    busy = [Unavailable("429", "slow down", 60.0, overloaded=True)]
    setup = _Setup(FakeItemDestination({offset: list(busy) for offset in range(4)}, latency_s=1.0), make_items(8))
    took_s = await duration_s(setup.run())
    assert set(setup.settled.values()) == {DELIVERED}
    assert sorted(setup.destination.calls) == sorted([*range(8), *range(4)])
    assert 60 <= took_s < 75


@instantly
async def test_unsafe_items_are_in_the_journal_before_their_calls_with_what_the_vendor_had_shown() -> None:
    class Shown(FakeItemDestination):
        """A vendor whose check shows its ids, as does the first question for its clock."""

        async def check(self) -> str:
            self.newest_ids = {"issue": "28"}
            return await super().check()

    destination = Shown({0: [LOST]})
    destination.vendor_at = None
    setup = _Setup(destination, [*_creates(0, 1), make_item(2)])
    await setup.run()
    assert destination.asked[0][1].refs == {"issue": "28"}
    [opened] = [entry for entry in setup.lane.kept.entries if entry is not None]
    assert (opened.state, opened.refs, setup.states) == ("opened", {"issue": "28"}, [("opened", [0, 1])])


@instantly
async def test_lost_answer_of_an_unsafe_item_is_asked_about_and_the_others_wait_for_nothing() -> None:
    destination = FakeItemDestination({0: [LOST], 2: [LOST]}, found=lambda _: None)
    setup = _Setup(destination, [*_creates(0, 1, 2), make_item(3)])
    asyncio.get_running_loop().call_later(50.0, lambda: early.update(setup.settled))
    early: dict[int, Outcome] = {}
    assert await setup.run() == dict.fromkeys(range(4), Fate.DELIVERED)
    assert early.keys() == {1, 3}
    [(asked, in_doubt)] = destination.asked
    assert (asked, in_doubt.vendor_at) == ([0, 2], NOON)
    assert sorted(destination.calls) == [0, 0, 1, 2, 2, 3]
    assert setup.states == [("opened", [0, 1, 2]), ("opened", [0, 2])]


@instantly
async def test_lost_answer_that_nobody_can_tell_about_is_ambiguous() -> None:
    setup = _Setup(FakeItemDestination({0: [LOST]}), _creates(0))
    assert await setup.run() == {0: Fate.AMBIGUOUS}
    assert setup.destination.calls == [0]


@pytest.mark.parametrize(
    ("refs", "fate"),
    [
        pytest.param({}, Fate.REJECTED, id="proven not to be applied"),
        pytest.param({"step": "1"}, Fate.DELIVERED, id="found, and gone on with"),
    ],
)
def test_item_that_was_refused_and_lost_is_rejected_unless_something_of_it_was_found(
    refs: dict[str, str], fate: Fate
) -> None:
    def find(item: Item) -> None:
        item.refs = refs or item.refs

    @instantly
    async def run() -> None:
        refused = Ambiguous("a page", refusal=Refused("404", "a page", 404))
        setup = _Setup(FakeItemDestination({0: [refused]}, steps=2, found=find), _creates(0))
        assert await setup.run() == {0: fate}

    run()


@instantly
async def test_lost_answer_of_a_safe_item_is_written_again_and_newer_writes_of_its_key_wait() -> None:
    setup = _Setup(FakeItemDestination({0: [LOST]}), make_items(1))
    assert await setup.run() == {0: Fate.DELIVERED}
    assert setup.destination.calls == [0, 0]
    assert setup.batch.items[0].may_run_until_s > now_s() + 100


@instantly
async def test_newer_writes_of_a_key_wait_after_a_refusal_that_may_be_a_proxy_s() -> None:
    refusal = unproven(Refused("404", "no page", 404), may_be_repeated=True)
    setup = _Setup(FakeItemDestination({0: [refusal], 1: [REFUSED]}), make_items(2))
    assert await setup.run() == {0: Fate.REJECTED, 1: Fate.REJECTED}
    first, second = setup.batch.items
    assert (first.may_run_until_s > now_s() + 100, second.may_run_until_s) == (True, 0.0)


@instantly
async def test_item_whose_answers_alone_are_always_lost_is_blamed() -> None:
    setup = _Setup(FakeItemDestination({0: [LOST] * 1000}, latency_s=0.1), make_items(1))
    with_others = asyncio.create_task(_answer_others(setup.limiter))
    assert await setup.run() == {0: Fate.RETRYABLE}
    assert setup.settled[0].code == "no-answer"
    with_others.cancel()


@instantly
async def test_unsafe_item_whose_answers_alone_are_always_lost_is_blamed_too() -> None:
    setup = _Setup(FakeItemDestination({0: [LOST] * 1000}, found=lambda _: None), _creates(0))
    with_others = asyncio.create_task(_answer_others(setup.limiter))
    assert await setup.run() == {0: Fate.RETRYABLE}
    assert len(setup.destination.asked) == 5
    with_others.cancel()


async def _answer_others(limiter: Limiter) -> None:
    while True:
        await limiter.acquire()
        limiter.succeeded()
        await asyncio.sleep(0.5)


@instantly
async def test_thing_made_in_several_calls_is_continued_where_it_failed() -> None:
    setup = _Setup(FakeItemDestination({0: [None, OUTAGE]}, steps=3), _creates(0))
    assert await setup.run() == {0: Fate.DELIVERED}
    assert (len(setup.destination.calls), setup.batch.items[0].refs) == (4, {"step": "2"})
    assert setup.states == [("opened", [0]), ("noted", [0]), ("noted", [0])]


@instantly
async def test_twins_are_written_one_after_the_other_also_in_two_batches() -> None:
    destination, identities, limiter = FakeItemDestination(latency_s=1.0), Identities(), make_limiter()
    setups = [
        _Setup(destination, _creates(offset, identity=CREATE), limiter=limiter, identities=identities)
        for offset in range(3)
    ]
    took_s = await duration_s(asyncio.gather(*(_run_beside(setup) for setup in setups)))
    assert took_s == pytest.approx(3.0, abs=0.2)
    assert sorted(destination.calls) == [0, 1, 2]


async def _run_beside(setup: _Setup) -> None:
    await setup.limiter.acquire()
    await setup.sender.run(setup._settle, lambda _: None)


@instantly
async def test_twin_waits_for_the_fate_of_one_in_doubt() -> None:
    destination = FakeItemDestination({0: [LOST]}, found=lambda _: DELIVERED)
    setup = _Setup(destination, _creates(0, 1, identity=CREATE))
    assert await duration_s(setup.run()) == pytest.approx(130.0, abs=5)
    assert destination.calls == [0, 1]
    assert set(setup.settled.values()) == {DELIVERED}


@instantly
async def test_items_that_an_earlier_owner_has_sent_are_asked_about_first() -> None:
    items = _creates(0, 1)
    items[1].refs = {"step": "1"}
    opened = InDoubt(batch_id="batch-0", refs={"issue": "28"}, requested_at=NOON, lost_at_s=now_s())
    destination = FakeItemDestination(steps=2, found=lambda _: DELIVERED)
    setup = _Setup(destination, items, in_doubt=opened)
    assert await setup.run() == {0: Fate.DELIVERED, 1: Fate.DELIVERED}
    assert destination.asked == [([0, 1], opened)]
    assert destination.calls == [1]  # the rest of what was begun


@instantly
async def test_lost_lane_is_written_no_more_and_what_is_answered_is_handed_over() -> None:
    setup = _Setup(FakeItemDestination(latency_s=1.0), _creates(*range(8)))
    asyncio.get_running_loop().call_later(0.5, lambda: setup.sender.lanes.lose(0))
    assert sorted(await setup.run()) == [0, 1, 2, 3]
    assert sorted(setup.destination.calls) == [0, 1, 2, 3]


@instantly
async def test_abandoned_batch_ends_with_its_last_answer_and_withdraws_what_was_not_sent() -> None:
    setup = _Setup(FakeItemDestination({0: [LOST]}, latency_s=1.0), _creates(*range(8)))
    running = asyncio.create_task(setup.run())
    await asyncio.sleep(0.5)
    assert setup.sender.with_vendor
    setup.sender.abandon()
    await setup.sender.answered()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(setup.settled) == [1, 2, 3]
    assert setup.limiter.in_flight == 0
    assert setup.states == [("opened", list(range(8))), ("withdrawn", [4, 5, 6, 7])]


@instantly
async def test_what_was_begun_is_never_withdrawn() -> None:
    """Its refs would be forgotten with it, and the next owner would make the same thing again."""
    items = _creates(0)
    items[0].refs = {"step": "1"}
    setup = _Setup(FakeItemDestination({0: [OUTAGE] * 1000}, steps=2), items)
    running = asyncio.create_task(setup.run())
    await turn()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert setup.states == [("opened", [0])]
    assert offsets_of(setup.batch.items) == [0]


@instantly
async def test_batch_of_twins_alone_keeps_no_permit_from_the_one_it_waits_for() -> None:
    """While the vendor is probed there is one permit: who waits for a twin with it would wait for ever."""
    identities, limiter = Identities(), make_limiter(max_concurrent=1)
    destination = FakeItemDestination({0: [LOST]}, found=lambda _: None)
    setups = [
        _Setup(destination, _creates(offset, identity=CREATE), limiter=limiter, identities=identities)
        for offset in range(2)
    ]
    await asyncio.gather(*(_run_beside(setup) for setup in setups))
    assert (destination.calls, limiter.in_flight) == ([0, 0, 1], 0)


@pytest.mark.parametrize("error", [LOST, Ambiguous("a page", refusal=REFUSED)])
@instantly
async def test_what_the_question_finds_begun_is_noted_before_it_is_opened_anew(error: Ambiguous) -> None:
    """Opened with newer ids, or withdrawn, the next owner would take it for not made, and make it again."""

    class Finds(FakeItemDestination):
        """A vendor that has made the first of two steps."""

        async def recover(self, batch: Batch, in_doubt: InDoubt) -> AsyncIterator[Recovered]:
            async for item, outcome in super().recover(batch, in_doubt):
                item.refs = {**item.refs, "step": "1"}
                yield item, outcome

    setup = _Setup(Finds({0: [error]}, steps=2, found=lambda _: None), _creates(0))
    assert await setup.run() == {0: Fate.DELIVERED}
    assert setup.destination.calls == [0, 0]
    assert setup.states == [("opened", [0]), ("noted", [0]), ("opened", [0])]
