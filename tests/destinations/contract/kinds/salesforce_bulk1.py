"""Salesforce's Bulk API 1.0, where batches go to open jobs and run at once."""

from types import MappingProxyType

from sandbox.salesforce.settings import Settings, User
from sluice.destinations.contract import Kind
from sluice.destinations.salesforce import bulk1
from tests.destinations.contract.salesforce import DESCRIBE, EVERY_BATCH_DESCRIBES, SandboxedSalesforce
from tests.destinations.contract.sandboxed_kind import Verb

JOB = "/services/async/59.0/job"
BATCH = f"{JOB}/[^/]+/batch/[^/]+"
USER = User(username="loader@example.com", password="soap-password", security_token="soap-security-token")


class SandboxedBulk1(SandboxedSalesforce):
    """A session of SOAP's login; a job of 0.3 s, so that the batches of one test share one, and each test opens one."""

    name = "salesforce_bulk1"
    account = MappingProxyType(
        {
            "kind": "salesforce_bulk1",
            "login": {
                "flow": "soap",
                "username": USER.username,
                "password": USER.password,
                "security_token": USER.security_token,
            },
            "max_open_s": 0.3,
            "describe_age_s": EVERY_BATCH_DESCRIBES,
            "gzip": False,
        }
    )
    secrets = (USER.password, USER.security_token)
    secret_headers = ("authorization", "x-sfdc-session")
    settings = Settings(users=(USER,))
    starts_by = "POST"
    verbs = (
        Verb("login", r"POST /services/Soap/u/.*", "log in"),
        DESCRIBE,
        Verb("create", rf"POST {JOB}", "write"),
        Verb("add", rf"POST {JOB}/[^/]+/batch", "write", has_items=True),
        Verb("poll", rf"GET {JOB}/[^/]+/batch", "ask"),
        Verb("collect", rf"GET {BATCH}/result", "ask"),
        Verb("close", rf"POST {JOB}/[^/]+", "look up"),
        Verb("compare", rf"GET {BATCH}/request", "look up"),
    )

    @property
    def kind(self) -> Kind:
        return bulk1.KIND


KIND = SandboxedBulk1()
