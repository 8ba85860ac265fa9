"""Checks before every call, and the finish of every answer. salesforce_bulk.md §1, §3.1, §3.11."""

import zlib
from collections.abc import Callable
from functools import partial

import msgspec

from sandbox.http.messages import Answer, Handler, Request, Response, gzipped
from sandbox.salesforce.bulk1.faults import RefuseCall
from sandbox.salesforce.bulk1.job import Job
from sandbox.salesforce.bulk1.layout import refusal_response
from sandbox.salesforce.bulk1.media_types import Markup, markup_of, requested_markup
from sandbox.salesforce.bulk1.refusal import Refusal
from sandbox.salesforce.org import Org
from sandbox.salesforce.refusals import BatchRefused
from sandbox.salesforce.sessions import OrgUser, given_session_id
from sandbox.salesforce.versions import number_of, status_of

MAX_BODY_BYTES = 10_000_000
"""Uncompressed. §7 [docs]"""

Call = Callable[[Request, OrgUser], Answer]


class Admission:
    """Maker of handlers from calls, which may raise ``Refusal`` or ``BatchRefused``."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def checked(self, call: Call) -> Handler:
        def answer(request: Request) -> Answer:
            try:
                answered = call(request, self._admit(request))
            except Refusal as refusal:
                answered = refusal_response(refusal, self.markup(request))
            except BatchRefused as refused:
                found = Refusal(refused.code, refused.message)  # type: ignore[arg-type]
                answered = refusal_response(found, self.markup(request))
            return finished(answered, partial(self._sent, request))

        return answer

    def markup(self, request: Request) -> Markup:
        """Return the job's markup where the job is known, else the request's. §3.1 [docs]"""
        job = self.find_job(request)
        return requested_markup(request.header("content-type")) if job is None else markup_of(job.request.content_type)

    def find_job(self, request: Request) -> Job | None:
        job = self._org.jobs.get(request.params.get("job_id", ""))
        return job if isinstance(job, Job) else None

    def job(self, request: Request) -> Job:
        """Return the job that the path names. The call must be of the job's version. §1 [docs], the code [assumed]"""
        job = self.find_job(request)
        if job is None and self._org.jobs.is_gone(request.params["job_id"]):
            raise Refusal("NOT_FOUND", "The requested resource does not exist")
        if job is None:
            raise Refusal("InvalidJob", f"Invalid job id: {request.params['job_id']}")
        version = request.params["version"]
        if version != job.version:
            raise Refusal("InvalidVersion", f"The job was made with version {job.version}, the call is of {version}")
        return job

    def _admit(self, request: Request) -> OrgUser:
        settings = self._org.settings
        if settings.https_required and request.header("x-forwarded-proto").lower() != "https":
            raise Refusal("HttpsRequired", "HTTPS Required")
        _check_version(request.params["version"])
        if not given_session_id(request):
            raise Refusal("InvalidSessionId", "Unable to find session id")
        user = self._org.sessions.find(request)
        if user is None:
            raise Refusal("InvalidSessionId", "Invalid session id")
        if not self._org.limits.api_requests.take():
            raise Refusal("ExceededQuota", "TotalRequests Limit exceeded.")
        if not settings.bulk_enabled:
            raise Refusal("FeatureNotEnabled", "Async API not enabled")
        for fault in self._org.faults.acting((RefuseCall,), request.method, request.path, request.body):
            raise Refusal(fault.code, fault.message or fault.code)
        return user

    def _sent(self, request: Request, response: Response) -> Response:
        """Compress for a client that accepts gzip (§3.1 [docs]), and warn on deprecated versions."""
        below = self._org.settings.deprecated_below
        if 0 < number_of(request.params["version"]) < below:
            warning = f'299 - "API version {request.params["version"]} is deprecated"'
            response = msgspec.structs.replace(response, headers=(*response.headers, ("warning", warning)))
        return gzipped(response) if request.accepts_gzip else response


def finished(answer: Answer, finish: Callable[[Response], Response]) -> Answer:
    """Apply ``finish`` to the answer, or to what it will be when it is rendered."""
    if isinstance(answer, Response):
        return finish(answer)
    render = answer.render
    return msgspec.structs.replace(answer, render=lambda items: finish(render(items)))


def body_of(request: Request) -> bytes:
    """Return the body, unpacked, not empty and not too large. Raises ``Refusal`` ``ClientInputError``. §3.11"""
    body = _unpacked(request)
    if len(body) > MAX_BODY_BYTES:
        raise Refusal("ClientInputError", f"Failed to read request. Exceeded max size limit of {MAX_BODY_BYTES}")
    if not body.strip():
        raise Refusal("ClientInputError", "Failed to read request. The request is empty")
    return body


def _unpacked(request: Request) -> bytes:
    match request.header("content-encoding").strip().lower():
        case "" | "identity":
            return request.body
        case "gzip" | "x-gzip":
            return _gunzipped(request.body)
        case other:
            raise Refusal("UnsupportedContentType", f"Unsupported content encoding: {other}")


def _gunzipped(body: bytes) -> bytes:
    """Unpack, but never much more than the limit, whatever the body claims."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise Refusal("ClientInputError", f"Failed to read request. {error}") from error
    if not unpacker.eof and len(unpacked) <= MAX_BODY_BYTES:
        raise Refusal("ClientInputError", "Failed to read request. The body is cut off")
    return unpacked


def _check_version(version: str) -> None:
    """Refuse any version but 31.0 to 66.0, without a ``v``; older ones are gone. §1 [docs]"""
    match status_of(version) if version[:1] != "v" else "unknown":
        case "retired":
            raise Refusal("Gone", f"API version {version} is retired")
        case "unknown":
            raise Refusal("InvalidVersion", f"Api version {version} is not supported")
