"""The endpoints under ``/_sandbox/jobs``: jobs, listed, released and canceled by hand, without a token.

The service itself has no call that lists jobs. liquid_decisions.md §1
"""

from collections.abc import Callable

import msgspec

from sandbox.http.messages import Handler, Request, Response, as_json
from sandbox.http.routing import Route
from sandbox.liquid_decisions.job import Job, Status
from sandbox.liquid_decisions.jobs import Jobs


class ListedJob(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Job as it is. ``records`` is how many it has, 0 until it runs; ``submitted_at`` is seconds since 1970."""

    job_id: str
    community: str
    job_name: str
    item_type: str
    status: Status
    reason: str
    records: int
    records_processed: int
    is_held: bool
    submitted_at: float


def jobs_routes(jobs: Jobs) -> list[Route]:
    """Return the routes of a sandbox's own; no fault, limit or count applies to them."""

    def list_jobs(_: Request) -> Response:
        return as_json([_listing(job) for job in jobs])

    def release_all(_: Request) -> Response:
        return as_json({"released": jobs.release(jobs)})

    def release(job: Job) -> object:
        return {"released": jobs.release([job])}

    def cancel(job: Job) -> object:
        jobs.note_cancel(job)
        return _listing(job)

    return [
        Route("GET", "/_sandbox/jobs", list_jobs),
        Route("POST", "/_sandbox/jobs/release", release_all),
        Route("POST", "/_sandbox/jobs/{job}/release", _of_job(jobs, release)),
        Route("POST", "/_sandbox/jobs/{job}/cancel", _of_job(jobs, cancel)),
    ]


def _of_job(jobs: Jobs, act: Callable[[Job], object]) -> Handler:
    def answer(request: Request) -> Response:
        job = jobs.get(request.params["job"])
        if job is None:
            return as_json({"error": f"expected the id of a job; came {request.params['job'][:100]}"}, status=404)
        return as_json(act(job))

    return answer


def _listing(job: Job) -> ListedJob:
    return ListedJob(
        job_id=job.id,
        community=job.community,
        job_name=job.form.get("jobName", ""),
        item_type=job.form.get("itemType", ""),
        status=job.status,
        reason=job.reason,
        records=job.records,
        records_processed=job.processed,
        is_held=job.is_held,
        submitted_at=job.submitted_at,
    )
