"""The audit: missing, double and unknown receipts are found."""

import pytest

from demo.audit import Audit, audit
from tests.demo.evidence import CLEAN

RECORDS = {(0, 0): "EHAM", (0, 1): "EDDB", (1, 0): "no key"}


@pytest.mark.parametrize(
    ("receipts", "expected"),
    [
        pytest.param([(0, 0), (1, 0), (0, 1)], CLEAN, id="one receipt each is clean"),
        pytest.param([(0, 0), (1, 0)], Audit(["partition 0 offset 1 (EDDB)"], [], []), id="a missing receipt is named"),
        pytest.param(
            [(0, 0), (0, 1), (1, 0), (1, 0)],
            Audit([], ["partition 1 offset 0 (no key) has 2"], []),
            id="a double receipt is named",
        ),
        pytest.param(
            [(0, 0), (0, 0), (0, 1)],
            Audit(["partition 1 offset 0 (no key)"], ["partition 0 offset 0 (EHAM) has 2"], []),
            id="a double one does not make up for a missing one",
        ),
        pytest.param([*RECORDS, (7, 7)], Audit([], [], ["(7, 7)"]), id="a receipt of no record is named"),
        pytest.param([*RECORDS, None], Audit([], [], ["None"]), id="a receipt without a source is of no record"),
    ],
)
def test_audit(receipts: list[tuple[int, int] | None], expected: Audit) -> None:
    assert audit(RECORDS, receipts) == expected


def test_only_nothing_is_clean() -> None:
    assert CLEAN.is_clean
    assert not any(Audit(*lists).is_clean for lists in ([["x"], [], []], [[], ["x"], []], [[], [], ["x"]]))
