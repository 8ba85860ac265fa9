"""Handlers of calls about one job, which the caller must be allowed to use. salesforce_bulk.md §4.1, §4.3."""

from collections.abc import Callable
from typing import TypeVar

from sandbox.http.messages import Answer, Request
from sandbox.salesforce.bulk2.job import Job
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import Caller, RestHandler, RestRefusal, bad_request, not_found

J = TypeVar("J", bound=Job)


def job_handler(org: Org, kind: type[J], answer: Callable[[Request, Caller, J], Answer]) -> RestHandler:
    """Make a handler of a function that takes the job ``{job}`` of the path."""

    def handle(request: Request, caller: Caller) -> Answer:
        return answer(request, caller, _find(org, kind, request, caller))

    return handle


def results_handler(org: Org, kind: type[J], answer: Callable[[Request, Caller, J], Answer]) -> RestHandler:
    """Make such a handler for results, which exist when the job is over. §4.1, §4.2 [docs], code [assumed]"""

    def handle(request: Request, caller: Caller, job: J) -> Answer:
        if not job.is_finished or org.are_late(request):
            state = "InProgress" if job.is_finished else job.state
            raise bad_request("INVALIDJOBSTATE", f"Results are not ready. Current job state is '{state}'")
        return answer(request, caller, job)

    return job_handler(org, kind, handle)


def _find(org: Org, kind: type[J], request: Request, caller: Caller) -> J:
    """Return a job of the caller, or anybody's for an administrator. §4.1 [docs], code [assumed]"""
    job = org.jobs.get(request.params["job"])
    if not isinstance(job, kind):
        raise not_found()
    if job.created_by != caller.user and not caller.user.user.may_administer:
        raise RestRefusal(403, "INSUFFICIENT_ACCESS", "The job was created by another user")
    return job
