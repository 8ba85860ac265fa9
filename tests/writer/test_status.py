"""WriterStatus: what could be delivered now, in gauges and in words."""

from datetime import UTC, datetime, timedelta

from aiokafka import TopicPartition

from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.due_retries import DueRetries
from sluice.writer.lanes.receipt_messages import rfc3339
from sluice.writer.pauses import PauseReason, Pauses
from sluice.writer.status import WriterStatus
from tests.support.factories import INPUT_TOPICS, FakeMessage, record, record_message
from tests.support.fakes import FakeConsumer, FakeLane, lanes_of, sample
from tests.support.instant_clock import instantly
from tests.writer.delivery.setups import make_limiter

INPUTS = [TopicPartition(topic, 0) for topic in INPUT_TOPICS]


class Setup:
    """One lane with 10 records and 5 retries in each topic; 2 records were read, the second waits for the first."""

    def __init__(self) -> None:
        self.metrics = WriterMetrics("crm")
        self.consumer = FakeConsumer()
        self.consumer.assigned = set(INPUTS)
        self.consumer.ends = dict(zip(INPUTS, (10, 5, 5), strict=True))
        self.pauses = Pauses(self.consumer)
        self.limiter = make_limiter()
        self.lane = lane = FakeLane(0)
        lane.accept(0, [record_message(offset, record(key="k")) for offset in range(2)])
        self.lanes = lanes_of(lane)
        self.lanes.buffer.enter(2, 20)
        self.retries = DueRetries(
            self.consumer, self.pauses, dict.fromkeys(INPUT_TOPICS[1:], 30.0), monotonic=lambda: 0.0
        )
        self.status = WriterStatus(INPUT_TOPICS, self.lanes, self.limiter, self.metrics, ordered=True)

    def backlog(self) -> float | None:
        """Refresh the gauges; return that of the backlog."""
        self.status.refresh(self.consumer, self.pauses, self.retries)
        return sample(self.metrics, "sluice_runnable_backlog_records")


def test_backlog_is_what_kafka_has_unread_and_what_is_in_memory() -> None:
    assert Setup().backlog() == 8 + 5 + 5 + 2


def test_retries_that_are_not_due_are_no_backlog() -> None:
    setup = Setup()
    setup.pauses.pause(INPUTS[2:], PauseReason.NOT_DUE)
    setup.pauses.pause(INPUTS[:1], PauseReason.BACKLOG)
    assert setup.backlog() == 8 + 5 + 2


def test_partition_that_was_taken_away_or_never_fetched_is_no_backlog() -> None:
    setup = Setup()
    setup.consumer.assigned.remove(INPUTS[0])
    del setup.consumer.ends[INPUTS[1]]
    assert setup.backlog() == 5 + 2


def test_gauges_are_set_at_most_twice_a_second() -> None:
    setup = Setup()
    before = setup.backlog()
    setup.consumer.ends[INPUTS[0]] = 1000
    assert setup.backlog() == before


@instantly
async def test_gauges_show_buffer_lanes_permits_and_pauses() -> None:
    setup = Setup()
    await setup.limiter.acquire()
    setup.pauses.pause(INPUTS, PauseReason.STOPPED)
    setup.backlog()
    names = ("buffered_items", "buffered_bytes", "lanes_owned", "requests_in_flight", "concurrency_limit")
    assert [sample(setup.metrics, f"sluice_{name}") for name in names] == [2, 20, 1, 1, 4]
    assert sample(setup.metrics, "sluice_lane_gap_records") == 2
    assert sample(setup.metrics, "sluice_paused_partitions", reason="stopped") == 3


@instantly
async def test_status_says_what_waits_and_why() -> None:
    setup = Setup()
    await setup.limiter.acquire()
    setup.limiter.failed(7.0, overloaded=False)
    setup.limiter.held_because = "503"
    setup.backlog()
    status = setup.status.status()
    assert (status["lanes"], status["backlog"], status["buffered_items"]) == ([0], 18, 2)
    assert (status["waiting_for_their_key"], status["failures_in_a_row"]) == (1, 1)
    assert (status["gap_by_lane"], status["paused_for_gap_since"]) == ({0: 2}, {})
    assert (status["held_because"], status["held_for_s"]) == ("503", 7.0)


@instantly
async def test_status_names_the_lanes_that_have_read_too_far_and_since_when() -> None:
    setup = Setup()
    setup.pauses.pause(INPUTS[:1], PauseReason.GAP)
    setup.backlog()
    [(lane, since)] = setup.status.status()["paused_for_gap_since"].items()
    assert (lane, len(since), since[-1]) == (0, len("2026-01-02T12:00:00.000Z"), "Z")


@instantly
async def test_retries_that_wait_are_shown_with_when_the_next_is_due_and_the_keys_that_they_park() -> None:
    setup = Setup()
    setup.lane.waiting_retries.update({1: 5, 2: 1})
    far = rfc3339(datetime.now(UTC) + timedelta(hours=1)).encode()
    setup.retries.take(INPUTS[1], [FakeMessage(topic=INPUT_TOPICS[1], headers=[("sluice.not-before", far)])])
    setup.backlog()
    status = setup.status.status()
    assert status["parked_keys"] == sample(setup.metrics, "sluice_parked_keys") == 6
    assert status["waiting_retries"] == {
        INPUT_TOPICS[1]: {"count": 5, "next_due_in_s": 30.0},
        INPUT_TOPICS[2]: {"count": 1, "next_due_in_s": None},
    }
    shown = [sample(setup.metrics, "sluice_waiting_retries", topic=topic) for topic in INPUT_TOPICS[1:]]
    assert shown == [5, 1]
    assert sample(setup.metrics, "sluice_next_retry_seconds", topic=INPUT_TOPICS[1]) == 30.0
