"""The seconds from publishing to receipt, as a histogram."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from sluice.telemetry.delivery_seconds import DeliverySeconds
from sluice.telemetry.metric_definitions import DELIVERY_SECONDS

NOW_S = 1_800_000_000.0


def observed(published_at_s: list[float]) -> dict[str, float]:
    """The buckets, count and sum of what was published at these instants and gets its receipt now."""
    delivery = DeliverySeconds(CollectorRegistry())
    delivery.observe_many(published_at_s, NOW_S)
    [family] = delivery.collect()
    return {sample.labels.get("le", sample.name[len(family.name) :]): sample.value for sample in family.samples}


@given(st.lists(st.floats(min_value=0, max_value=200_000), max_size=50))
def test_receipts_are_observed_as_a_histogram_would(seconds: list[float]) -> None:
    published_at_s = [NOW_S - age_s for age_s in seconds]
    found = observed(published_at_s)
    for bound in DELIVERY_SECONDS:
        assert found[str(float(bound))] == sum(instant >= NOW_S - bound for instant in published_at_s)
    assert found["+Inf"] == found["_count"] == len(seconds)
    assert math.isclose(found["_sum"], sum(seconds), abs_tol=0.01)


@pytest.mark.parametrize("clock_ahead_s", [5, 0])
def test_no_receipt_comes_before_its_record(clock_ahead_s: float) -> None:
    found = observed([NOW_S + clock_ahead_s])
    assert (found["0.05"], found["_sum"]) == (1, 0)
