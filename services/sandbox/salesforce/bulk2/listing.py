"""Lists of jobs of either API, 1,000 per page. salesforce_bulk.md §4.1, §4.2, §10."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlencode

from sandbox.http.messages import Request, Response
from sandbox.salesforce import ids
from sandbox.salesforce.jobs import ListedJob
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import Caller, RestHandler, as_rest_json, bad_request

_PAGE = 1000
_JOB_TYPES = ("Classic", "V2Ingest", "V2Query", "BigObjectIngest")
_QUERIES = ("query", "queryAll")


def list_jobs(org: Org, place: str) -> RestHandler:
    """Make the handler for ``place``: ``ingest`` lists the jobs that write, ``query`` the queries. [assumed]

    Every user sees the jobs of all. No fixed order is promised [docs]; here first created comes first.
    """

    def handle(request: Request, caller: Caller) -> Response:
        job_type = request.argument("jobType")
        if job_type is not None and job_type not in _JOB_TYPES:
            raise bad_request("API_ERROR", f"expected a jobType of {', '.join(_JOB_TYPES)}, found: {job_type}")
        after = _read_locator(request.argument("queryLocator"))
        found = [job for job in org.jobs if _is_listed(job, place, job_type) and _serial(job.id) > after]
        page = found[:_PAGE]
        more = _more(caller.version, place, job_type, page[-1].id) if len(found) > _PAGE else None
        records = [job.listing() for job in page]
        return as_rest_json({"done": more is None, "records": records, "nextRecordsUrl": more})

    return handle


def _is_listed(job: ListedJob, place: str, job_type: str | None) -> bool:
    if job_type not in (None, job.job_type):
        return False
    is_query = job.job_type == "V2Query" or job.listing().get("operation") in _QUERIES
    return is_query == (place == "query")


def _more(version: int, place: str, job_type: str | None, last_id: str) -> str:
    locator = urlsafe_b64encode(last_id.encode()).decode()
    asked = {"queryLocator": locator} if job_type is None else {"jobType": job_type, "queryLocator": locator}
    return f"/services/data/v{version}.0/jobs/{place}?{urlencode(asked)}"


def _read_locator(locator: str | None) -> int:
    if not locator:
        return 0
    try:
        return _serial(urlsafe_b64decode(locator).decode("ascii"))
    except ValueError:
        raise bad_request("API_ERROR", f"no such queryLocator: {locator}") from None


def _serial(job_id: str) -> int:
    """Return the number of a job id. Raises ``ValueError``."""
    serial = ids.serial_of(job_id, ids.JOB)
    if serial is None:
        raise ValueError(job_id)
    return serial
