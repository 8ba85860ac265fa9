"""Limits of Bulk API 1.0, which settings cannot widen."""

import pytest

from sluice.destinations.salesforce.bulk1 import Bulk1
from tests.destinations.salesforce.encoding import bulk1_settings


@pytest.mark.parametrize("content_type", ["CSV", "JSON", "XML"])
def test_its_limits_are_the_vendors(content_type: str) -> None:
    """§7, §12"""
    limits = Bulk1(bulk1_settings(content_type=content_type)).limits
    assert (limits.max_items, limits.max_header_bytes, limits.max_jobs) == (10_000, 32_000, 100)
    assert 9_499_000 < limits.max_bytes <= 9_500_000
