"""Successful, failed and unprocessed rows of an ingest job. salesforce_bulk.md §4.1.

    successfulResults   "sf__Id","sf__Created", then the uploaded columns
    failedResults       "sf__Id","sf__Error", then the uploaded columns
    unprocessedrecords  the uploaded columns only

Order is not the upload order. [docs]
"""

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.messages import BulkResponse, Request, Response, gzipped
from sandbox.salesforce.bulk2.dialect import CSV
from sandbox.salesforce.bulk2.ingest_job import IngestJob
from sandbox.salesforce.faults import ReformatNumbers
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import Caller

_FAILED_IDS_SINCE = 53
_LONG_NUMBER = re.compile(r"[1-9]\d{7,}", re.ASCII)

Line = list[Any]


class IngestResults:
    """Renders the results of jobs that are over."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def successful(self, request: Request, _: Caller, job: IngestJob) -> BulkResponse:
        lines = (
            [result.id, "true" if result.created else "false", *row]
            for row, result in job.outcomes()
            if result is not None and result.success
        )
        return self._answer(request, job, ["sf__Id", "sf__Created", *job.columns], lines)

    def failed(self, request: Request, caller: Caller, job: IngestJob) -> BulkResponse:
        """`sf__Id` is filled from 53.0 where known. §4.1 [docs]"""
        has_ids = caller.version >= _FAILED_IDS_SINCE
        lines = (
            [result.id if has_ids else "", result.errors[0].text(), *row]
            for row, result in (job.outcomes() if job.failed else ())
            if result is not None and not result.success
        )
        return self._answer(request, job, ["sf__Id", "sf__Error", *job.columns], lines)

    def unprocessed(self, request: Request, _: Caller, job: IngestJob) -> BulkResponse:
        lines = (list(row) for row, result in job.outcomes() if result is None)
        return self._answer(request, job, job.columns, lines)

    def _answer(self, request: Request, job: IngestJob, header: list[str], lines: Iterator[Line]) -> BulkResponse:
        items = list(lines)
        if self._org.settings.shuffle_results:
            random.Random(f"{job.id}{header[:2]}").shuffle(items)
        for _ in self._org.faults.acting((ReformatNumbers,), request.method, request.path):
            items = [[_reformatted(cell) for cell in line] for line in items]

        def render(rendered: list[Line]) -> Response:
            body = job.dialect.write(header, rendered)
            answer = Response(status=200, body=body, content_type=CSV)
            return gzipped(answer) if request.accepts_gzip else answer

        return BulkResponse(items=items, render=render, without_identifier=_without_id(header))


def _without_id(header: list[str]) -> Callable[[Line], Line]:
    """Empties `sf__Id`, which unprocessed rows do not have."""
    return (lambda line: ["", *line[1:]]) if header[:1] == ["sf__Id"] else list


def _reformatted(cell: Any) -> Any:
    """`912260031` → `9.12260031E8`. §4.1 [client issue reports]"""
    if not _LONG_NUMBER.fullmatch(str(cell)):
        return cell
    digits = str(cell)
    return f"{digits[0]}.{digits[1:].rstrip('0') or '0'}E{len(digits) - 1}"
