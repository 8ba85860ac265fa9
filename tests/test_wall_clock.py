"""The wall clock: one for the whole process, and nobody asks another."""

import ast
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from sluice import wall_clock
from tests.support.paths import ROOT


@pytest.fixture(autouse=True)
def _in_step() -> Iterator[None]:
    yield
    wall_clock.shift(0)


@pytest.mark.parametrize("ahead_s", [0.0, 3600.0, -3600.0])
def test_both_forms_are_ahead_by_as_much(ahead_s: float) -> None:
    wall_clock.shift(ahead_s)
    assert wall_clock.unix_s() - time.time() == pytest.approx(ahead_s, abs=1)
    assert (wall_clock.utc_now() - datetime.now(UTC)).total_seconds() == pytest.approx(ahead_s, abs=1)


def test_the_product_asks_no_other_clock_for_the_time_of_day() -> None:
    asked = {
        path.name
        for path in (ROOT / "services/sluice").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("datetime.now", "time.time")
    }
    assert asked == {"wall_clock.py"}
