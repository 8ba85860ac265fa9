"""What both bulk APIs of Salesforce have in common: the org, its contacts, and the calls beside those of jobs.

An insert is found by ``LastName``, which is not unique: what is inserted twice is there twice.
"""

from typing import Any, ClassVar, Literal

from sandbox.salesforce.faults import HideFields, HoldJobs
from sandbox.salesforce.settings import Settings
from sandbox.salesforce.vendor import Salesforce
from tests.destinations.contract.sandboxed_kind import SandboxedKind, Verb
from tests.support.stage import Message, record

DATA = "/services/data/v59.0"
EVERY_BATCH_DESCRIBES = 0.001
"""Age in seconds of a description that is read again: so each test meets that call, too."""
DESCRIBE = Verb("describe", rf"GET {DATA}/sobjects/Contact/describe", "ask")


class SandboxedSalesforce(SandboxedKind):
    """An org whose contacts are inserted, or upserted by their external id."""

    rejected = "INVALID_EMAIL_ADDRESS"
    refused = "InvalidBatch"
    runs_jobs = True
    settings: ClassVar[Settings] = Settings()
    starts_by: ClassVar[Literal["POST", "PATCH"]]
    """Method of the call that lets a batch run."""

    def stand_in(self) -> Salesforce:
        org = Salesforce(self.settings)
        self._hide_a_field(org)
        return org

    def upsert(self, key: str, value: int) -> Message:
        return record({"Ext__c": key}, object="Contact", LastName=str(value))

    def insert(self, key: str) -> Message:
        return record(None, object="Contact", operation="insert", LastName=key)._replace(key=key.encode())

    def bad(self, key: str) -> Message:
        return record({"Ext__c": key}, object="Contact", LastName="1", Email="no address")

    def spoiler(self, key: str) -> Message:
        """Make a record with a field that is described, but which the loads do not know."""
        return record({"Ext__c": key}, object="Contact", LastName="1", Phone="1")

    def times_applied(self, vendor: Salesforce, key: str) -> int:
        return len(self._find(vendor, "LastName", key))

    def value(self, vendor: Salesforce, key: str) -> int | None:
        found = self._find(vendor, "Ext__c", key)
        return int(found[0]) if found else None

    def count_items(self, body: bytes) -> int:
        return max(0, len(body.splitlines()) - 1)

    def hold_jobs(self, vendor: Salesforce) -> None:
        vendor.faults.add(HoldJobs(times=None))

    def release_jobs(self, vendor: Salesforce) -> None:
        vendor.faults.clear()
        self._hide_a_field(vendor)
        vendor.org.holding.release()

    def jobs_waiting(self, vendor: Salesforce) -> int:
        return len(vendor.org.holding._held)

    def _hide_a_field(self, org: Salesforce) -> None:
        org.faults.add(HideFields(object="Contact", fields=("Phone",), method=self.starts_by))

    def _find(self, org: Salesforce, field: str, value: str) -> list[Any]:
        """Return the last names of the contacts with that value."""
        table = org.org.tables["contact"]
        by, last_name = table.kind.slot(field), table.kind.slot("LastName")
        assert by is not None
        assert last_name is not None
        records = [table.get(serial) for serial in table.find(by, value)]
        return [record[last_name] for record in records if record]
