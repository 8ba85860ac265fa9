"""Distribution of the tests over several processes: ``pytest -n 4``, with pytest-xdist."""

# pytest-xdist has no types:
# mypy: allow-subclassing-any

import re
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

FIRST = (
    "tests/destinations/contract",
    "tests/chaos",
    "tests/demo",
    "tests/bench",
    "tests/writer",
    "tests/cli",
    "tests/sandbox/kafka",
    "tests/dead_letters",
    "tests/telemetry",
    "tests/kafka",
    "tests/client",
    "tests/examples",
    "tests/sandbox/test_commands.py",
    "tests/sandbox",
)
"""Where tests wait, those that wait longest first: what only computes fills the time of whoever is done early."""
BY_THEMSELVES = (
    "tests/destinations/contract/test_kills.py",
    "tests/destinations/contract/test_order.py",
    "tests/chaos",
    "tests/demo",
    "tests/bench",
)
"""Tests that take long and share nothing: each goes to whoever is free."""
_OF_A_KIND = re.compile(r"tests/destinations/contract/.*?\[(\w+)")
"""A test of the contract suite: the first word of its parameters is a kind."""


def rank(path: str) -> int:
    """Return the place of a test file among the others."""
    return next((place for place, folder in enumerate(FIRST) if path.startswith(folder)), len(FIRST))


def unit_of(nodeid: str) -> str:
    """Return the name of the tests that stay together with this one."""
    if nodeid.startswith(BY_THEMSELVES):
        return nodeid
    of_a_kind = _OF_A_KIND.match(nodeid)
    return of_a_kind[1] if of_a_kind else nodeid.partition("::")[0]


class SideBySide(LoadScopeScheduling):
    """Scheduler that gives out files, in their order: tests of one file share what its fixtures have started.

    Some are given out test by test, and most of the contract suite by kind, because its stages are those of a kind.
    """

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)
