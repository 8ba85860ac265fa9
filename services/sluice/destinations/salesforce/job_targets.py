"""Targets of jobs: the object, the operation, and for an upsert the external id. All of it is in the batch key. §12"""

from typing import NamedTuple, cast

from sluice.destinations.salesforce.record_keys import ID
from sluice.events import Operation


class Target(NamedTuple):
    """The target of a job, of its batches and of their records."""

    object: str
    operation: Operation
    external_id: str = ""
    """The field that an upsert finds records by."""

    @property
    def batch_key(self) -> str:
        """``Contact/update``, or for an upsert ``Contact/upsert/Ext__c``."""
        return "/".join(filter(None, self))

    @property
    def key_field(self) -> str:
        """The field that records are found by; empty for an insert."""
        return "" if self.operation == "insert" else self.external_id or ID


def read_target(batch_key: str) -> Target:
    """Return the target that ``batch_key`` names."""
    object_, operation, *external_id = batch_key.split("/")
    return Target(object_, cast(Operation, operation), *external_id)
