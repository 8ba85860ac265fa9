"""The calls of Bulk API 2.0. §4.1

No record changes before a job is set to ``UploadComplete``: whatever comes before that may be sent again. [docs]
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import httpx
import msgspec

from sluice.destinations.contract import Ambiguous, PreSendCheck, Refused, Unavailable
from sluice.destinations.salesforce.calls import CSV, Calls
from sluice.destinations.salesforce.errors import not_made
from sluice.destinations.salesforce.job_list import ListedJob
from sluice.destinations.salesforce.job_targets import Target
from sluice.destinations.salesforce.result_files import ResultFile

MAX_RESULT_BYTES = 2**30
"""Bytes of one result file: 100,000,000 that were sent, each value quoted, and an error a row. [assumed]"""
UNKNOWN = ("NOT_FOUND", "InvalidJob")
"""Codes of a job that the vendor does not know. §4.3 [docs]"""
OTHER_STATE = ("InvalidJobState",)
"""Code of a step that the state of a job does not allow. §4.3 [docs]"""


class IngestJob(ListedJob, frozen=True, rename="camel", kw_only=True):
    """A job that is asked about alone. Failed records are processed ones, too. §4.1 [assumed]"""

    state: str
    object: str
    operation: str
    number_records_processed: int = 0
    number_records_failed: int = 0
    error_message: str | None = None


class Bulk2Calls:
    """The calls of one org. Each raises what :class:`Calls` does, and ``Unavailable`` for what cannot be read."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._jobs = f"{calls.data}/jobs/ingest"

    async def create_job(self, target: Target, assignment_rule_id: str, check: PreSendCheck | None) -> str:
        """Make a job and return its id. One whose answer is lost stays open and empty. §8"""
        order = {
            "object": target.object,
            "operation": target.operation,
            "externalIdFieldName": target.external_id,
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
            "assignmentRuleId": assignment_rule_id,
        }
        body = msgspec.json.encode({name: value for name, value in order.items() if value})
        try:
            return _read(await self._calls.write("POST", self._jobs, body, effect="nothing", check=check)).id
        except Refused as error:
            raise not_made(error) from error

    async def put(self, job: str, body: bytes, check: PreSendCheck) -> None:
        """Give ``job`` its rows. A job takes one PUT, so after a failed one another job is needed. §4.1 [issue]"""
        path = f"{self._jobs}/{job}/batches"
        await self._calls.write("PUT", path, body, CSV, effect="nothing", check=check)

    async def start(self, job: str, check: PreSendCheck) -> None:
        """Let ``job`` run. Raises ``Ambiguous`` unless it is known not to."""
        body = b'{"state":"UploadComplete"}'
        response = await self._calls.write("PATCH", f"{self._jobs}/{job}", body, effect="once", check=check)
        try:
            _read(response)
        except Unavailable as error:
            # A success without a job may be anybody's.
            raise Ambiguous(str(error)) from error

    async def abort(self, job: str) -> None:
        """Have ``job`` run no further. What is written stays. §4.1 [docs]"""
        body = b'{"state":"Aborted"}'
        await self._calls.write("PATCH", f"{self._jobs}/{job}", body, effect="nothing")

    async def job(self, job: str) -> IngestJob:
        """Return ``job``."""
        return _read(await self._calls.get(f"{self._jobs}/{job}"))

    def results(self, job: str, file: ResultFile) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a result file of ``job``, whose order is not that of its rows. §4.1 [docs]"""
        return self._calls.stream(f"{self._jobs}/{job}/{file}/", max_bytes=MAX_RESULT_BYTES)


def _read(response: httpx.Response) -> IngestJob:
    try:
        return _decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        place = response.request.url.path
        raise Unavailable("no-answer", f"{place} answered what cannot be read: {error}") from error


_decode = msgspec.json.Decoder(IngestJob).decode
