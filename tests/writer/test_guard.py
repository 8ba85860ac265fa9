"""GuardFollower: it stops at a flood by itself, and goes on when a person says so."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest_asyncio

from sluice.kafka.control_topic import set_guard
from sluice.kafka.settings import KafkaSettings
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.guard import GuardFollower
from tests.conftest import CreateTopics
from tests.support.fakes import sample
from tests.support.instant_clock import in_background
from tests.support.kafka_admin import RunningKafka
from tests.support.writer_process import eventually
from tests.writer.delivery.setups import make_guard


def test_guard_trips_once_and_says_so() -> None:
    metrics = WriterMetrics("crm")
    guard = make_guard(metrics, over_records=10)
    guard.count(9, 9)
    assert (guard.reason, guard.permits.is_set()) == (None, True)
    guard.count(1, 0)
    reason = guard.reason
    assert reason is not None
    assert (guard.permits.is_set(), sample(metrics, "sluice_guard_stopped")) == (False, 1)
    guard.count(100, 100)
    assert guard.reason == reason


@pytest_asyncio.fixture
async def control(prefix: str, create_topics: CreateTopics) -> str:
    await create_topics([topic := f"{prefix}control"])
    return topic


@asynccontextmanager
async def _follow(kafka: RunningKafka, topic: str) -> AsyncIterator[GuardFollower]:
    """Follow ``topic`` while the body runs, from when its state is known."""
    guard = make_guard(WriterMetrics("crm"), over_records=10, servers=kafka.bootstrap_servers, topic=topic)
    async with in_background(guard.run()):
        await guard.known.wait()
        yield guard


async def test_guard_begins_as_earlier_processes_left_it_until_it_is_resumed(kafka: RunningKafka, control: str) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers)
    await set_guard(settings, control, "stopped", reason="bad data", by="me")
    async with _follow(kafka, control) as guard:
        assert (guard.reason, guard.permits.is_set()) == ("bad data; stopped by me", False)
        guard.count(9, 9)
        await set_guard(settings, control, "running", reason="mended", by="me")
        await guard.permits.wait()
        guard.count(9, 9)  # counted anew: without that it would be 18 of 18
        assert guard.reason is None


async def test_guard_that_trips_stops_all_writers(kafka: RunningKafka, control: str) -> None:
    async with _follow(kafka, control) as guard, _follow(kafka, control) as other:
        guard.count(10, 10)

        async def reason() -> str | None:
            return other.reason

        found = await eventually(reason)
        assert found is not None
        assert found.startswith("10 of the last 10 records became dead letters")
        assert found.endswith(f"stopped by writer on {socket.gethostname()}")
