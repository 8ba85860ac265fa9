"""The counts of upstream systems, Kafka and the vendor, compared."""

from typing import Any

import pytest

from tests.demo.evidence import evidence, ledger


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
