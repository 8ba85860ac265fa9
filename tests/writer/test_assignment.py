"""LaneAssignment: lanes are opened and given up as the group says; one that is lost ends the session."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError

from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.settings import KafkaSettings
from sluice.writer.assignment import LaneAssignment
from sluice.writer.commit_counter import CommitCounter
from sluice.writer.lanes.committer import LaneLost
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.opening import LaneOpener
from sluice.writer.pauses import Pauses
from tests.support.factories import DELIVERED, INPUT_TOPICS, make_item, record, record_message
from tests.support.fakes import FakeConsumer, FakeDestination, FakeLane, sample, settle
from tests.support.instant_clock import duration_s, instantly, turn
from tests.writer.delivery.setups import DispatcherSetup


class Opener(LaneOpener):
    """Opens the lanes that it is given, when ``ready`` is set."""

    def __init__(self) -> None:
        self.lanes = {number: FakeLane(number, positions=(10, 20, 30)) for number in (0, 1)}
        self.ready = asyncio.Event()
        self.ready.set()
        self.error: Exception | None = None

    def inputs(self, partition: int) -> list[TopicPartition]:
        return [TopicPartition(topic, partition) for topic in INPUT_TOPICS]

    async def open(self, partition: int) -> Lane:
        await self.ready.wait()
        if self.error is not None:
            raise self.error
        return self.lanes[partition]


class Setup:
    def __init__(self) -> None:
        self.opener = Opener()
        self.delivery = DispatcherSetup(FakeDestination(latency_s=5.0))
        self.lanes = self.delivery.lanes
        for lane in list(self.lanes):
            self.lanes.remove(lane)
        self.consumer = FakeConsumer()
        self.assignment = LaneAssignment(
            self.opener,
            self.consumer,
            Pauses(self.consumer),
            self.delivery.dispatcher,
            self.lanes,
            CommitCounter(self.delivery.metrics, self.delivery.guard),
            drain_timeout_s=30.0,
        )

    def inputs(self, *lanes: int) -> Sequence[TopicPartition]:
        return [partition for lane in lanes for partition in self.opener.inputs(lane)]

    async def assign(self, *lanes: int) -> None:
        """Assign ``lanes``, and let them be opened."""
        await self.assignment.on_partitions_assigned(self.inputs(*lanes))
        await turn()


@instantly
async def test_lane_is_read_from_its_committed_offsets_once_it_is_open() -> None:
    setup = Setup()
    assert setup.assignment.obstacle == "has not joined its group yet"
    setup.opener.ready.clear()
    await setup.assign(0, 1)
    assert setup.assignment.obstacle == "opens 2 of its lanes"
    assert (setup.consumer.paused, setup.lanes.numbers) == (set(setup.inputs(0, 1)), [])
    setup.opener.ready.set()
    await turn()
    assert setup.assignment.obstacle is None
    assert (setup.consumer.paused, setup.lanes.numbers) == (set(), [0, 1])
    assert setup.consumer.sought == dict(zip(setup.inputs(0, 1), [10, 20, 30] * 2, strict=True))


@instantly
async def test_committed_cycle_lets_the_next_item_of_a_key_go() -> None:
    setup = Setup()
    lane = setup.opener.lanes[0]
    (first,) = lane.accept(0, [record_message(offset, record(key="k")) for offset in (10, 11)])
    settle(lane, [first], DELIVERED)
    await setup.assign(0)
    assert len(setup.delivery.windows) == 1
    assert sample(setup.delivery.metrics, "sluice_outcomes_total", fate="delivered") == 1


UNREACHABLE = KafkaUnreachable(KafkaSettings(bootstrap_servers="x:1"), OSError())


@pytest.mark.parametrize("error", [KafkaError("no leader"), UNREACHABLE], ids=["Kafka refuses", "Kafka is gone"])
@instantly
async def test_lane_that_cannot_be_opened_is_lost(error: Exception) -> None:
    setup = Setup()
    setup.opener.error = error
    await setup.assign(0)
    assert setup.assignment.lost.result() == f"lane 0 cannot be opened: {error!r}"
    assert sample(setup.delivery.metrics, "sluice_lanes_lost_total", reason="opening") == 1


@pytest.mark.parametrize(("fenced", "reason"), [(True, "fenced"), (False, "kafka")])
@instantly
async def test_nothing_more_is_sent_for_a_lane_whose_cycles_end(fenced: bool, reason: str) -> None:
    setup = Setup()
    setup.opener.lanes[1].kept.error = LaneLost("lane 1 has a new owner", fenced=fenced)
    await setup.assign(0, 1)
    assert setup.assignment.lost.result() == "lane 1 has a new owner"
    assert [lane.alive for lane in setup.lanes] == [True, False]
    assert sample(setup.delivery.metrics, "sluice_lanes_lost_total", reason=reason) == 1


@pytest.mark.parametrize("stage", ["opening", "committing"])
@instantly
async def test_unforeseen_failure_of_a_lane_ends_the_session(stage: str) -> None:
    setup = Setup()
    failing = setup.opener if stage == "opening" else setup.opener.lanes[0].kept
    failing.error = ZeroDivisionError()
    await setup.assign(0)
    with pytest.raises(ZeroDivisionError):
        setup.assignment.lost.result()


@pytest.mark.parametrize("error", [RuntimeError(), IllegalOperation(), LaneLost("gone", fenced=False)], ids=repr)
@instantly
async def test_lane_is_dead_before_a_batch_learns_that_its_entry_was_not_written(error: BaseException) -> None:
    setup = Setup()
    lane = setup.opener.lanes[0]
    lane.kept.error = error
    await setup.assign(0)
    assert (lane.alive, setup.assignment.lost.done()) == (False, True)
    setup.assignment.lost.exception()


@instantly
async def test_lanes_are_closed_after_the_answers_of_their_requests() -> None:
    setup = Setup()
    async with setup.delivery.running():
        await setup.assign(0, 1)
        setup.delivery.dispatcher.add([make_item(10, lane=1)])
        await turn()
        await setup.assignment.on_partitions_revoked(setup.inputs(0, 1))
    for lane, settlements in zip(setup.opener.lanes.values(), (0, 1), strict=True):
        assert (len(lane.settlements), lane.kept.closed, lane.alive) == (settlements, True, False)
    assert (setup.lanes.numbers, setup.lanes.buffer.items) == ([], 0)


@instantly
async def test_lane_is_closed_although_its_last_cycle_takes_too_long() -> None:
    setup = Setup()
    await setup.assign(0)
    setup.opener.lanes[0].kept.drains = False
    assert await duration_s(setup.assignment.give_up()) == pytest.approx(30.0)
    assert setup.opener.lanes[0].kept.closed


@instantly
async def test_lane_that_is_given_up_while_it_opens_is_not_opened() -> None:
    setup = Setup()
    setup.opener.ready.clear()
    await setup.assign(0)
    await setup.assignment.give_up()
    setup.opener.ready.set()
    await turn()
    assert (setup.lanes.numbers, setup.assignment.obstacle) == ([], None)


@instantly
async def test_delivery_begins_anew_after_a_rebalance() -> None:
    setup = Setup()
    async with setup.delivery.running():
        await setup.assign(0)
        setup.delivery.guard.permits.clear()
        setup.delivery.dispatcher.add([make_item(10)])
        await setup.assignment.on_partitions_revoked(setup.inputs(0))
        assert (setup.lanes.numbers, len(setup.delivery.windows)) == ([], 0)
        setup.delivery.guard.permits.set()
        await setup.assign(1)
        setup.delivery.dispatcher.add([make_item(20, lane=1)])
        await turn()
    assert (setup.lanes.numbers, setup.delivery.destination.requests) == ([1], [[20]])


@instantly
async def test_nothing_is_opened_once_the_assignment_is_closed() -> None:
    setup = Setup()
    await setup.assignment.close()
    await setup.assign(0)
    assert (setup.lanes.numbers, setup.consumer.paused) == ([], set())
