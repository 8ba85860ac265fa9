"""One ingest job: its data, the batches it is split into, its results. salesforce_bulk.md §4.1."""

import math
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Any

from sandbox.salesforce.bulk2.dialect import DELIMITERS
from sandbox.salesforce.bulk2.job import Job
from sandbox.salesforce.bulk2.requests import IngestRequest
from sandbox.salesforce.csv_data import CsvRows
from sandbox.salesforce.jobs import JobType
from sandbox.salesforce.org import Org, Origin
from sandbox.salesforce.refusals import BatchRefused
from sandbox.salesforce.rest import bad_request
from sandbox.salesforce.results import RowResult, pack_results, unpack_results
from sandbox.salesforce.writing import Row


class IngestJob(Job):
    """A job that writes. Nothing is written before `UploadComplete`; then internal batches of 10,000 rows. [docs]

    Rows of an internal batch are written when it is done; batches are done evenly over the time of `InProgress`.
    """

    job_type: JobType = "V2Ingest"

    def __init__(self, org: Org, origin: Origin, *, version: int, asked: IngestRequest) -> None:
        super().__init__(org, origin, version=version, dialect=asked.dialect)
        self.asked = asked
        self.object_name = org.object_type(asked.object).name
        self._data: bytes | None = None
        self._results: list[bytes] = []

    @property
    def kept_bytes(self) -> int:
        return len(self._data or b"") + sum(map(len, self._results))

    def upload(self, body: bytes) -> None:
        """One PUT per job. Raises :class:`RestRefusal`. §4.1 [client issue reports], refusal [assumed]"""
        now = self.org.clock.now()
        if self.state != "Open" or now - self.created_at > self.org.settings.job_open_s:
            message = f"Failed to create batch, since the Job is not Open. Current job state is '{self.state}'"
            raise bad_request("INVALIDJOBSTATE", message)
        if self._data is not None:
            message = (
                f"Found multiple contents for job: <{self.id}>, please 'Close' / 'Abort' / 'Delete' the current Job"
            )
            raise bad_request("INVALIDJOB", f"{message} then create a new Job and make sure you only do 'PUT' once")
        self._data = zlib.compress(body, level=1)
        self.changed_at = now

    def start(self) -> None:
        """Sets `UploadComplete` and puts the phases on the agenda. Raises :class:`RestRefusal`."""
        if self.state != "Open":
            raise self.wrong_state("Open")
        if self._data is None:
            raise bad_request("INVALIDJOBSTATE", "the job has no data: PUT its content first")
        if not self.org.limits.batches.remaining:
            raise bad_request("EXCEEDEDQUOTA", "ApiBatchItems Limit exceeded.")
        now = self.org.clock.now()
        self.move_to("UploadComplete", now)
        phases = self.org.phases(self.origin)
        self.org.agenda.add(now + phases.queued_s, lambda at: self._begin(at, phases.in_progress_s))

    def outcomes(self) -> Iterator[tuple[Row, RowResult | None]]:
        """Every uploaded row as sent, and its result; null for one that was not processed."""
        results = chain(chain.from_iterable(map(unpack_results, self._results)), repeat(None))
        try:
            for rows in self._rows().raw_pieces(self.org.settings.internal_batch_rows):
                yield from zip(rows, results, strict=False)
        except BatchRefused:
            return

    @property
    def columns(self) -> list[str]:
        try:
            return list(self._rows().columns)
        except BatchRefused:
            return []

    def what(self) -> dict[str, Any]:
        return {"operation": self.asked.operation, "object": self.object_name}

    def how(self) -> dict[str, Any]:
        """Left out when not set. [assumed: the samples without them have no member]"""
        members = {
            "externalIdFieldName": self.asked.external_id_field_name,
            "assignmentRuleId": self.asked.assignment_rule_id,
        }
        return {name: value for name, value in members.items() if value is not None}

    def where(self) -> dict[str, Any]:
        """`contentUrl` is relative, without a leading slash. §4.1 [docs]"""
        return {"contentUrl": f"services/data/v{self.version}.0/jobs/ingest/{self.id}/batches"}

    def info(self) -> dict[str, Any]:
        """What GET adds. Processed includes failed. §4.1 [docs]"""
        return {
            **self.listing(),
            "retries": 0,
            "totalProcessingTime": self.processing_ms,
            "apiActiveProcessingTime": self.processing_ms,
            "apexProcessingTime": 0,
            "numberRecordsProcessed": self.processed,
            "numberRecordsFailed": self.failed,
            **({"errorMessage": self.error_message} if self.error_message else {}),
        }

    def _rows(self) -> CsvRows:
        body = zlib.decompress(self._data or b"") if self._data else b""
        return CsvRows(body, delimiter=DELIMITERS[self.dialect.delimiter])

    def _begin(self, at: float, in_progress_s: float) -> None:
        if self.state != "UploadComplete":
            return
        self.move_to("InProgress", at)
        body = zlib.decompress(self._data or b"")
        # Line breaks inside quotes make this too many: then the last batch is done before the phase ends.
        lines = body.count(b"\n") + (not body.endswith(b"\n"))
        batches = max(1, math.ceil((lines - 1) / self.org.settings.internal_batch_rows))
        try:
            self.dialect.check_line_ending(body)
            data = CsvRows(body, delimiter=DELIMITERS[self.dialect.delimiter])
        except BatchRefused as refusal:
            self._fail(refusal.state_message, at)
            return
        pieces = data.pieces(self.org.settings.internal_batch_rows)
        step_s = in_progress_s / batches
        for number in range(1, batches + 1):
            self.org.agenda.add(at + number * step_s, lambda due: self._write_next(data, pieces, due, step_s))
        self.org.agenda.add(at + in_progress_s, self._complete)

    def _write_next(self, data: CsvRows, pieces: Iterator[list[Row]], at: float, step_s: float) -> None:
        """Writes one internal batch. What fails it fails the job; earlier batches stay written. §4.1 [docs]"""
        if self.state != "InProgress":
            return
        try:
            self._write_piece(data, next(pieces, []), at)
        except BatchRefused as refusal:
            self._fail(refusal.state_message, at)
        self.processing_ms += round(step_s * 1000)

    def _write_piece(self, data: CsvRows, rows: list[Row], at: float) -> None:
        if not rows:
            return
        if not (self.org.limits.batches.take() and self.org.limits.records.take(len(rows))):
            raise BatchRefused("ExceededQuota", "ApiBatchItems Limit exceeded.")
        fault = self.org.failing(self.origin)
        self._write(data.columns, rows if fault is None else rows[: fault.rows_written], at)
        if fault is not None:
            raise BatchRefused(fault.code, fault.message)

    def _write(self, columns: Sequence[str], rows: list[Row], at: float) -> None:
        results = self.org.write(
            self.asked.operation,
            self.object_name,
            columns,
            rows,
            origin=self.origin,
            external_id=self.asked.external_id_field_name,
            at=at,
        )
        self._results.append(pack_results(results))
        self.processed += len(results)
        self.failed += sum(not result.success for result in results)

    def _complete(self, at: float) -> None:
        if self.state == "InProgress":
            self.move_to("JobComplete", at)

    def _fail(self, message: str, at: float) -> None:
        self.error_message = message
        self.move_to("Failed", at)
