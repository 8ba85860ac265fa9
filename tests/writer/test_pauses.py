"""Pauses: a partition is read again when its last reason is gone."""

from datetime import UTC, datetime

import pytest
from aiokafka import TopicPartition

from sluice.writer.pauses import BRIEF, PauseReason, Pauses
from tests.support.fakes import FakeConsumer

FIRST, SECOND = TopicPartition("crm.records", 0), TopicPartition("crm.records", 1)


@pytest.mark.parametrize("reason", [pytest.param(reason, id=reason.value) for reason in PauseReason])
def test_only_lasting_reasons_pause_at_the_client(reason: PauseReason) -> None:
    pauses = Pauses(consumer := FakeConsumer())
    pauses.pause([FIRST], reason)
    assert consumer.paused == (set() if reason in BRIEF else {FIRST})
    assert (pauses.count(reason), pauses.holds(FIRST, reason), pauses.holds(SECOND, reason)) == (1, True, False)
    pauses.resume([FIRST], reason)
    assert (consumer.paused, pauses.count(reason), pauses.holds(FIRST, reason)) == (set(), 0, False)


def test_last_lasting_reason_resumes_at_the_client() -> None:
    pauses = Pauses(consumer := FakeConsumer())
    for reason in (PauseReason.BACKLOG, PauseReason.OPENING, PauseReason.STOPPED):
        pauses.pause([FIRST], reason)
    for other in (PauseReason.NOT_DUE, PauseReason.OPENING):  # the first of them is no reason here
        pauses.resume([FIRST, SECOND], other)
        assert consumer.paused == {FIRST}
    pauses.resume([FIRST], PauseReason.STOPPED)
    assert consumer.paused == set()
    assert pauses.holds(FIRST, PauseReason.BACKLOG)


@pytest.mark.parametrize(
    ("first", "second", "polled"),
    [
        pytest.param(None, None, [FIRST, SECOND], id="nothing is paused"),
        pytest.param(PauseReason.BACKLOG, None, [SECOND], id="a brief reason leaves a partition out"),
        pytest.param(PauseReason.OPENING, None, [SECOND], id="so does a lasting one"),
        pytest.param(PauseReason.BACKLOG, PauseReason.OPENING, [SECOND], id="the client may hold all that is left"),
        pytest.param(PauseReason.BACKLOG, PauseReason.ORDER, [], id="all are left out for brief reasons"),
    ],
)
def test_partitions_to_poll(
    first: PauseReason | None, second: PauseReason | None, polled: list[TopicPartition]
) -> None:
    pauses = Pauses(FakeConsumer())
    for partition, reason in ((FIRST, first), (SECOND, second)):
        if reason is not None:
            pauses.pause([partition], reason)
    assert pauses.to_poll([FIRST, SECOND]) == polled


def test_pause_is_as_old_as_its_first_mention() -> None:
    pauses, before = Pauses(FakeConsumer()), datetime.now(UTC)
    pauses.pause([FIRST], PauseReason.GAP)
    after = datetime.now(UTC)
    pauses.pause([FIRST, SECOND], PauseReason.GAP)
    assert set(since := pauses.since(PauseReason.GAP)) == {FIRST, SECOND}
    assert before <= since[FIRST] <= after <= since[SECOND]
    pauses.resume([FIRST, SECOND], PauseReason.GAP)
    assert pauses.since(PauseReason.GAP) == {}


def test_new_assignment_has_no_pauses() -> None:
    pauses = Pauses(FakeConsumer())
    pauses.pause([FIRST], PauseReason.NOT_DUE)
    pauses.forget()
    assert (pauses.count(PauseReason.NOT_DUE), pauses.to_poll([FIRST])) == (0, [FIRST])
