"""A stage for each kind, shared by the tests that leave its writer alive, and one of its own for those that do not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.destinations.contract.kind_stage import KindStage, kind_staged
from tests.destinations.contract.opened_account import OpenedAccount, opened_account
from tests.destinations.contract.sandboxed_kind import SandboxedKind
from tests.support.kafka_admin import RunningKafka


class SharedStages:
    """A stage for each kind, opened by the first test that asks for it."""

    def __init__(self, kafka: RunningKafka, stack: AsyncExitStack, make_directory: Callable[[str], Path]) -> None:
        self._kafka = kafka
        self._stack = stack
        self._make_directory = make_directory
        self._stages: dict[str, KindStage] = {}

    async def of(self, kind: SandboxedKind) -> KindStage:
        """Return the stage of ``kind``."""
        if kind.name not in self._stages:
            directory = self._make_directory(kind.name)
            stage = await self._stack.enter_async_context(kind_staged(self._kafka, directory, kind))
            # A writer asks the vendor for its clock before its first unsafe write: calls that no test expects.
            await stage.deliver([kind.insert("first")])
            self._stages[kind.name] = stage
        return self._stages[kind.name]


@pytest_asyncio.fixture(scope="session")
async def shared_stages(kafka: RunningKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SharedStages]:
    """Share a stage of each kind among all tests of the suite."""
    async with AsyncExitStack() as stack:
        yield SharedStages(kafka, stack, tmp_path_factory.mktemp)


@pytest_asyncio.fixture
async def shared(kind: SandboxedKind, shared_stages: SharedStages) -> AsyncIterator[KindStage]:
    """Give a test the stage of its kind, which it must leave with a writer that delivers."""
    stage = await shared_stages.of(kind)
    yield stage
    stage.app.leave_alone()


@pytest_asyncio.fixture
async def own(kind: SandboxedKind, kafka: RunningKafka, tmp_path: Path) -> AsyncIterator[KindStage]:
    """Give a test a stage of its own, whose writer it may kill."""
    async with kind_staged(kafka, tmp_path, kind) as stage:
        yield stage


@pytest_asyncio.fixture
async def side_by_side(kind: SandboxedKind, kafka: RunningKafka, tmp_path: Path) -> AsyncIterator[list[KindStage]]:
    """Give a test three of them: most of a kill is waiting."""
    async with AsyncExitStack() as stack:
        directories = [tmp_path / str(number) for number in range(3)]
        for directory in directories:
            directory.mkdir()
        opening = [stack.enter_async_context(kind_staged(kafka, directory, kind)) for directory in directories]
        yield await asyncio.gather(*opening)


@pytest_asyncio.fixture
async def opened(kind: SandboxedKind) -> AsyncIterator[OpenedAccount]:
    """Give a test an account with a stand-in, and nothing else."""
    async with opened_account(kind) as opened:
        yield opened
