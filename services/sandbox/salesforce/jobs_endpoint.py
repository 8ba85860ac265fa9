"""The endpoints under ``/_sandbox/jobs``: jobs of either API, listed, released and aborted by an administrator's hand.

A job here is what Bulk API 2.0 lists of it. A test that holds jobs, or has another user abort one, needs no session.
"""

from sandbox.http.messages import Request, Response, as_json
from sandbox.http.routing import Route
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import RestRefusal


def jobs_routes(org: Org) -> list[Route]:
    """Return the routes of a sandbox's own; no fault, limit or count applies to them."""

    def list_jobs(_: Request) -> Response:
        return as_json([job.listing() for job in org.jobs])

    def release(_: Request) -> Response:
        return as_json({"released": org.holding.release()})

    def abort(request: Request) -> Response:
        job = org.jobs.get(request.params["job"])
        if job is None:
            return as_json({"error": f"expected the id of a job; came {request.params['job'][:100]}"}, status=404)
        try:
            job.abort(org.clock.now())
        except RestRefusal as refusal:
            return as_json({"error": str(refusal)}, status=400)
        return as_json(job.listing())

    return [
        Route("GET", "/_sandbox/jobs", list_jobs),
        Route("POST", "/_sandbox/jobs/release", release),
        Route("POST", "/_sandbox/jobs/{job}/abort", abort),
    ]
