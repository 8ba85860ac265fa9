"""A stage for the tests of the writer process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support.kafka_admin import RunningKafka
from tests.support.stage import Stage, staged


@pytest_asyncio.fixture
async def stage(kafka: RunningKafka, prefix: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Give a test a stage of two lanes, without a writer."""
    async with staged(kafka, prefix, tmp_path) as stage:
        yield stage
