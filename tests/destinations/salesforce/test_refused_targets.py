"""Targets that were refused: all records of a batch at once, for a time."""

import pytest

from sluice.destinations.contract import Refused
from sluice.destinations.salesforce.refused_targets import KEPT_S, MAX_TARGETS, RefusedTargets
from sluice.destinations.vendor_jobs import RefusedItems
from tests.support.factories import make_batch, make_item

BATCH = make_batch([make_item(number, batch_key="ContentBody/insert") for number in range(3)])
REFUSED = Refused("INVALIDENTITY", "ContentBody is not supported by the Bulk API", 400)


def test_all_items_of_a_refused_target_are_rejected_with_the_vendors_words() -> None:
    targets = RefusedTargets(lambda: 0.0)
    targets.check(BATCH)
    targets.note("ContentBody/insert", REFUSED)
    with pytest.raises(RefusedItems) as refused:
        targets.check(BATCH)
    assert [(row, one.code, one.message) for row, one in refused.value.rejections.items()] == [
        (row, "INVALIDENTITY", str(REFUSED)) for row in range(3)
    ]
    targets.check(make_batch([make_item(batch_key="Contact/insert")]))


def test_a_target_is_tried_again_after_a_while() -> None:
    now_s = 0.0
    targets = RefusedTargets(lambda: now_s)
    targets.note("ContentBody/insert", REFUSED)
    now_s = KEPT_S
    with pytest.raises(RefusedItems):
        targets.check(BATCH)
    now_s = KEPT_S + 1
    targets.check(BATCH)


def test_what_is_remembered_has_a_bound() -> None:
    targets = RefusedTargets(lambda: 0.0)
    for number in range(MAX_TARGETS + 1):
        targets.note(f"Object{number}/insert", REFUSED)
    assert len(targets._known) == 1
