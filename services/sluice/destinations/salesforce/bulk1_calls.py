"""The calls of Bulk API 1.0. §3.2

To make, close or abort a job changes no record: such a call may be sent again. A batch is at work as soon as it has
arrived, before its job is closed. §1 [docs]
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from typing import NamedTuple, TypeVar
from xml.sax.saxutils import escape

import httpx

from sluice.destinations.contract import Ambiguous, PreSendCheck, Refused, Unavailable
from sluice.destinations.salesforce.bulk1_answers import (
    BatchInfo,
    JobInfo,
    read_batch,
    read_batches,
    read_job,
)
from sluice.destinations.salesforce.calls import XML, Calls
from sluice.destinations.salesforce.errors import not_made
from sluice.destinations.salesforce.request_bodies import MEDIA_TYPES
from sluice.destinations.salesforce.row_formats import ContentType

MAX_RESULT_BYTES = 64 * 2**20
"""Bytes of the results of one batch: 10,000 rows with some kilobytes of errors each. [assumed]"""
MAX_REQUEST_BYTES = 16 * 2**20
"""Bytes of one batch, which has 10,000,000 at most. §7 [docs]"""
UNKNOWN = ("InvalidJob", "InvalidBatch", "NOT_FOUND")
"""Codes of a job or batch that the vendor does not know. §3.11, §4.3 [docs]"""
_NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
_Info = TypeVar("_Info")


class JobOrder(NamedTuple):
    """A job that is to be made. The fields stand in the order in which they are sent. §3.3"""

    operation: str
    object: str
    external_id_field_name: str = ""
    concurrency_mode: str = "Parallel"
    assignment_rule_id: str = ""
    content_type: ContentType = "CSV"


class Bulk1Calls:
    """The calls of one org. Each raises what :class:`Calls` does, and ``Unavailable`` for what cannot be read."""

    def __init__(self, calls: Calls, content_type: ContentType) -> None:
        self._calls = calls
        self._media_type = MEDIA_TYPES[content_type]

    async def create_job(self, order: JobOrder, check: PreSendCheck | None) -> str:
        """Make a job and return its id. One whose answer is lost stays open and empty. §8"""
        fields = "".join(
            f"<{name}>{escape(value)}</{name}>" for name, value in zip(_ORDER_NAMES, order, strict=True) if value
        )
        try:
            response = await self._control("job", fields, check)
        except Refused as error:
            raise not_made(error) from error
        return _read(response, read_job).id

    async def close_job(self, job: str) -> JobInfo:
        """Have ``job`` take no more batches; those that it has run on. May be repeated. §3.4 [assumed]"""
        return _read(await self._control(f"job/{job}", "<state>Closed</state>"), read_job)

    async def abort_job(self, job: str) -> JobInfo:
        """Have the batches of ``job`` that wait not be processed. Nothing is rolled back. §3.4 [docs]"""
        return _read(await self._control(f"job/{job}", "<state>Aborted</state>"), read_job)

    async def job(self, job: str) -> JobInfo:
        """Return ``job``."""
        return _read(await self._calls.get(self._path(f"job/{job}")), read_job)

    async def add_batch(self, job: str, body: bytes, check: PreSendCheck) -> str:
        """Hand ``body`` over and return the id of its batch. Raises ``Ambiguous`` unless it is known not to run."""
        path = self._path(f"job/{job}/batch")
        response = await self._calls.write(
            "POST", path, body, self._media_type, effect="once", check=check, accept=_ANY
        )
        try:
            return read_batch(response).id
        except ValueError as error:
            raise Ambiguous(f"the batch was taken, but its name cannot be read: {error}") from error

    async def batches(self, job: str) -> list[BatchInfo]:
        """Return all batches of ``job``. §3.6"""
        return _read(await self._calls.get(self._path(f"job/{job}/batch"), accept=_ANY), read_batches)

    async def batch(self, job: str, batch: str) -> BatchInfo:
        """Return ``batch`` of ``job``."""
        return _read(await self._calls.get(self._path(f"job/{job}/batch/{batch}"), accept=_ANY), read_batch)

    async def request_digest(self, job: str, batch: str) -> str:
        """Return the digest of what was sent as ``batch``, as ``uploads.digest`` makes it. §3.6"""
        path = self._path(f"job/{job}/batch/{batch}/request")
        total = sha256()
        async with self._calls.stream(path, max_bytes=MAX_REQUEST_BYTES, accept=_ANY) as pieces:
            async for piece in pieces:
                total.update(piece)
        return total.hexdigest()

    def results(self, job: str, batch: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open the results of ``batch``: a row per row that was sent, in the same order. §3.7 [docs]"""
        path = self._path(f"job/{job}/batch/{batch}/result")
        return self._calls.stream(path, max_bytes=MAX_RESULT_BYTES, accept=_ANY)

    async def _control(self, path: str, fields: str, check: PreSendCheck | None = None) -> httpx.Response:
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<jobInfo xmlns="{_NAMESPACE}">{fields}</jobInfo>'.encode()
        return await self._calls.write("POST", self._path(path), body, XML, effect="nothing", check=check, accept=_ANY)

    def _path(self, path: str) -> str:
        return f"{self._calls.bulk1}/{path}"


_ANY = "*/*"
"""The answer's format follows that of the job, whatever is asked for. §3.1 [docs]"""
_ORDER_NAMES = ("operation", "object", "externalIdFieldName", "concurrencyMode", "assignmentRuleId", "contentType")


def _read(response: httpx.Response, read: Callable[[httpx.Response], _Info]) -> _Info:
    try:
        return read(response)
    except ValueError as error:
        place = response.request.url.path
        raise Unavailable("no-answer", f"{place} answered what cannot be read: {error}") from error
