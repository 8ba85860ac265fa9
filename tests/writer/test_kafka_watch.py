"""A Kafka that falls silent is told with the reason, and so is its return."""

import asyncio

from sluice.kafka.connections import silence
from sluice.kafka.settings import KafkaSettings
from sluice.writer.kafka_watch import KafkaWatch
from tests.support.instant_clock import in_background


async def test_silence_is_told_with_its_reason_until_it_ends() -> None:
    watch = KafkaWatch(KafkaSettings(bootstrap_servers="localhost:1", session_timeout_s=3))
    silence.end()
    async with in_background(watch.run()), asyncio.timeout(10):
        while watch.obstacle is None:  # noqa: ASYNC110  # it has no event: a probe asks
            await asyncio.sleep(0.01)
        assert silence.seconds >= 1
        assert "Kafka cannot be reached at localhost:1: nobody listens there" in watch.obstacle
        while watch.obstacle is not None:
            silence.end()
            await asyncio.sleep(0.01)
