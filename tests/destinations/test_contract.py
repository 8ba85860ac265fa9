"""The contract: what an error is worth whose answer may not be the vendor's own."""

import pytest

from sluice.destinations.contract import (
    Ambiguous,
    BatchError,
    Misconfigured,
    Refused,
    Unavailable,
    fold_key_of,
    unproven,
)
from tests.support.fakes import FakeDestination, FoldingDestination


@pytest.mark.parametrize(
    ("error", "reason", "retry_after_s", "overloaded", "has_refusal"),
    [
        pytest.param(Unavailable("503", "busy", 7.0, overloaded=True), "503", 7.0, True, False, id="an outage"),
        pytest.param(Refused("400", "bad", 400), "400", None, False, True, id="a refusal"),
        pytest.param(Refused("bad-request", "bad"), "no-answer", None, False, True, id="a refusal without a status"),
        pytest.param(Misconfigured("moved", 302), "302", None, False, True, id="a wrong address"),
    ],
)
def test_a_refusal_by_nobody_knows_whom_is_ambiguous_where_nothing_may_be_repeated(
    error: BatchError, reason: str, retry_after_s: float | None, overloaded: bool, has_refusal: bool
) -> None:
    found = unproven(error, may_be_repeated=False)
    assert isinstance(found, Ambiguous)
    assert (found.reason, found.retry_after_s, found.overloaded) == (reason, retry_after_s, overloaded)
    assert found.refusal is (error if has_refusal else None)
    assert found.may_be_at_work


def test_where_all_may_be_repeated_it_stays_what_it_is_and_the_vendor_may_be_at_work() -> None:
    error = Unavailable("503", "busy")
    assert not error.may_be_at_work
    assert unproven(error, may_be_repeated=True) is error
    assert error.may_be_at_work


def test_what_is_ambiguous_already_stays_so() -> None:
    error = Ambiguous("lost")
    assert unproven(error, may_be_repeated=False) is error


def test_keys_are_folded_where_a_kind_says_so() -> None:
    assert fold_key_of(FakeDestination()) is None
    folding = FoldingDestination()
    assert fold_key_of(folding) == folding.fold_key
