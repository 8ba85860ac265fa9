"""The calls of Bulk API 1.0. salesforce_bulk.md §3.2."""

from collections.abc import Sequence

from sandbox.faults import Selection
from sandbox.routing import Route
from sandbox.salesforce.org import Org

FAULT_KINDS: Sequence[type[Selection]] = ()
"""Faults that only Bulk API 1.0 has."""


def bulk1_routes(_: Org) -> list[Route]:
    return []
