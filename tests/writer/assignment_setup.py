"""Puts an assignment of lanes together, for tests on the instant clock."""

import asyncio
from collections.abc import Sequence

from aiokafka import TopicPartition

from sluice.writer.assigned_lane import AssignedLane
from sluice.writer.assignment import LaneAssignment
from sluice.writer.commit_counter import CommitCounter
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.opening import LaneOpener
from sluice.writer.pauses import Pauses
from tests.support.factories import INPUT_TOPICS
from tests.support.fakes import FakeConsumer, FakeDestination, FakeLane
from tests.support.instant_clock import turn
from tests.writer.delivery.setups import DispatcherSetup


class Opener(LaneOpener):
    """Opens the lanes that it is given, when ``ready`` is set."""

    def __init__(self) -> None:
        self.lanes = {number: FakeLane(number, positions=(10, 20, 30)) for number in (0, 1)}
        self.ready = asyncio.Event()
        self.ready.set()
        self.errors: list[BaseException] = []
        """Raised one after the other, before any lane is opened."""
        self.opened: list[int] = []

    def inputs(self, partition: int) -> list[TopicPartition]:
        return [TopicPartition(topic, partition) for topic in INPUT_TOPICS]

    async def open(self, partition: int) -> Lane:
        await self.ready.wait()
        if self.errors:
            raise self.errors.pop(0)
        self.opened.append(partition)
        return self.lanes[partition]


class AssignmentSetup:
    def __init__(self, destination: FakeDestination | None = None) -> None:
        self.opener = Opener()
        self.delivery = DispatcherSetup(destination or FakeDestination(latency_s=5.0))
        self.lanes = self.delivery.lanes
        for lane in list(self.lanes):
            self.lanes.remove(lane)
        self.consumer = FakeConsumer()
        self.consumer.assigned.update(self.inputs(0, 1))
        self.pauses = Pauses(self.consumer)
        self.assignment = LaneAssignment(
            self._make_lane, self.pauses, self.delivery.dispatcher, self.lanes.answers, drain_timeout_s=30.0
        )

    def inputs(self, *lanes: int) -> Sequence[TopicPartition]:
        return [partition for lane in lanes for partition in self.opener.inputs(lane)]

    async def assign(self, *lanes: int) -> None:
        """Assign ``lanes``, and let them be opened."""
        await self.assignment.on_partitions_assigned(self.inputs(*lanes))
        await turn()

    def _make_lane(self, number: int) -> AssignedLane:
        counter = CommitCounter(self.delivery.metrics, self.delivery.guard)
        dispatcher = self.delivery.dispatcher
        return AssignedLane(number, self.opener, self.consumer, self.pauses, dispatcher, self.lanes, counter)
