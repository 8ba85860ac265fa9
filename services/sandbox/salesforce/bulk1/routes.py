"""Routes of Bulk API 1.0. salesforce_bulk.md §3.2."""

from sandbox.http.messages import Answer, Request
from sandbox.http.routing import ANY_METHOD, Route
from sandbox.salesforce.bulk1.admission import Admission
from sandbox.salesforce.bulk1.batch_calls import BatchCalls
from sandbox.salesforce.bulk1.job_calls import JobCalls
from sandbox.salesforce.bulk1.refusal import Refusal
from sandbox.salesforce.org import Org
from sandbox.salesforce.sessions import OrgUser

BASE = "/services/async/{version}"
JOB = f"{BASE}/job/{{job_id}}"
BATCH = f"{JOB}/batch/{{batch_id}}"


def bulk1_routes(org: Org) -> list[Route]:
    """Return a route for every call, and an error of this API for any other path or method under its base."""
    admission = Admission(org)
    jobs = JobCalls(org, admission)
    batches = BatchCalls(org, admission)
    calls = (
        ("POST", f"{BASE}/job", jobs.create),
        ("GET", JOB, jobs.get),
        ("POST", JOB, jobs.change_state),
        ("POST", f"{JOB}/batch", batches.add),
        ("GET", BATCH, batches.get),
        ("GET", f"{JOB}/batch", batches.list),
        ("GET", f"{BATCH}/request", batches.get_request),
        ("GET", f"{BATCH}/result", batches.get_result),
        ("GET", f"{BATCH}/result/{{result_id}}", batches.get_query_result),
        ("POST", f"{JOB}/spec", jobs.upload_spec),
    )
    routes = [Route(method, path, admission.checked(call)) for method, path, call in calls]
    wrong_method = admission.checked(_refuse_method)
    routes += [Route(ANY_METHOD, path, wrong_method) for path in {path for _, path, _ in calls}]
    nowhere = admission.checked(_refuse_path)
    return [*routes, Route(ANY_METHOD, BASE, nowhere), Route(ANY_METHOD, f"{BASE}/{{rest...}}", nowhere)]


def _refuse_method(request: Request, _: OrgUser) -> Answer:
    """Refuse any method but GET and POST as §3.2 has them. §1 [docs]; the code is the nearest [assumed]"""
    raise Refusal("InvalidOperation", f"Method {request.method} is not supported for {request.path}")


def _refuse_path(request: Request, _: OrgUser) -> Answer:
    raise Refusal("InvalidUrl", f"There is nothing at {request.path}")
