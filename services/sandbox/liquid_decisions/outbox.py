"""Mails about jobs. liquid_decisions.md §10: the only documented way to an export's result."""

from collections import deque

from sandbox.http.messages import Request, Response, as_json
from sandbox.liquid_decisions.job import Job

OUTBOX = "/_sandbox/outbox"
_MAX_MAILS = 10_000


class Outbox:
    """Mails in the order of sending; the newest 10,000 are kept. No mail leaves the sandbox. [assumed]"""

    def __init__(self) -> None:
        self._mails: deque[dict[str, object]] = deque(maxlen=_MAX_MAILS)

    def __len__(self) -> int:
        return len(self._mails)

    def post(self, job: Job) -> None:
        """Write the mail of a job's status."""
        form = job.form
        mail: dict[str, object] = {
            "to": form["notificationEmail"],
            "jobId": job.id,
            "jobName": form.get("jobName", ""),
            "status": job.status,
            "reason": job.reason,
            "links": list(job.links),
        }
        self._mails.append(mail)

    def list_mails(self, _: Request) -> Response:
        """Return every mail as a JSON array; the call is the sandbox's own. §10 [assumed]"""
        return as_json(list(self._mails))

    def clear(self) -> None:
        self._mails.clear()
