"""The verdict on the screen, which decides the exit code."""

import io

import pytest

from demo.audit import Audit
from demo.screen import Screen
from demo.summary import print_verdict
from tests.demo.evidence import CLEAN, evidence


def verdict(audit: Audit) -> tuple[bool, str]:
    stream = io.StringIO()
    return print_verdict(Screen(stream), evidence(audit=audit)), stream.getvalue()


def test_a_clean_audit_is_well() -> None:
    assert verdict(CLEAN) == (True, "    every record has exactly one receipt, and the vendor agrees\n")


@pytest.mark.parametrize(
    ("audit", "said"),
    [
        pytest.param(Audit(["partition 0 offset 1 (EDDB)"], [], []), "no receipt: partition 0 offset 1", id="missing"),
        pytest.param(Audit([], ["partition 0 offset 1 (EDDB) has 2"], []), "(EDDB) has 2", id="double"),
    ],
)
def test_what_is_wrong_is_printed(audit: Audit, said: str) -> None:
    is_well, text = verdict(audit)
    assert not is_well
    assert said in text


def test_a_long_list_is_cut() -> None:
    _, text = verdict(Audit([f"record {number}" for number in range(25)], [], []))
    assert "25 things do not add up" in text
    assert "and 15 more" in text
