"""Calls under ``/services/data/vNN.0/jobs/ingest``, except results and list. salesforce_bulk.md §4.1."""

from sandbox.http.messages import Request, Response
from sandbox.http.multipart import MULTIPART
from sandbox.salesforce.bulk2.ingest_job import IngestJob
from sandbox.salesforce.bulk2.multipart import read_parts
from sandbox.salesforce.bulk2.requests import IngestRequest, StateChange, decode_json, read_json, unsupported
from sandbox.salesforce.org import Org
from sandbox.salesforce.origin import origin_of
from sandbox.salesforce.refusals import BatchRefused
from sandbox.salesforce.rest import Caller, as_rest_json, bad_request

_ASSIGNMENT_RULES_SINCE = 49
_DELETABLE = ("UploadComplete", "JobComplete", "Aborted", "Failed")
_ENDPOINT = "PATCH /services/data/jobs/ingest"
_MULTIPART_ENDPOINT = "POST /services/data/jobs/ingest"
"""Names in the ledger of the requests that start a job"""


class IngestCalls:
    """Calls that create, fill, start, abort, show and delete jobs."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def create(self, request: Request, caller: Caller) -> Response:
        """Answer 200; a multipart job starts in ``UploadComplete``. §4.1 [docs]"""
        if request.media_type != MULTIPART:
            return as_rest_json(self._make(read_json(request, IngestRequest), request, caller).members())
        maximum = self._org.settings.max_multipart_characters
        asked, content = read_parts(request, max_characters=maximum)
        job = self._make(decode_json(asked, IngestRequest), request, caller)
        job.upload(_not_empty(content))
        job.start(job.origin)
        return as_rest_json(job.members())

    def upload(self, request: Request, _: Caller, job: IngestJob) -> Response:
        """Answer 201, empty. §4.1 [docs]"""
        content_type = request.header("content-type").lower().replace(",", ";").split(";")[0].strip()
        if content_type != "text/csv" or request.header("content-encoding") not in ("", "identity"):
            raise unsupported(request, "text/csv")
        maximum = self._org.settings.max_upload_bytes
        if -(-len(request.body) // 3) * 4 > maximum:
            message = f"Failed to read request. Exceeded max size limit of {maximum}"
            raise bad_request("CLIENTINPUTERROR", message)
        job.upload(_not_empty(request.body))
        return Response(status=201)

    def change(self, request: Request, caller: Caller, job: IngestJob) -> Response:
        match read_json(request, StateChange).state:
            case "UploadComplete":
                job.start(origin_of(request, caller.user, _ENDPOINT))
            case "Aborted":
                job.abort(self._org.clock.now())
            case other:
                raise bad_request("INVALIDJOBSTATE", f"expected UploadComplete or Aborted, found: {other}")
        return as_rest_json(job.members())

    def show(self, request: Request, _: Caller, job: IngestJob) -> Response:
        return as_rest_json(job.shown(request))

    def delete(self, _: Request, __: Caller, job: IngestJob) -> Response:
        """Answer 204 in ``UploadComplete`` or when the job is over. §4.1 [docs]"""
        if job.state not in _DELETABLE:
            raise bad_request("API_ERROR", f"The job cannot be deleted in state '{job.state}'")
        self._org.jobs.remove(job.id)
        job.state = "Aborted"
        return Response(status=204)

    def _make(self, asked: IngestRequest, request: Request, caller: Caller) -> IngestJob:
        if asked.assignment_rule_id is not None and caller.version < _ASSIGNMENT_RULES_SINCE:
            raise bad_request("JSON_PARSER_ERROR", "Unrecognized field: assignmentRuleId")
        kind = self._org.object_type(asked.object)
        if asked.operation == "upsert":
            self._org.key_slot(kind, asked.external_id_field_name)
        elif asked.external_id_field_name is not None:
            raise BatchRefused("InvalidJob", "externalIdFieldName is for upsert only")
        self._org.check_permission(caller.user, asked.operation)
        origin = origin_of(request, caller.user, _MULTIPART_ENDPOINT)
        job = IngestJob(self._org, origin, version=caller.version, asked=asked)
        self._org.jobs.add(job)
        return job


def _not_empty(content: bytes) -> bytes:
    """Raise ``RestRefusal`` for an empty body. §7 [docs], code [assumed]"""
    if not content.strip():
        raise bad_request("CLIENTINPUTERROR", "Failed to read request. The body is empty")
    return content
