"""Calls 1–4 and 11: create, get, close and abort a job, and its transformation spec. salesforce_bulk.md §3.2–§3.4."""

from sandbox.http.messages import Request, Response
from sandbox.salesforce.bulk1.admission import Admission, body_of
from sandbox.salesforce.bulk1.infos import job_info
from sandbox.salesforce.bulk1.job import Job
from sandbox.salesforce.bulk1.job_request import QUERIES, JobRequest, read_job, read_state
from sandbox.salesforce.bulk1.media_types import MARKUP_TYPES, Markup, media_type
from sandbox.salesforce.bulk1.pk_chunking import read_pk_chunking
from sandbox.salesforce.bulk1.refusal import Refusal
from sandbox.salesforce.bulk1.transformation import read_transformation
from sandbox.salesforce.org import Org
from sandbox.salesforce.sessions import OrgUser

LINE_ENDS = {"LF": "\n", "CRLF": "\r\n"}
"""``Sforce-Line-Ending``. §3.1 [docs]"""


class JobCalls:
    """Calls on jobs. One job: Open → Closed, and either → Aborted. §3.10 [docs]"""

    def __init__(self, org: Org, admission: Admission) -> None:
        self._org = org
        self._admission = admission

    def create(self, request: Request, user: OrgUser) -> Response:
        """Answer 201, in the markup of the request. §3.1 [client salesforce-bulk], §3.2"""
        markup = _markup_sent(request)
        asked = read_job(body_of(request), markup)
        job = self._make(asked, request, user)
        self._org.jobs.add(job)
        return job_info(job, job.created_at, markup, status=201)

    def get(self, request: Request, _: OrgUser) -> Response:
        job = self._admission.job(request)
        if job.has_ended and self._org.goes_back(request):
            job = job.in_progress_again()
        return job_info(job, self._org.clock.now(), self._admission.markup(request))

    def change_state(self, request: Request, user: OrgUser) -> Response:
        """Close or abort. The body may have any type. §9"""
        job = self._admission.job(request)
        body = body_of(request)
        if read_state(body, "json" if body.lstrip().startswith(b"{") else "xml") == "Closed":
            self._close(job, user)
        else:
            self._abort(job, user)
        return job_info(job, self._org.clock.now(), self._admission.markup(request))

    def upload_spec(self, request: Request, user: OrgUser) -> Response:
        """Answer 201, before the first batch only. §3.2 call 11 [docs]; the codes [assumed]"""
        job = self._admission.job(request)
        if job.created_by != user:
            raise Refusal("InvalidUser", "Only the user who created the job can change it")
        if job.request.content_type not in ("CSV", "ZIP_CSV") or job.is_query:
            raise Refusal("InvalidJob", "A transformation spec needs a job that loads CSV")
        if job.state != "Open" or job.batches:
            raise Refusal("InvalidJobState", "A transformation spec is taken before the first batch only")
        if media_type(request.header("content-type")) not in (None, "text/csv"):
            raise Refusal("UnsupportedContentType", "A transformation spec is text/csv")
        job.spec = read_transformation(body_of(request))
        return Response(status=201)

    def _make(self, asked: JobRequest, request: Request, user: OrgUser) -> Job:
        kind = self._org.object_type(asked.object)
        self._org.check_permission(user, asked.operation)
        if asked.operation == "upsert":
            self._org.key_slot(kind, asked.external_id_field)
        at = self._org.clock.now()
        is_query = asked.operation in QUERIES
        return Job(
            id=self._org.jobs.next_id(),
            request=asked,
            object=kind.name,
            version=request.params["version"],
            created_by=user,
            created_at=at,
            modified_at=at,
            line_end=LINE_ENDS.get(request.header("sforce-line-ending").strip().upper(), "\n"),
            retries_disabled=request.header("sforce-disable-batch-retry").strip().lower() == "true",
            pk_chunking=read_pk_chunking(request.header("sforce-enable-pkchunking")) if is_query else None,
        )

    def _close(self, job: Job, user: OrgUser) -> None:
        """Close for the creator only. §3.4 [docs]; closing a second time changes nothing [assumed]"""
        if job.created_by != user:
            raise Refusal("InvalidUser", "Only the user who created the job can close it")
        if job.state == "Aborted":
            raise Refusal("InvalidJobState", "Closing aborted Job not allowed")
        if job.state == "Open":
            job.state = "Closed"
            job.modified_at = self._org.clock.now()

    def _abort(self, job: Job, user: OrgUser) -> None:
        """Abort for the creator and for administrators. §3.4 [docs]"""
        if job.created_by != user and not user.user.may_administer:
            raise Refusal("InvalidUser", "The user has no permission to abort the job")
        job.abort(self._org.clock.now())


def _markup_sent(request: Request) -> Markup:
    """Return the markup of the request, XML by default. §3.1 [docs]"""
    sent = media_type(request.header("content-type")) or "application/xml"
    for markup, name in MARKUP_TYPES.items():
        if sent == name:
            return markup
    raise Refusal("UnsupportedContentType", f"Unsupported content type: {sent}")
