"""One query job: its rows, kept packed once it has run. salesforce_bulk.md §4.2."""

import zlib
from itertools import chain, islice
from typing import Any

import msgspec

from sandbox.salesforce.bulk2.job import Job
from sandbox.salesforce.bulk2.requests import QueryRequest
from sandbox.salesforce.jobs import JobType
from sandbox.salesforce.org import Org
from sandbox.salesforce.origin import Origin
from sandbox.salesforce.query import QueryResult
from sandbox.salesforce.refusals import QueryRefused
from sandbox.salesforce.rest import bad_request
from sandbox.salesforce.values import as_text

_BLOCK_ROWS = 1000
Line = list[str]


class QueryJob(Job):
    """Query that reads when its ``InProgress`` ends. Its result does not change after that, so locators are stable."""

    job_type: JobType = "V2Query"

    def __init__(self, org: Org, origin: Origin, *, version: int, asked: QueryRequest) -> None:
        """Raise ``RestRefusal`` ``API_ERROR`` for refused SOQL. [assumed: at once, nothing says when]"""
        super().__init__(org, origin, version=version, dialect=asked.dialect)
        self.operation = asked.operation
        self._soql = asked.query
        try:
            self.object_name = org.check_query(asked.query)
        except QueryRefused as refusal:
            raise bad_request("API_ERROR", refusal.reason) from None
        self.columns: tuple[str, ...] = ()
        self._blocks: list[bytes] = []
        self.move_to("UploadComplete", self.created_at)
        org.holding.start(origin, self.created_at, lambda at: self._put(origin, at))

    @property
    def kept_bytes(self) -> int:
        return sum(map(len, self._blocks))

    def lines(self, start: int, count: int) -> list[Line]:
        """Return ``count`` rows from the ``start``-th on, as texts."""
        first, skipped = divmod(start, _BLOCK_ROWS)
        wanted = chain.from_iterable(map(_unpack_block, self._blocks[first:]))
        return list(islice(wanted, skipped, skipped + count))

    def info(self) -> dict[str, Any]:
        """Return the members of GET. §4.2 [docs]"""
        return {
            **self.listing(),
            "numberRecordsProcessed": self.processed,
            "retries": 0,
            "totalProcessingTime": self.processing_ms,
            "isPkChunkingSupported": True,
        }

    def _put(self, origin: Origin, at: float) -> None:
        phases = self.org.phases(origin)
        self.org.schedule.add(at + phases.queued_s, self._begin)
        self.org.schedule.add(at + phases.queued_s + phases.in_progress_s, self._run)

    def _begin(self, at: float) -> None:
        if self.state == "UploadComplete":
            self.move_to("InProgress", at)

    def _run(self, at: float) -> None:
        if self.state != "InProgress":
            return
        result = self.org.query(self._soql, with_deleted=self.operation == "queryAll")
        self.columns = result.fields
        self._blocks = _packed(result)
        self.processed = len(result.rows)
        self.move_to("JobComplete", at)


def _packed(result: QueryResult) -> list[bytes]:
    lines = ([as_text(value) for value in row] for row in result.rows)
    blocks = []
    while block := list(islice(lines, _BLOCK_ROWS)):
        blocks.append(zlib.compress(_pack(block), level=1))
    return blocks


def _unpack_block(block: bytes) -> list[Line]:
    return _unpack(zlib.decompress(block))


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[Line]).decode
