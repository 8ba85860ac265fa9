"""Common part of ingest and query jobs of Bulk API 2.0. salesforce_bulk.md §4.1, §4.2."""

from typing import Any, Literal

from sandbox.salesforce.bulk2.dialect import Dialect
from sandbox.salesforce.jobs import JobType
from sandbox.salesforce.org import Org, Origin
from sandbox.salesforce.rest import RestRefusal, bad_request
from sandbox.salesforce.sessions import OrgUser
from sandbox.salesforce.values import instant_at

State = Literal["Open", "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]

FINISHED: tuple[State, ...] = ("JobComplete", "Failed", "Aborted")


class Job:
    """Job and its states. The clock moves it: its phases stand on the org's agenda."""

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

    def described(self) -> dict[str, Any]:
        """Return the members of every answer, in the document's order. §4.1 [docs]"""
        return {
            "id": self.id,
            **self.what(),
            "createdById": self.created_by.id,
            "createdDate": _json_date(self.created_at),
            "systemModstamp": _json_date(self.changed_at),
            "state": self.state,
            **self.how(),
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            **self.where(),
            "lineEnding": self.dialect.line_ending,
            "columnDelimiter": self.dialect.delimiter,
        }

    def what(self) -> dict[str, Any]:
        """Return operation and object."""
        raise NotImplementedError

    def how(self) -> dict[str, Any]:
        """Return the members after ``state``."""
        return {}

    def where(self) -> dict[str, Any]:
        """Return the members after ``apiVersion``."""
        return {}

    def listing(self) -> dict[str, Any]:
        return {**self.described(), "jobType": self.job_type}


def _json_date(at: float) -> str:
    """Return ``2024-11-21T09:28:59.000+0000``. §3.1 [docs]"""
    return instant_at(at).replace("Z", "+0000")
