"""``jobInfo``, ``batchInfo`` and their list, in XML and JSON. salesforce_bulk.md §3.3, §3.5, §3.6."""

import msgspec

from sandbox.http.messages import Response
from sandbox.salesforce.bulk1.job import Batch, Job
from sandbox.salesforce.bulk1.layout import (
    DECLARATION,
    document,
    fields_document,
    instant,
    json_document,
    json_members,
    xml_fields,
    xml_root,
)
from sandbox.salesforce.bulk1.media_types import Markup
from sandbox.salesforce.bulk1.xml_reading import NAMESPACE
from sandbox.salesforce.values import Value


def job_info(job: Job, now: float, markup: Markup, *, status: int = 200) -> Response:
    # The first is an optional member for WSC; two others are null when unset. §3.3 [client WSC]
    wsc: dict[str, Value] = {"fastPathEnabled": False} if markup == "json" else {}
    return fields_document(markup, "jobInfo", wsc | _job_fields(job, now, markup), status=status)


def batch_info(batch: Batch, now: float, markup: Markup) -> Response:
    return fields_document(markup, "batchInfo", _batch_fields(batch, now, markup))


def new_batch(batch: Batch, markup: Markup, location: str) -> Response:
    """Answer 201 and ``Queued``, even when the batch starts at once. §3.5 [docs]"""
    fields = _batch_fields(batch, batch.created_at, markup) | {"state": "Queued"}
    answer = fields_document(markup, "batchInfo", fields, status=201)
    return msgspec.structs.replace(answer, headers=(("location", location),))


def batch_list(job: Job, now: float, markup: Markup) -> Response:
    """Return the whole list, in creation order. §3.6 [docs], order [assumed]"""
    listed = [_batch_fields(batch, now, markup) for batch in job.batches.values()]
    if markup == "json":
        return document(markup, json_document({"batchInfo": [json_members(fields) for fields in listed]}))
    if not listed:
        return document(markup, f'{DECLARATION}<batchInfoList xmlns="{NAMESPACE}" />'.encode())
    lines: list[str] = []
    for fields in listed:
        lines += ["<batchInfo>", *(f" {line}" for line in xml_fields(fields)), "</batchInfo>"]
    return document(markup, xml_root("batchInfoList", lines))


def _job_fields(job: Job, now: float, markup: Markup) -> dict[str, Value]:
    """Return the fields in the order of §3.3.

    ``numberRecordsProcessed`` includes failed rows [client CumulusCI]; times are ms [docs].
    """
    batches = job.batches.values()
    states = [batch.state(now) for batch in batches]
    busy_ms = sum(_busy_ms(batch) for batch in batches)
    return {
        "id": job.id,
        "operation": job.request.operation,
        "object": job.object,
        "createdById": job.created_by.id,
        "createdDate": instant(job.created_at, markup),
        "systemModstamp": instant(max([job.modified_at, *(batch.modified_at for batch in batches)]), markup),
        "state": job.state,
        "externalIdFieldName": job.request.external_id_field,
        "concurrencyMode": job.request.concurrency,
        "assignmentRuleId": job.request.assignment_rule_id,
        "contentType": job.request.content_type,
        "numberBatchesQueued": states.count("Queued"),
        "numberBatchesInProgress": states.count("InProgress"),
        "numberBatchesCompleted": states.count("Completed"),
        "numberBatchesFailed": states.count("Failed"),
        "numberBatchesTotal": len(states),
        "numberRecordsProcessed": sum(batch.records_processed for batch in batches),
        "numberRetries": sum(batch.phases.retries(now) for batch in batches),
        "apiVersion": float(job.version),
        "numberRecordsFailed": sum(batch.records_failed for batch in batches),
        "totalProcessingTime": busy_ms,
        "apiActiveProcessingTime": busy_ms,
        "apexProcessingTime": 0,
    }


def _batch_fields(batch: Batch, now: float, markup: Markup) -> dict[str, Value]:
    """Return the fields in the order of §3.5; an unset ``stateMessage`` is null in JSON. §3.5 [docs]"""
    return {
        "id": batch.id,
        "jobId": batch.job_id,
        "state": batch.state(now),
        "stateMessage": batch.message,
        "createdDate": instant(batch.created_at, markup),
        "systemModstamp": instant(batch.modified_at, markup),
        "numberRecordsProcessed": batch.records_processed,
        "numberRecordsFailed": batch.records_failed,
        "totalProcessingTime": _busy_ms(batch),
        "apiActiveProcessingTime": _busy_ms(batch),
        "apexProcessingTime": 0,
    }


def _busy_ms(batch: Batch) -> int:
    """Return the processing time. All of it is the API's: the sandbox runs no Apex. [assumed]"""
    if batch.end not in ("Completed", "Failed"):
        return 0
    return round(1000 * batch.phases.busy_s)
