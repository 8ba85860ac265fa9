"""Calls under ``/services/data/vNN.0/jobs/query``, except the list. salesforce_bulk.md §4.2."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from sandbox.http.messages import Request, Response, gzipped
from sandbox.salesforce.bulk2.dialect import CSV
from sandbox.salesforce.bulk2.query_job import QueryJob
from sandbox.salesforce.bulk2.requests import QueryRequest, StateChange, read_json
from sandbox.salesforce.org import Org
from sandbox.salesforce.origin import origin_of
from sandbox.salesforce.rest import Caller, RestRefusal, as_rest_json, bad_request

_MAX_RESULT_PAGES = 5
_ENDPOINT = "POST /services/data/jobs/query"


class QueryCalls:
    """Calls that create, show, abort and delete query jobs, and return their results page by page."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._page_rows = org.settings.max_query_page_rows

    def create(self, request: Request, caller: Caller) -> Response:
        """Answer 200, in state ``UploadComplete`` at once. §4.2 [docs]"""
        asked = read_json(request, QueryRequest)
        origin = origin_of(request, caller.user, _ENDPOINT)
        if not self._org.limits.query_jobs.remaining:
            raise bad_request("EXCEEDEDQUOTA", "DailyBulkV2QueryJobs Limit exceeded.")
        job = QueryJob(self._org, origin, version=caller.version, asked=asked)
        self._org.limits.query_jobs.take()
        self._org.jobs.add(job)
        return as_rest_json(job.members())

    def show(self, request: Request, _: Caller, job: QueryJob) -> Response:
        return as_rest_json(job.shown(request))

    def change(self, request: Request, _: Caller, job: QueryJob) -> Response:
        wanted = read_json(request, StateChange).state
        if wanted != "Aborted":
            raise bad_request("INVALIDJOBSTATE", f"expected Aborted, found: {wanted}")
        job.abort(self._org.clock.now())
        return as_rest_json(job.members())

    def delete(self, _: Request, __: Caller, job: QueryJob) -> Response:
        """Answer 204 when the job is over, else ``API_ERROR``. §4.2 [docs]"""
        if not job.is_finished:
            raise bad_request("API_ERROR", f"The job cannot be deleted in state '{job.state}'")
        self._org.jobs.remove(job.id)
        return Response(status=204)

    def results(self, request: Request, caller: Caller, job: QueryJob) -> Response:
        """Return a page with the header row and ``Sforce-Locator``, the text ``null`` on the last page. §4.2 [docs]"""
        _refuse_other_version(caller, job)
        start = _read_locator(request.argument("locator"), job)
        lines = job.lines(start, self._count(request))
        end = start + len(lines)
        answer = Response(
            status=200,
            body=job.dialect.write(job.columns, lines),
            content_type=CSV,
            headers=(
                ("Sforce-Locator", _locator(end) if end < job.processed else "null"),
                ("Sforce-NumberOfRecords", str(len(lines))),
            ),
        )
        return gzipped(answer) if request.accepts_gzip else answer

    def result_pages(self, request: Request, caller: Caller, job: QueryJob) -> Response:
        """Return up to five result URIs, and the address of more. §4.2 [docs], members [assumed]"""
        _refuse_other_version(caller, job)
        start = _read_locator(request.argument("locator"), job)
        count = self._count(request)
        base = f"/services/data/v{job.version}.0/jobs/query/{job.id}"
        starts = range(start, max(job.processed, start + 1), count)
        pages = [{"resultUrl": _page_url(f"{base}/results", one, count)} for one in starts[:_MAX_RESULT_PAGES]]
        more = starts[_MAX_RESULT_PAGES] if len(starts) > _MAX_RESULT_PAGES else None
        url = None if more is None else _page_url(f"{base}/resultPages", more, count)
        return as_rest_json({"resultPages": pages, "nextRecordsUrl": url, "done": more is None})

    def _count(self, request: Request) -> int:
        text = request.argument("maxRecords")
        if text is None:
            return self._page_rows
        if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) > 0):
            raise bad_request("API_ERROR", f"expected a whole number of maxRecords, found: {text}")
        return min(int(text), self._page_rows)


def _refuse_other_version(caller: Caller, job: QueryJob) -> None:
    """Refuse another version by 409 (§1, §4.3 [docs], code [assumed]), and a query that was aborted."""
    if caller.version != job.version:
        message = f"The job was created with version {job.version}.0: read its results with the same"
        raise RestRefusal(409, "API_ERROR", message)
    if job.state != "JobComplete":
        raise bad_request("INVALIDJOBSTATE", f"There are no results. Current job state is '{job.state}'")


def _page_url(base: str, start: int, count: int) -> str:
    locator = f"&locator={_locator(start)}" if start else ""
    return f"{base}?maxRecords={count}{locator}"


def _locator(start: int) -> str:
    """Make a text that is opaque to clients and the same each time."""
    return urlsafe_b64encode(f"row {start:010d}".encode()).decode().rstrip("=")


def _read_locator(locator: str | None, job: QueryJob) -> int:
    if not locator:
        return 0
    try:
        word, _, digits = urlsafe_b64decode(locator + "=" * (-len(locator) % 4)).decode("ascii").partition(" ")
        if word == "row" and 0 <= int(digits) < max(1, job.processed):
            return int(digits)
    except ValueError:
        pass
    raise bad_request("API_ERROR", f"no such locator: {locator}")
