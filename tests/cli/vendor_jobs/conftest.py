"""A stage with Depot, and a command line that knows the kind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from sandbox.http.messages import Response
from sluice.cli.__main__ import sluice
from sluice.destinations import KINDS
from tests.destinations.depot.vendor import Depot, Job
from tests.support.kafka_admin import RunningKafka
from tests.support.stage import DEPOT, Stage, staged

Ask = Callable[..., Awaitable[Result]]


class HeldDepot(Depot):
    """A depot whose jobs run when a test says so, and end after so many rows when they are aborted."""

    def __init__(self) -> None:
        super().__init__()
        self.is_held = True
        self.abort_after = 0

    def abort(self, job: Job, after: int = 0) -> Response:
        return super().abort(job, after or self.abort_after)


@pytest.fixture(autouse=True)
def _depot_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "depot", "tests.destinations.depot.kind")


@pytest.fixture
def depot() -> HeldDepot:
    """Give a test a depot of its own."""
    return HeldDepot()


@pytest_asyncio.fixture
async def stage(kafka: RunningKafka, prefix: str, tmp_path: Path, depot: HeldDepot) -> AsyncIterator[Stage]:
    """Give a test a stage of two lanes, without a writer."""
    async with staged(kafka, prefix, tmp_path, vendor=depot, kind=DEPOT) as stage:
        yield stage


@pytest.fixture
def ask(stage: Stage) -> Ask:
    """Run ``sluice vendor-jobs`` with the arguments given, beside the vendor that is served here."""
    config = stage.settings()

    async def run(*arguments: str) -> Result:
        line = ("--config", str(config), "vendor-jobs", *arguments)
        return await asyncio.to_thread(CliRunner().invoke, sluice, line)

    return run
