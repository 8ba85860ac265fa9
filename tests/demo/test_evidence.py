"""The counts of upstream systems, Kafka and the vendor, compared; the verdict decides the exit code."""

import io
from typing import Any

import pytest

from demo.evidence import Effects, Evidence, Holding, audit
from demo.screen import Screen
from demo.summary import print_verdict
from sandbox.ledger.ledger import LedgerSummary
from sandbox.ledger.repeats import Repeat, Repeats

RECORDS = {(0, 0): "EHAM", (0, 1): "EDDB", (1, 0): "no key"}


def evidence(**changes: Any) -> Evidence:
    """Return the evidence of a run without receipts, in which all counts agree, with ``changes``."""
    found = Evidence(
        published=0, records=0, receipts=[], dead_messages=[], audit=[], ledger=ledger({}), effects=None, logs=[]
    )
    return found._replace(**changes)


def ledger(effects: dict[str, int], repeated: int = 0) -> LedgerSummary:
    """Return a vendor's ledger with these ``effects``, in which ``repeated`` records were applied twice."""
    repeats = [Repeat(identifier=f"0-{number}", received=2, changed=2) for number in range(repeated)]
    found = Repeats(received_more_than_once=0, changed_more_than_once=repeated, first=repeats)
    zeros = {"entries": 0, "changed": 0, "max_entries_per_request": 0, "forgotten": 0}
    return LedgerSummary(requests={}, effects={"group": effects}, max_concurrent={}, repeats=found, **zeros)


def verdict(audited: list[str]) -> tuple[bool, str]:
    stream = io.StringIO()
    return print_verdict(Screen(stream), evidence(audit=audited)), stream.getvalue()


@pytest.mark.parametrize(
    ("receipts", "expected"),
    [
        pytest.param([(0, 0), (1, 0), (0, 1)], [], id="one receipt each is clean"),
        pytest.param([(0, 0), (1, 0)], ["no receipt: partition 0 offset 1 (EDDB)"], id="a missing receipt is named"),
        pytest.param(
            [(0, 0), (0, 1), (1, 0), (1, 0)],
            ["more than one receipt: partition 1 offset 0 (no key) has 2"],
            id="a double receipt is named",
        ),
        pytest.param(
            [(0, 0), (0, 0), (0, 1)],
            [
                "no receipt: partition 1 offset 0 (no key)",
                "more than one receipt: partition 0 offset 0 (EHAM) has 2",
            ],
            id="a double one does not make up for a missing one",
        ),
        pytest.param([*RECORDS, (7, 7)], ["a receipt of no record: (7, 7)"], id="a receipt of no record is named"),
        pytest.param(
            [*RECORDS, None], ["a receipt of no record: None"], id="a receipt without a source is of no record"
        ),
    ],
)
def test_audit(receipts: list[tuple[int, int] | None], expected: list[str]) -> None:
    assert audit(RECORDS, receipts) == expected


def test_a_redriven_record_has_a_receipt_more() -> None:
    assert audit({(0, 0): "EHAM"}, [(0, 0), (0, 0)], redriven=[(0, 0)]) == []
    assert audit({(0, 0): "EHAM"}, [(0, 0)], redriven=[(0, 0)]) == ["no receipt: partition 0 offset 0 (EHAM)"]


def test_effects_that_have_no_receipt_are_left_out_where_a_story_says_so() -> None:
    attendees = ledger({"CREATED": 4})
    effects = Effects({}, lambda family, _effect: family != "group")
    assert evidence(ledger=attendees, effects=Effects({})).disagreements() != []
    assert evidence(ledger=attendees, effects=effects).disagreements() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, [], id="all agree"),
        pytest.param({"audit": ["no receipt: x"]}, ["no receipt: x"], id="a record without its receipt"),
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
        pytest.param(
            {"holdings": [Holding("airports", 1, 0)]},
            ["the vendor has 1 airports, the receipts say 0"],
            id="an airport too many",
        ),
        pytest.param({"ledger": ledger({}, 1)}, ["the vendor applied 0-0 2 times"], id="a record applied twice"),
    ],
)
def test_disagreements(changes: dict[str, Any], expected: list[str]) -> None:
    assert evidence(**changes).disagreements() == expected


def test_a_clean_audit_is_well() -> None:
    assert verdict([]) == (True, "    every record has exactly one receipt, and the vendor agrees\n")


def test_what_is_wrong_is_printed_and_a_long_list_is_cut() -> None:
    is_well, text = verdict([f"record {number}" for number in range(25)])
    assert not is_well
    assert "25 things do not add up\n    record 0\n" in text
    assert "and 15 more" in text
