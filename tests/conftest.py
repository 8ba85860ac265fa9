"""Fixtures for every test: a real Kafka, started once and only when a test asks for it."""

import gc
import os
import re
import signal
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any, Protocol

import pytest

from sandbox.kafka.cluster import LocalKafka
from sluice.client.connection import Connection
from tests.support.access import ACCESS_CONTROL
from tests.support.kafka_admin import RunningKafka, create_topics
from tests.support.secured import SECURED
from tests.support.side_by_side import SideBySide, rank
from tests.support.topics import crm_topics


class CreateTopics(Protocol):
    async def __call__(
        self,
        names: list[str],
        *,
        partitions: int = 1,
        config: dict[str, str] | None = None,
    ) -> None: ...


def pytest_sessionstart() -> None:
    """Take SIGINT, which a shell has its background jobs ignore: tests send it to processes that inherit this."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection() -> None:
    """Collect no garbage while test files are read.

    A collection in the middle of ``ast.parse`` can end in ``SystemError: AST constructor recursion depth mismatch``
    with Python 3.11: https://github.com/python/cpython/issues/106905.
    """
    gc.disable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes long where processes share the tests."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SideBySide:
    """Return what gives the tests to processes."""
    return SideBySide(config, log)


def pytest_collection_finish() -> None:
    """Collect garbage again."""
    gc.enable()


@pytest.fixture(scope="session")
def local_kafka() -> Iterator[LocalKafka]:
    """One broker for the whole session, with a secured listener of each kind beside the plain one."""
    with LocalKafka(secured=SECURED, settings=ACCESS_CONTROL) as local:
        yield local


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> RunningKafka:
    """The session's broker, or the cluster that KAFKA_BOOTSTRAP_SERVERS names."""
    servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    return RunningKafka(servers or request.getfixturevalue("local_kafka").bootstrap_servers)


@pytest.fixture(name="create_topics")
def _create_topics(kafka: RunningKafka) -> CreateTopics:
    return partial(create_topics, kafka.bootstrap_servers)


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """Begins the names of a test's topics, groups and transactional ids, so that no two tests meet."""
    test = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:40]
    return f"{test}-{uuid.uuid4().hex[:8]}."


@pytest.fixture(name="connection")
async def _connection(kafka: RunningKafka, prefix: str) -> Connection:
    """Topics of a destination ``crm``, of three partitions each, and how to reach them."""
    return await crm_topics(kafka, prefix)
