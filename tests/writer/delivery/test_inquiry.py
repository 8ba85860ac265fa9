"""Inquiry: the vendor is asked until the fate of each item is known, and only what it has not told is asked again."""

import asyncio

import pytest

from sluice.destinations.contract import BatchError, Unavailable
from sluice.flow.batch import Batch
from sluice.flow.outcome import Fate, Outcome
from sluice.writer.delivery.inquiry import GATHER_S, RECOVERY_BASE_S
from tests.support.factories import DELIVERED, make_item
from tests.support.fakes import FakeDestination, Recovery, deliver_all, recovered_after, scripted
from tests.support.instant_clock import duration_s, instantly
from tests.writer.delivery.setups import LOST, OPENED, OUTAGE, REFUSED, SenderSetup

DONE, AMBIGUOUS = Fate.DELIVERED, Fate.AMBIGUOUS


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
    run = asyncio.create_task(sender.run(lambda fates, _: groups.append(len(fates)), setup.put_back.extend))
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


@instantly
async def test_vendor_is_not_asked_before_it_wants_to_be() -> None:
    slow_down = Unavailable("429", "slow down", 300.0, overloaded=True)
    destination = FakeDestination(scripted(LOST), recovered=recovered_after(slow_down))
    setup = SenderSetup(destination, [make_item(0, replay_safe=False)])
    assert await duration_s(setup.fates()) >= 300
