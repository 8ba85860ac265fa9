"""Common part of ingest and query jobs of Bulk API 2.0. salesforce_bulk.md §4.1, §4.2."""

from typing import Any, Literal

from sandbox.salesforce.bulk2.dialect import Dialect
from sandbox.salesforce.jobs import JobType
from sandbox.salesforce.org import Org, Origin
from sandbox.salesforce.rest import RestRefusal, bad_request
from sandbox.salesforce.sessions import OrgUser
from sandbox.salesforce.values import instant_at, json_instant

State = Literal["Open", "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]

FINISHED: tuple[State, ...] = ("JobComplete", "Failed", "Aborted")


class Job:
    """Job and its states. The clock moves it: its phases stand on the org's schedule."""

    job_type: JobType

    def __init__(self, org: Org, origin: Origin, *, version: int, dialect: Dialect) -> None:
        self.org = org
        self.id = org.jobs.next_id()
        self.origin = origin
        self.version = version
        self.dialect = dialect
        self.state: State = "Open"
        self.created_at = self.changed_at = org.clock.now()
        self.error_message = ""
        self.processed = self.failed = self.processing_ms = 0

    @property
    def created_by(self) -> OrgUser:
        return self.origin.user

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED

    @property
    def kept_bytes(self) -> int:
        return 0

    def move_to(self, state: State, at: float) -> None:
        self.state = state
        self.changed_at = at

    def abort(self) -> None:
        """Abort; written rows stay. §4.1 [docs]. Raises ``RestRefusal`` for a job that is over."""
        if self.is_finished:
            raise self.wrong_state("Aborted")
        self.move_to("Aborted", self.org.clock.now())

    def wrong_state(self, wanted: str) -> RestRefusal:
        message = (
            f"Aborting or closing a job is not allowed in its state. Current state is '{self.state}', not {wanted}"
        )
        return bad_request("INVALIDJOBSTATE", message)

    def members(self) -> dict[str, Any]:
        """Return the members of every answer, in the document's order. §4.1 [docs]"""
        return {
            "id": self.id,
            **self.subject_members(),
            "createdById": self.created_by.id,
            "createdDate": json_instant(instant_at(self.created_at)),
            "systemModstamp": json_instant(instant_at(self.changed_at)),
            "state": self.state,
            **self.option_members(),
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            **self.address_members(),
            "lineEnding": self.dialect.line_ending,
            "columnDelimiter": self.dialect.delimiter,
        }

    def subject_members(self) -> dict[str, Any]:
        """Return operation and object."""
        raise NotImplementedError

    def option_members(self) -> dict[str, Any]:
        """Return the members after ``state``."""
        return {}

    def address_members(self) -> dict[str, Any]:
        """Return the members after ``apiVersion``."""
        return {}

    def listing(self) -> dict[str, Any]:
        return {**self.members(), "jobType": self.job_type}
