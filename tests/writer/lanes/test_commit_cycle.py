"""Committer: the stand-in of the tests and the product's own do the same for a lane."""

import inspect

import pytest

from sluice.writer.lanes.commit_cycle import Committer
from sluice.writer.lanes.committer import LaneCommitter
from tests.support.fakes import FakeCommitter

VERBS = [name for name in vars(Committer) if not name.startswith("_") and callable(getattr(Committer, name))]


@pytest.mark.parametrize("verb", VERBS)
def test_both_committers_take_what_a_lane_gives_them(verb: str) -> None:
    expected = list(inspect.signature(getattr(Committer, verb)).parameters)
    for kind in (LaneCommitter, FakeCommitter):
        assert list(inspect.signature(getattr(kind, verb)).parameters) == expected
