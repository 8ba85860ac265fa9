"""Work of a batch when it is due. salesforce_bulk.md §3.5, §3.9, §3.10.

Rows are written when the batch ends, all at once, so that no reader sees a part of them. A batch that fails on its way,
by a fault or for lack of time, keeps the rows written so far, and their results. [docs]
"""

from itertools import pairwise

from sandbox.salesforce import ids
from sandbox.salesforce.bulk1.attachments import unpack, with_files
from sandbox.salesforce.bulk1.content import Content, malformed
from sandbox.salesforce.bulk1.content_readers import read_csv_content, read_json_content, read_xml_content
from sandbox.salesforce.bulk1.faults import SplitResult
from sandbox.salesforce.bulk1.job import Batch, Job, deflate, inflate
from sandbox.salesforce.bulk1.query_results import query_rows
from sandbox.salesforce.org import Org
from sandbox.salesforce.origin import Origin
from sandbox.salesforce.query import QueryResult
from sandbox.salesforce.refusals import BatchRefused
from sandbox.salesforce.results import pack_results

MAX_RECORDS = 10_001
"""The documentation says 10,000; the service complained above 10,001 only. §7 [client issue reports]"""

_TIMED_OUT = "Timeout : The batch took too long to process"


class BatchRunner:
    """Runner of batches. Each batch comes to an end."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._result_files = 0

    def run(self, job: Job, batch: Batch, origin: Origin, at: float) -> None:
        """Do the batch's work, unless it was aborted before."""
        if batch.end is not None:
            return
        try:
            message = self._query(job, batch, origin) if job.is_query else self._load(job, batch, origin, at)
        except BatchRefused as refusal:
            message = refusal.state_message
        if message:
            job.finish(batch, "Failed", at, message)
        else:
            job.finish(batch, "Completed", at, self._org.end_message(origin) or None)

    def _load(self, job: Job, batch: Batch, origin: Origin, at: float) -> str | None:
        """Write the rows and return the reason why some were not written, if any."""
        content = self._content(job, inflate(batch.packed_body))
        rows, message = content.rows, None
        if batch.phases.done_share < 1:
            rows, message = rows[: int(len(rows) * batch.phases.done_share)], _TIMED_OUT
        if (failure := self._org.batch_failure(origin)) is not None:
            rows, message = rows[: failure.rows_written], f"{failure.code} : {failure.message}"
        results = self._org.write(
            job.request.operation,
            job.object,
            content.columns,
            rows,
            origin=origin,
            external_id=job.request.external_id_field,
            at=at,
            since=batch.phases.starts_at,
            is_json=job.request.content_type.endswith("JSON"),
        )
        batch.records_processed = len(results)
        batch.records_failed = sum(not result.success for result in results)
        batch.packed_results = pack_results(results) if results else None
        return message

    def _content(self, job: Job, body: bytes) -> Content:
        files: dict[str, bytes] = {}
        content_type = job.request.content_type
        if content_type.startswith("ZIP_"):
            body, files = unpack(body)
        match content_type.removeprefix("ZIP_"):
            case "CSV":
                content = read_csv_content(body, job.spec)
            case "JSON":
                content = read_json_content(body)
            case _:
                content = read_xml_content(body)
        _check_records(len(content.rows))
        if content_type.startswith("ZIP_"):
            return with_files(content, files)
        self._refuse_binary(job, content)
        return content

    def _refuse_binary(self, job: Job, content: Content) -> None:
        """Refuse binary fields outside a ZIP batch. §3.11 [docs]"""
        kind = self._org.object_type(job.object)
        for name in content.columns:
            slot = kind.slot(name)
            if slot is not None and kind.all_fields[slot].type == "base64":
                raise BatchRefused("FeatureNotEnabled", f"Binary field not supported in this content type: {name}")

    def _query(self, job: Job, batch: Batch, origin: Origin) -> str | None:
        """Run the query as of now and return the reason of a failure, if any."""
        if batch.phases.done_share < 1:
            return _TIMED_OUT
        if (failure := self._org.batch_failure(origin)) is not None:
            return f"{failure.code} : {failure.message}"
        found = self._org.query(soql_of(batch), with_deleted=job.request.operation == "queryAll")
        split = next(self._org.faults.acting((SplitResult,), origin.method, origin.path), None)
        for part in _parts(found, split.files if split else 1):
            self._result_files += 1
            rows = query_rows(part, job.request.content_type, job.version, job.line_end)
            batch.packed_files = {**batch.packed_files, ids.make(ids.QUERY_RESULT, self._result_files): deflate(rows)}
        batch.records_processed = len(found.rows)
        return None


def soql_of(batch: Batch) -> str:
    """Return the body as text. Raises ``BatchRefused`` for other bytes."""
    try:
        return inflate(batch.packed_body).decode()
    except UnicodeDecodeError as error:
        raise malformed("Failed to process query: it is not UTF-8") from error


def _check_records(records: int) -> None:
    if records > MAX_RECORDS:
        limit = f"Number of records should be less than or equal to {MAX_RECORDS}"
        raise malformed(f"Exceeded number of records: {records}. {limit}")
    if records == 0:
        raise malformed("Records not found for this batch")


def _parts(found: QueryResult, files: int) -> list[QueryResult]:
    """Split the result into ``files`` parts of about the same size: at most one per row, and at least one."""
    files = max(1, min(files, len(found.rows)))
    cuts = [len(found.rows) * number // files for number in range(files + 1)]
    return [found._replace(rows=found.rows[start:end], ids=found.ids[start:end]) for start, end in pairwise(cuts)]
