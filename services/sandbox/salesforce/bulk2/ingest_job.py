"""One ingest job: its data, the batches it is split into, its results. salesforce_bulk.md §4.1."""

import math
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sandbox.salesforce.bulk2.dialect import DELIMITERS
from sandbox.salesforce.bulk2.echo import Echo
from sandbox.salesforce.bulk2.job import Job
from sandbox.salesforce.bulk2.requests import IngestRequest
from sandbox.salesforce.columns import is_spelt_exactly
from sandbox.salesforce.csv_data import CsvRows
from sandbox.salesforce.faults import MissingFileRows
from sandbox.salesforce.jobs import JobType
from sandbox.salesforce.org import Org
from sandbox.salesforce.origin import Origin
from sandbox.salesforce.refusals import BatchRefused
from sandbox.salesforce.rest import bad_request
from sandbox.salesforce.results import RowResult, pack_results, unpack_results
from sandbox.salesforce.row_writer import Row


class IngestJob(Job):
    """Job that writes. Rows are written only after ``UploadComplete``, in internal batches of 10,000. [docs]

    Rows of an internal batch are written when it is done; batches are done evenly over the time of ``InProgress``.
    """

    job_type: JobType = "V2Ingest"

    def __init__(self, org: Org, origin: Origin, *, version: int, asked: IngestRequest) -> None:
        super().__init__(org, origin, version=version, dialect=asked.dialect)
        self.operation = asked.operation
        self.object_name = org.object_type(asked.object).name
        self.external_id_field = asked.external_id_field_name
        self.assignment_rule_id = asked.assignment_rule_id
        # Relative, without a leading slash. §4.1 [docs]
        self.content_url = f"services/data/v{version}.0/jobs/ingest/{self.id}/batches"
        self._data: bytes | None = None
        self._results: list[bytes] = []
        self._began_at = 0.0

    @property
    def kept_bytes(self) -> int:
        return len(self._data or b"") + sum(map(len, self._results))

    def upload(self, body: bytes) -> None:
        """Take the data of the only PUT. Raises ``RestRefusal``. §4.1 [client issue reports], refusal [assumed]"""
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

    def start(self, origin: Origin) -> None:
        """Set ``UploadComplete`` and put the phases on the schedule. Raises ``RestRefusal``.

        Ledger and faults know the job's rows by the request that starts the job.
        """
        if self.state != "Open":
            raise self.wrong_state("Open")
        if self._data is None:
            raise bad_request("INVALIDJOBSTATE", "the job has no data: PUT its content first")
        if not self.org.limits.batches.remaining:
            raise bad_request("EXCEEDEDQUOTA", "ApiBatchItems Limit exceeded.")
        now = self.org.clock.now()
        self.move_to("UploadComplete", now)
        self.org.holding.start(origin, now, lambda at: self._put(origin, at))

    def echo(self) -> Echo:
        """Return the uploaded rows as results show them: without columns that are not spelt exactly. §13.2 [docs]"""
        kind, tables = self.org.object_type(self.object_name), self.org.tables
        return Echo(self._body(), self.dialect, is_echoed=lambda name: is_spelt_exactly(name, kind, tables))

    def upload_echo(self) -> Echo:
        """Return the uploaded rows with all their columns, as unprocessed records show them. [assumed]"""
        return Echo(self._body(), self.dialect)

    def outcomes(self, echo: Echo) -> Iterator[tuple[list[str], list[RowResult]]]:
        """Yield the rows of every internal batch with the results of its processed rows, which are the first ones."""
        pieces = echo.pieces(self.org.settings.internal_batch_rows)
        for number, rows in enumerate(pieces):
            yield rows, unpack_results(self._results[number]) if number < len(self._results) else []

    def info(self) -> dict[str, Any]:
        """Return the members of GET. Processed includes failed. §4.1 [docs]"""
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

    def _put(self, origin: Origin, at: float) -> None:
        phases = self.org.phases(origin)
        self.org.schedule.add(at + phases.queued_s, lambda due: self._begin(origin, due, phases.in_progress_s))

    def _body(self) -> bytes:
        return zlib.decompress(self._data) if self._data else b""

    def _begin(self, origin: Origin, at: float, in_progress_s: float) -> None:
        if self.state != "UploadComplete":
            return
        self.move_to("InProgress", at)
        self._began_at = at
        body = self._body()
        settings = self.org.settings
        rows = body.count(b"\n") - body.endswith(b"\n")
        in_progress_s += max(0, rows - settings.rows_at_once) * settings.row_s
        try:
            self.dialect.check_line_ending(body)
            data = CsvRows(body, delimiter=DELIMITERS[self.dialect.delimiter])
        except BatchRefused as refusal:
            self._fail(refusal.state_message, at)
            return
        load = _Load(origin, data.columns, data.pieces(settings.internal_batch_rows))
        batches = max(1, math.ceil(rows / settings.internal_batch_rows))
        for number in range(1, batches):
            self.org.schedule.add(at + number * in_progress_s / batches, lambda due: self._write_next(load, due))
        self.processing_ms = round(in_progress_s * 1000)
        self.org.schedule.add(at + in_progress_s, lambda due: self._complete(load, due))

    def _write_next(self, load: "_Load", at: float) -> bool:
        """Write one internal batch; return false when there is none, or none may be written any more.

        A failed batch fails the job; earlier batches stay written. §4.1 [docs]
        """
        if self.state != "InProgress":
            return False
        try:
            rows = next(load.pieces, None)
            if rows is not None:
                self._write_piece(load, rows, at)
        except BatchRefused as refusal:
            self._fail(refusal.state_message, at)
            return False
        return rows is not None

    def _complete(self, load: "_Load", at: float) -> None:
        """Write the rest: the last batch, and any that the count of lines did not show."""
        while self._write_next(load, at):
            pass
        if self.state == "InProgress":
            self.error_message = self.org.end_message(load.origin)
            self.move_to("JobComplete", at)

    def _write_piece(self, load: "_Load", rows: list[Row], at: float) -> None:
        if not (self.org.limits.batches.take() and self.org.limits.records.take(len(rows))):
            raise BatchRefused("ExceededQuota", "ApiBatchItems Limit exceeded.")
        fault = self.org.batch_failure(load.origin)
        lost = next(self.org.faults.acting((MissingFileRows,), load.origin.method, load.origin.path), None)
        shown = len(rows) if lost is None else max(0, len(rows) - lost.rows)
        if lost is not None and not lost.written:
            rows = rows[:shown]
        results = self.org.write(
            self.operation,
            self.object_name,
            load.columns,
            rows if fault is None else rows[: fault.rows_written],
            origin=load.origin,
            external_id=self.external_id_field,
            at=at,
            since=self._began_at,
        )
        self._began_at = at
        self._results.append(pack_results(results[:shown]))
        self.processed += len(results)
        self.failed += sum(not result.success for result in results)
        if fault is not None:
            raise BatchRefused(fault.code, fault.message)

    def _fail(self, message: str, at: float) -> None:
        self.error_message = message
        self.move_to("Failed", at)


class _Load(NamedTuple):
    """Data of a started job: the request that started it, the header, and the pieces not yet written."""

    origin: Origin
    columns: Sequence[str]
    pieces: Iterator[list[Row]]
