"""Poller: messages go to their lanes; what is not due, or not ours yet, is read again later."""

import asyncio
from datetime import UTC, datetime

import pytest
from aiokafka import TopicPartition

from sluice.writer.backpressure import Backpressure
from sluice.writer.due_retries import DueRetries
from sluice.writer.lanes.receipt_messages import rfc3339
from sluice.writer.partitioner_check import PartitionerCheck
from sluice.writer.pauses import PauseReason, Pauses
from sluice.writer.poller import Poller
from tests.support.factories import INPUT_TOPICS, FakeMessage, record_message
from tests.support.fakes import FakeConsumer, FakeDestination
from tests.support.instant_clock import instantly, now_s
from tests.writer.delivery.setups import DispatcherSetup

RECORDS, RETRIES = TopicPartition(INPUT_TOPICS[0], 0), TopicPartition(INPUT_TOPICS[1], 0)


class Setup:
    """A poller whose lanes are 0 and 1. Its dispatcher does not run: windows keep what they get."""

    def __init__(self, *polls: dict[TopicPartition, list[FakeMessage]]) -> None:
        self.delivery = DispatcherSetup(FakeDestination(), max_items=100)
        lanes = self.delivery.lanes
        self.consumer = FakeConsumer(*polls)
        self.pauses = Pauses(self.consumer)
        dispatcher = self.delivery.dispatcher
        backpressure = Backpressure(
            INPUT_TOPICS,
            lanes,
            self.pauses,
            self.delivery.guard,
            dispatcher,
            max_gap_per_lane=1000,
        )
        delays_s = dict.fromkeys(INPUT_TOPICS[1:], 30.0)
        retries = DueRetries(self.consumer, self.pauses, delays_s, monotonic=now_s, wall=now_s)
        partitioner = PartitionerCheck(self.delivery.metrics)
        poller = Poller(self.consumer, INPUT_TOPICS, lanes, dispatcher, self.pauses, backpressure, retries, partitioner)
        self._polls = poller.polls()

    async def poll(self) -> list[int]:
        """Poll once; return the next offset of each of lane 0's input topics."""
        await anext(self._polls)
        return [progress.next for progress in self.delivery.lane[0].progress]


def _make_retry(offset: int, due_at_s: float) -> FakeMessage:
    message = record_message(offset, topic=1)
    due = rfc3339(datetime.fromtimestamp(due_at_s, UTC)).encode()
    return FakeMessage(topic=message.topic, offset=offset, value=message.value, headers=[("sluice.not-before", due)])


@instantly
async def test_messages_of_a_poll_go_to_their_lanes_and_on_to_the_windows() -> None:
    setup = Setup({RECORDS: [record_message(0), record_message(1)], RETRIES: [_make_retry(0, 0.0)]})
    assert await setup.poll() == [2, 1, 0]
    assert len(setup.delivery.windows) == 3


@instantly
async def test_records_handed_out_for_a_lane_that_is_opening_or_not_here_are_dropped() -> None:
    setup = Setup({RECORDS: [record_message(0)], TopicPartition(INPUT_TOPICS[0], 7): [record_message(0, lane=7)]})
    setup.pauses.pause([RECORDS], PauseReason.OPENING)
    assert await setup.poll() == [0, 0, 0]
    assert len(setup.delivery.windows) == 0


@instantly
async def test_records_of_a_lane_that_is_opened_during_the_poll_are_read_again() -> None:
    setup = Setup({RETRIES: [_make_retry(0, 0.0)]})
    lane = setup.delivery.lane[0]
    setup.delivery.lanes.remove(lane)
    asyncio.get_running_loop().call_later(0.001, setup.delivery.lanes.add, lane)
    assert await setup.poll() == [0, 0, 0]
    assert (setup.consumer.sought, len(setup.delivery.windows)) == ({RETRIES: 0}, 0)


@instantly
async def test_retry_topic_is_read_again_when_its_next_retry_is_due() -> None:
    setup = Setup({RETRIES: [_make_retry(0, now_s() + 10)]})
    await setup.poll()
    assert (setup.consumer.sought, setup.consumer.paused) == ({RETRIES: 0}, {RETRIES})
    paused_at_s = now_s()
    while setup.consumer.paused:
        await setup.poll()
    assert now_s() - paused_at_s == pytest.approx(10, abs=0.1)


@instantly
async def test_each_poll_applies_the_backpressure() -> None:
    setup = Setup({RECORDS: [record_message(0), record_message(1000)]})
    await setup.poll()
    assert setup.pauses.holds(RECORDS, PauseReason.GAP)
