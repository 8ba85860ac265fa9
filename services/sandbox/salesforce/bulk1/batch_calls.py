"""Calls 5–10: add, get and list batches, read their requests and their results. salesforce_bulk.md §3.5–§3.8."""

from sandbox.http.messages import Answer, Request, Response
from sandbox.salesforce import ids
from sandbox.salesforce.bulk1.admission import Admission, body_of
from sandbox.salesforce.bulk1.infos import batch_info, batch_list, new_batch
from sandbox.salesforce.bulk1.job import Batch, Job, inflate
from sandbox.salesforce.bulk1.job_calls import LINE_ENDS
from sandbox.salesforce.bulk1.layout import document, json_document
from sandbox.salesforce.bulk1.media_types import DATA_TYPES, RESULT_TYPES, media_type
from sandbox.salesforce.bulk1.queue import Queue
from sandbox.salesforce.bulk1.refusal import Refusal
from sandbox.salesforce.bulk1.row_results import row_results
from sandbox.salesforce.bulk1.xml_reading import NAMESPACE
from sandbox.salesforce.org import Org
from sandbox.salesforce.origin import origin_of
from sandbox.salesforce.results import unpack_results
from sandbox.salesforce.sessions import OrgUser

_ENDPOINT = "POST /services/async/job/batch"


class BatchCalls:
    """Calls on the batches of jobs."""

    def __init__(self, org: Org, admission: Admission) -> None:
        self._org = org
        self._admission = admission
        self._queue = Queue(org)

    def add(self, request: Request, user: OrgUser) -> Response:
        """Answer 201 and ``Queued``. Only size, emptiness, type, session, job and quota are checked. §3.5 [assumed]"""
        job = self._admission.job(request)
        if job.created_by != user:
            raise Refusal("InvalidUser", "Only the user who created the job can add batches to it")
        # Count before the state is checked: a batch for a closed job is refused but counts. §3.5 [docs]
        if not self._org.limits.batches.take():
            raise Refusal("ExceededQuota", "ApiBatchItems Limit exceeded.")
        self._check_open(job)
        _check_type(job, request)
        batch = self._queue.put(job, body_of(request), origin_of(request, user, _ENDPOINT))
        location = f"/services/async/{job.version}/job/{job.id}/batch/{batch.id}"
        return new_batch(batch, self._admission.markup(request), location)

    def get(self, request: Request, _: OrgUser) -> Response:
        batch = self._batch(request)
        if batch.end is not None and self._org.goes_back(request):
            batch = batch.in_progress_again()
        return batch_info(batch, self._org.clock.now(), self._admission.markup(request))

    def list(self, request: Request, _: OrgUser) -> Response:
        job = self._admission.job(request)
        if job.has_ended and self._org.goes_back(request):
            job = job.in_progress_again()
        return batch_list(job, self._org.clock.now(), self._admission.markup(request))

    def get_request(self, request: Request, _: OrgUser) -> Response:
        """Return the request as it was sent; for a PK chunk the rewritten SOQL. §3.6 [docs]"""
        job, batch = self._admission.job(request), self._batch(request)
        content_type = DATA_TYPES[job.request.content_type]
        return Response(status=200, body=inflate(batch.packed_body), content_type=content_type)

    def get_result(self, request: Request, _: OrgUser) -> Answer:
        """Return row results, or ids of a query's results. Raises ``Refusal`` if there are none. §3.7, §3.8, §3.10"""
        job, batch = self._admission.job(request), self._batch(request)
        if batch.end is not None and self._org.are_late(request):
            raise Refusal("InvalidBatch", "Records not processed")
        if job.is_query and batch.end == "Completed":
            return self._result_list(request, batch)
        if batch.packed_results is None:
            raise Refusal("InvalidBatch", "Records not processed")
        content_type = job.request.content_type
        return row_results(unpack_results(batch.packed_results), content_type, _line_end(job, request))

    def get_query_result(self, request: Request, _: OrgUser) -> Response:
        job, batch = self._admission.job(request), self._batch(request)
        packed = batch.packed_files.get(ids.canonical(request.params["result_id"]) or "")
        if packed is None:
            raise Refusal("InvalidBatch", "Records not found for this batch")
        return Response(status=200, body=inflate(packed), content_type=RESULT_TYPES[job.request.content_type])

    def _result_list(self, request: Request, batch: Batch) -> Response:
        if self._admission.markup(request) == "json":
            return document("json", json_document(list(batch.packed_files)))
        listed = "".join(f"<result>{result_id}</result>" for result_id in batch.packed_files)
        return document("xml", f'<result-list xmlns="{NAMESPACE}">{listed}</result-list>'.encode())

    def _batch(self, request: Request) -> Batch:
        job = self._admission.job(request)
        batch = job.batches.get(ids.canonical(request.params["batch_id"]) or "")
        if batch is None:
            raise Refusal("InvalidBatch", f"Unable to find batch: {request.params['batch_id']}")
        return batch

    def _check_open(self, job: Job) -> None:
        """Refuse a batch after 24 hours, while the job still shows ``Open``. §7 [docs], §3.10 [assumed]"""
        if job.state != "Open":
            message = f"Failed to create batch, since the Job is not Open. Current job state is '{job.state}'"
            raise Refusal("InvalidJobState", message)
        if self._org.clock.now() - job.created_at >= self._org.settings.job_open_s:
            raise Refusal("InvalidJobState", "Failed to create batch, since the Job has been open for too long")


def _check_type(job: Job, request: Request) -> None:
    """Refuse any type but the job's own; a request without a type means that one. [assumed]"""
    expected = DATA_TYPES[job.request.content_type]
    sent = media_type(request.header("content-type")) or expected
    if sent != expected:
        raise Refusal("UnsupportedContentType", f"Unsupported content type: {sent}; the job's is {expected}")


def _line_end(job: Job, request: Request) -> str:
    return LINE_ENDS.get(request.header("sforce-line-ending").strip().upper(), job.line_end)
