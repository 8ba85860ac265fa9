"""The audit: what stands between the demo and a success that is none."""

from typing import Any

import pytest

from demo.audit import Audit, audit
from demo.evidence import Evidence
from sandbox.ledger.ledger import LedgerSummary
from sandbox.ledger.repeats import Repeat, Repeats

RECORDS = {(0, 0): "EHAM", (0, 1): "EDDB", (1, 0): "no key"}
CLEAN = Audit([], [], [])


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


def evidence(**changes: Any) -> Evidence:
    """Of a run without receipts, in which all agree."""
    found = Evidence(
        published=0, records=0, receipts=[], dead_messages=[], audit=CLEAN, ledger=ledger({}), groups=0, batches=[]
    )
    return found._replace(**changes)


def ledger(effects: dict[str, int], repeated: int = 0) -> LedgerSummary:
    repeats = [Repeat(identifier=f"0-{number}", received=2, changed=2) for number in range(repeated)]
    return LedgerSummary(
        requests={},
        entries=0,
        effects={"group": effects},
        changed=0,
        max_entries_per_request=0,
        max_concurrent={},
        forgotten=0,
        repeats=Repeats(received_more_than_once=0, changed_more_than_once=repeated, first=repeats),
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, [], id="all agree"),
        pytest.param(
            {"published": 2, "records": 1},
            ["2 records were published, and crm.records holds 1"],
            id="a record that never reached kafka",
        ),
        pytest.param(
            {"ledger": ledger({"CREATED": 1})},
            ["CREATED: the vendor counts 1, the receipts 0"],
            id="an effect without a receipt",
        ),
        pytest.param({"groups": 1}, ["the vendor has 1 airports, the receipts say 0"], id="an airport too many"),
        pytest.param({"ledger": ledger({}, 1)}, ["the vendor applied 0-0 2 times"], id="a record applied twice"),
    ],
)
def test_disagreements(changes: dict[str, Any], expected: list[str]) -> None:
    assert evidence(**changes).disagreements() == expected
