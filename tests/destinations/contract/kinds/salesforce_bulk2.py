"""Salesforce's Bulk API 2.0, where each batch is a job of its own that is started when it has its rows."""

from types import MappingProxyType

from sandbox.salesforce.settings import Settings
from sluice.destinations.contract import Kind
from sluice.destinations.salesforce import bulk2
from tests.destinations.contract.salesforce import DATA, DESCRIBE, EVERY_BATCH_DESCRIBES, SandboxedSalesforce
from tests.destinations.contract.sandboxed_kind import Verb

JOBS = f"{DATA}/jobs/ingest"
JOB = f"{JOBS}/[^/]+"


class SandboxedBulk2(SandboxedSalesforce):
    """A token of the client credentials flow; inserts are found again by a field that is not unique."""

    name = "salesforce_bulk2"
    account = MappingProxyType(
        {
            "kind": "salesforce_bulk2",
            "login": {
                "flow": "client_credentials",
                "client_id": Settings().client_id,
                "client_secret": Settings().client_secret,
            },
            "identifier_fields": {"Contact": "Title"},
            "describe_age_s": EVERY_BATCH_DESCRIBES,
        }
    )
    secrets = (Settings().client_secret,)
    starts_by = "PATCH"
    verbs = (
        Verb("token", r"POST /services/oauth2/token", "log in"),
        DESCRIBE,
        Verb("create", rf"POST {JOBS}", "write"),
        Verb("put", rf"PUT {JOB}/batches", "write", has_items=True),
        Verb("start", rf"PATCH {JOB}", "write", says=b"UploadComplete"),
        Verb("poll", rf"GET {JOBS}(/[^/]+)?", "ask"),
        Verb("collect", rf"GET {JOB}/(successful|failed)Results/?", "ask"),
        Verb("abort", rf"PATCH {JOB}", "look up", says=b"Aborted"),
    )

    @property
    def kind(self) -> Kind:
        return bulk2.KIND


KIND = SandboxedBulk2()
