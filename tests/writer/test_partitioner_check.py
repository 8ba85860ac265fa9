"""PartitionerCheck: a publisher with another partitioner is noticed, and said once."""

import logging

import pytest

from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.partitioner_check import SAMPLES, PartitionerCheck
from tests.support.factories import FakeMessage
from tests.support.fakes import sample

WRONG = FakeMessage(key=b"acme5", partition=1, offset=7)
RIGHT = FakeMessage(key=b"acme8", partition=1, offset=8)


def _make_check(metrics: WriterMetrics) -> PartitionerCheck:
    check = PartitionerCheck(metrics)
    check.partitions = 2
    return check


def test_key_on_a_wrong_partition_is_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    metrics = WriterMetrics("crm")
    check = _make_check(metrics)
    for _ in range(3):
        check.look([WRONG, RIGHT])
    [line] = [line for line in caplog.records if line.levelno == logging.WARNING]
    assert (line.__dict__["topic"], line.__dict__["partition"], line.__dict__["offset"]) == ("crm.records", 1, 7)
    assert "partitioner=murmur2_random" in line.__dict__["reason"]
    assert sample(metrics, "sluice_misplaced_records_total") == 3


def test_keys_that_murmur2_has_placed_are_not_counted() -> None:
    metrics = WriterMetrics("crm")
    _make_check(metrics).look([RIGHT] * 10)
    assert sample(metrics, "sluice_misplaced_records_total") == 0


@pytest.mark.parametrize("polled", [1, 3, SAMPLES, SAMPLES + 1, 4000])
def test_few_records_of_a_poll_are_looked_at(polled: int) -> None:
    metrics = WriterMetrics("crm")
    _make_check(metrics).look([WRONG] * polled)
    looked = sample(metrics, "sluice_misplaced_records_total")
    assert looked is not None
    assert min(polled, SAMPLES // 2) <= looked <= SAMPLES
