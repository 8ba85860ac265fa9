"""Depot, the example of a vendor that runs batches later."""

from types import MappingProxyType

from sandbox.vendor import Vendor
from sluice.destinations.contract import Kind
from tests.destinations.contract.sandboxed_kind import SandboxedKind, Verb
from tests.destinations.depot import kind as depot
from tests.destinations.depot.vendor import Depot
from tests.support.stage import Message, record


class SandboxedDepot(SandboxedKind):
    """A depot: an upsert stores a parcel by its name, and so does an insert, which must be stored once."""

    name = "depot"
    module = "tests.destinations.depot.writer"
    account = MappingProxyType({"kind": "depot", "key": "depot-secret"})
    secrets = ("depot-secret",)
    verbs = (
        Verb("create", r"POST /jobs", "write"),
        Verb("upload", r"PUT /jobs/[^/]+/rows", "write", has_items=True),
        Verb("start", r"POST /jobs/[^/]+/start", "write"),
        Verb("poll", r"GET /jobs", "ask"),
        Verb("collect", r"GET /jobs/[^/]+/results", "ask"),
        Verb("abort", r"POST /jobs/[^/]+/abort", "look up"),
    )
    rejected = "BROKEN"
    refused = "too-long"
    runs_jobs = True

    @property
    def kind(self) -> Kind:
        return depot.KIND

    def stand_in(self) -> Vendor:
        return Depot()

    def upsert(self, key: str, value: int) -> Message:
        return record(key, object="parcel", value=value)

    def insert(self, key: str) -> Message:
        return record(key, object="parcel", operation="insert", value=1)

    def bad(self, key: str) -> Message:
        return record(key, object="parcel", value="broken")

    def spoiler(self, key: str) -> Message:
        return record(key, object="parcel", value="long" * 100)

    def times_applied(self, vendor: Depot, key: str) -> int:
        return sum(name == key for name, _ in vendor.stored)

    def value(self, vendor: Depot, key: str) -> int | None:
        values = [value for name, value in vendor.stored if name == key]
        return int(str(values[-1])) if values else None

    def count_items(self, body: bytes) -> int:
        return len(body.splitlines())

    def hold_jobs(self, vendor: Depot) -> None:
        vendor.is_held = True

    def release_jobs(self, vendor: Depot) -> None:
        vendor.is_held = False

    def jobs_waiting(self, vendor: Depot) -> int:
        return sum(job.state == "waiting" for job in vendor.jobs.values())


KIND = SandboxedDepot()
