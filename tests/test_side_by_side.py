"""Tests in several processes: what takes long begins, and what shares a stage stays together."""

import pytest

from tests.destinations.contract.kinds import KINDS
from tests.support.paths import ROOT
from tests.support.side_by_side import BY_THEMSELVES, FIRST, rank, unit_of

CONTRACT = "tests/destinations/contract"


def test_what_is_named_exists() -> None:
    assert [path for path in (*FIRST, *BY_THEMSELVES) if not (ROOT / path).exists()] == []


def test_what_waits_longest_comes_first() -> None:
    paths = ["tests/flow/test_windows.py", "tests/kafka/test_clients.py", f"{CONTRACT}/test_kills.py"]
    assert sorted(paths, key=rank) == paths[::-1]


@pytest.mark.parametrize("kind", [pytest.param(kind.name, id=kind.name) for kind in KINDS])
def test_tests_of_a_kind_stay_together_except_those_with_stages_of_their_own(kind: str) -> None:
    shared = [f"{CONTRACT}/test_outages.py::test_a[{kind} write]", f"{CONTRACT}/test_secrets.py::test_b[{kind}]"]
    own = [f"{CONTRACT}/test_kills.py::test_c[{kind}-applied]", f"{CONTRACT}/test_order.py::test_d[{kind}]"]
    assert [unit_of(test) for test in (*shared, *own)] == [kind, kind, *own]


def test_tests_of_a_file_stay_together() -> None:
    file = "tests/writer/test_integration.py"
    assert unit_of(f"{file}::test_a") == unit_of(f"{file}::test_b[x]") == file
