"""A stage with Depot, which runs batches as jobs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.destinations.contract.kinds.depot import KIND
from tests.destinations.depot.vendor import Depot
from tests.support.kafka_admin import RunningKafka
from tests.support.stage import Stage, staged


@pytest.fixture
def depot() -> Depot:
    """Give a test a depot of its own."""
    return Depot()


@pytest_asyncio.fixture
async def stage(kafka: RunningKafka, prefix: str, tmp_path: Path, depot: Depot) -> AsyncIterator[Stage]:
    """Give a test a stage of two lanes, without a writer."""
    async with staged(kafka, prefix, tmp_path, vendor=depot, kind=KIND.staged) as stage:
        yield stage
