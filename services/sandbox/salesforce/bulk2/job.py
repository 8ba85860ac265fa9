"""Common part of ingest and query jobs of Bulk API 2.0. salesforce_bulk.md §4.1, §4.2."""

from typing import Any, Literal

from sandbox.http.messages import Request
from sandbox.salesforce.bulk2.dialect import Dialect
from sandbox.salesforce.jobs import JobType
from sandbox.salesforce.org import Org
from sandbox.salesforce.origin import Origin
from sandbox.salesforce.rest import RestRefusal, bad_request
from sandbox.salesforce.sessions import OrgUser
from sandbox.salesforce.values import instant_at, json_instant

State = Literal["Open", "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]


class Job:
    """Job and its states. The clock moves it: its phases stand on the org's schedule."""

    job_type: JobType
    operation: str
    object_name: str
    external_id_field: str | None = None
    assignment_rule_id: str | None = None
    content_url: str | None = None

    def __init__(self, org: Org, origin: Origin, *, version: int, dialect: Dialect) -> None:
        self.org = org
        self.id = org.jobs.next_id()
        self.origin = origin
        self.created_by: OrgUser = origin.user
        self.version = version
        self.dialect = dialect
        self.state: State = "Open"
        self.created_at = self.changed_at = org.clock.now()
        self.error_message = ""
        self.processed = self.failed = self.processing_ms = 0

    @property
    def is_finished(self) -> bool:
        return self.state in ("JobComplete", "Failed", "Aborted")

    def move_to(self, state: State, at: float) -> None:
        self.state = state
        self.changed_at = at

    def abort(self, at: float) -> None:
        """Abort; written rows stay. §4.1 [docs]. Raises ``RestRefusal`` for a job that is over."""
        if self.is_finished:
            raise self.wrong_state("Aborted")
        self.move_to("Aborted", at)

    def wrong_state(self, wanted: str) -> RestRefusal:
        message = (
            f"Aborting or closing a job is not allowed in its state. Current state is '{self.state}', not {wanted}"
        )
        return bad_request("INVALIDJOBSTATE", message)

    def members(self) -> dict[str, Any]:
        """Return the members of every answer, in the document's order. §4.1 [docs]

        Leave a member out when it is not set. [assumed: the samples without them have no member]
        """
        members = {
            "id": self.id,
            "operation": self.operation,
            "object": self.object_name,
            "createdById": self.created_by.id,
            "createdDate": json_instant(instant_at(self.created_at)),
            "systemModstamp": json_instant(instant_at(self.changed_at)),
            "state": self.state,
            "externalIdFieldName": self.external_id_field,
            "assignmentRuleId": self.assignment_rule_id,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "contentUrl": self.content_url,
            "lineEnding": self.dialect.line_ending,
            "columnDelimiter": self.dialect.delimiter,
        }
        return {name: value for name, value in members.items() if value is not None}

    def listing(self) -> dict[str, Any]:
        return {**self.members(), "jobType": self.job_type}

    def info(self) -> dict[str, Any]:
        """Return the members of GET."""
        raise NotImplementedError

    def shown(self, request: Request) -> dict[str, Any]:
        """Return the members of GET, in progress again where the fault ``state_goes_back`` says so. §13.5"""
        info = self.info()
        if self.is_finished and self.org.goes_back(request):
            info["state"] = "InProgress"
            info.pop("errorMessage", None)
        return info
