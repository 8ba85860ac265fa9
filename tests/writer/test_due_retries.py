"""DueRetries: a retry waits for its time by this process's clock, whatever the clock of its writer was."""

from datetime import UTC, datetime

import pytest
from aiokafka import TopicPartition

from sluice.writer.due_retries import DueRetries
from sluice.writer.lanes.receipt_messages import rfc3339
from sluice.writer.pauses import PauseReason, Pauses
from tests.support.factories import INPUT_TOPICS, FakeMessage
from tests.support.fakes import FakeConsumer

DELAY_S = 30.0
RETRIES = TopicPartition(INPUT_TOPICS[1], 0)


class Setup:
    """One retry topic, read at second 0 of both clocks."""

    def __init__(self) -> None:
        self.monotonic_s, self.wall_s = 0.0, 1_800_000_000.0
        self.consumer = FakeConsumer()
        self.consumer.assigned = {RETRIES}
        self.pauses = Pauses(self.consumer)
        self.due = DueRetries(
            self.consumer,
            self.pauses,
            {RETRIES.topic: DELAY_S},
            monotonic=lambda: self.monotonic_s,
            wall=lambda: self.wall_s,
        )

    def retry(self, offset: int, due_in_s: float) -> FakeMessage:
        due = rfc3339(datetime.fromtimestamp(self.wall_s + due_in_s, UTC)).encode()
        return FakeMessage(topic=RETRIES.topic, offset=offset, headers=[("sluice.not-before", due)])

    def take(self, *messages: FakeMessage) -> list[int]:
        """Return the offsets of those that are due."""
        return [message.offset for message in self.due.take(RETRIES, messages)]

    def pass_s(self, seconds: float) -> bool:
        """Let time pass; return whether the topic is still paused then."""
        self.monotonic_s += seconds
        self.wall_s += seconds
        self.due.resume()
        return self.pauses.holds(RETRIES, PauseReason.NOT_DUE)


def test_retry_that_is_not_due_pauses_its_topic_and_is_read_again() -> None:
    setup = Setup()
    assert setup.take(setup.retry(3, 0.0), setup.retry(4, 20.0), setup.retry(5, 0.0)) == [3]
    assert (setup.consumer.sought, setup.consumer.paused) == ({RETRIES: 4}, {RETRIES})
    assert [setup.pass_s(19.9), setup.pass_s(0.1)] == [True, False]


def test_retry_of_a_writer_whose_clock_was_ahead_waits_no_longer_than_its_delay() -> None:
    setup = Setup()
    ahead = [setup.retry(offset, 3600.0 + DELAY_S) for offset in range(3)]
    assert setup.take(*ahead) == []
    assert [setup.pass_s(29.9), setup.pass_s(0.1)] == [True, False]
    assert setup.take(*ahead) == [0, 1, 2]


def test_retries_behind_those_that_one_poll_returns_wait_no_longer() -> None:
    setup = Setup()
    setup.consumer.ends[RETRIES] = 10_000
    assert setup.take(setup.retry(0, 3600.0)) == []
    setup.pass_s(DELAY_S)
    assert setup.take(setup.retry(0, 3600.0), setup.retry(9_999, 3600.0)) == [0, 9_999]


def test_wall_clock_that_is_set_back_delays_nothing() -> None:
    setup = Setup()
    retry = setup.retry(0, DELAY_S)
    assert setup.take(retry) == []
    setup.wall_s -= 600.0
    assert [setup.pass_s(29.9), setup.pass_s(0.1)] == [True, False]
    assert setup.take(retry) == [0]


@pytest.mark.parametrize("due", [pytest.param(b"soon", id="no instant"), pytest.param(b"\xff", id="no text")])
def test_retry_with_a_due_time_that_makes_no_sense_is_due(due: bytes) -> None:
    assert Setup().take(FakeMessage(topic=RETRIES.topic, headers=[("sluice.not-before", due)])) == [0]


def test_next_due_time_of_a_topic_is_known_while_it_is_paused() -> None:
    setup = Setup()
    assert setup.due.next_in_s(RETRIES.topic) is None
    setup.take(setup.retry(0, 20.0))
    setup.pass_s(5.0)
    assert setup.due.next_in_s(RETRIES.topic) == pytest.approx(15.0)
    setup.pauses.forget()  # its lanes are given up
    assert setup.due.next_in_s(RETRIES.topic) is None
