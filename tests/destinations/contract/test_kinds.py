"""The suite itself: no kind of the product is left out."""

from sluice.destinations import KINDS as PRODUCT_KINDS
from tests.destinations.contract.kinds import KINDS


def test_each_kind_of_the_product_is_here() -> None:
    assert set(PRODUCT_KINDS) <= {kind.name for kind in KINDS}


def test_each_kind_has_a_call_whose_body_is_a_batch() -> None:
    assert {kind.name for kind in KINDS if not any(verb.has_items for verb in kind.verbs_of("write"))} == set()
