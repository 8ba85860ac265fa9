"""A stage for the tests of the writer process, and a backlog for those of a writer in this process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from sluice.client.connection import Connection
from tests.support.kafka_admin import RunningKafka
from tests.support.stage import Stage, staged
from tests.writer.in_process import make_backlog


@pytest_asyncio.fixture
async def stage(kafka: RunningKafka, prefix: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Give a test a stage of two lanes, without a writer."""
    async with staged(kafka, prefix, tmp_path) as stage:
        yield stage


@pytest_asyncio.fixture
async def backlog(kafka: RunningKafka) -> Connection:
    """Give a test topics with a few records that have no receipt yet."""
    return await make_backlog(kafka)
