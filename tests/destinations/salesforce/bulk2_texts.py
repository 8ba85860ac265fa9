"""Answers of Bulk API 2.0 as the wire document shows them. salesforce_bulk.md §4"""

from typing import Any

import httpx

JOB = "750X00000000V2JIAA"


def job_json(state: str = "Open", *, job: str = JOB, **members: Any) -> dict[str, Any]:
    """Return a job as the org lists it."""
    return {
        "id": job,
        "operation": "upsert",
        "object": "Contact",
        "createdById": "005X0000000USERAAA",
        "createdDate": "2024-11-21T09:28:59.000+0000",
        "systemModstamp": "2024-11-21T09:28:59.000+0000",
        "state": state,
        "externalIdFieldName": "Ext__c",
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": 59.0,
        "contentUrl": f"services/data/v59.0/jobs/ingest/{job}/batches",
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
        **members,
    }


def info_json(
    state: str = "Open", *, job: str = JOB, processed: int = 0, failed: int = 0, **members: Any
) -> dict[str, Any]:
    """Return a job as it is when it is asked for alone."""
    counts = {"numberRecordsProcessed": processed, "numberRecordsFailed": failed}
    return job_json(state, job=job, jobType="V2Ingest", retries=0, totalProcessingTime=0, **counts, **members)


def job(state: str = "Open", **members: Any) -> httpx.Response:
    """Answer with a job."""
    return httpx.Response(200, json=info_json(state, **members))


def table(content: str) -> httpx.Response:
    """Answer with a result file."""
    return httpx.Response(200, content=content.encode(), headers={"content-type": "text/csv;charset=UTF-8"})


def rest_error(code: str, message: str = "no", status: int = 400) -> httpx.Response:
    """Refuse a call. §4.3"""
    return httpx.Response(status, json=[{"errorCode": code, "message": message}])


NOT_FOUND = rest_error("NOT_FOUND", "The requested resource does not exist", 404)
