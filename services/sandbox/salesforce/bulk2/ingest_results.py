"""Successful, failed and unprocessed rows of an ingest job. salesforce_bulk.md §4.1.

    successfulResults   "sf__Id","sf__Created", then the uploaded columns
    failedResults       "sf__Id","sf__Error", then the uploaded columns
    unprocessedrecords  the uploaded columns only

Their order is not the order of the upload. [docs]
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain, islice

from sandbox.http.messages import Answer, BulkResponse, Request, Response, gzipped
from sandbox.salesforce.bulk2.coercion import coercion
from sandbox.salesforce.bulk2.dialect import CSV, DELIMITERS, Dialect
from sandbox.salesforce.bulk2.ingest_job import IngestJob
from sandbox.salesforce.faults import CoerceEcho, EmptyResults, ReformatNumbers
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import Caller
from sandbox.salesforce.results import RowResult

_ECHO_FAULTS: tuple[type[ReformatNumbers | CoerceEcho], ...] = (ReformatNumbers, CoerceEcho)
_FAILED_IDS_SINCE = 53
_LINES_PER_PIECE = 10_000


class IngestResults:
    """Results of jobs that are over, made in pieces while they are sent.

    A result is a line of the answer, without its end.
    """

    def __init__(self, org: Org) -> None:
        self._org = org

    def successful(self, request: Request, _: Caller, job: IngestJob) -> Answer:
        echo, to = job.echo(), DELIMITERS[job.dialect.delimiter]
        before, after = (f'{to}"', '"') if echo.columns else ("", "")
        blocks = (
            [
                f'"{result.id}"{to}"{"true" if result.created else "false"}"{before}{row}{after}'
                for row, result in zip(rows, results, strict=False)
                if result.success
            ]
            for rows, results in job.outcomes(echo)
        )
        return self._answer(request, job, ["sf__Id", "sf__Created", *echo.columns], blocks)

    def failed(self, request: Request, caller: Caller, job: IngestJob) -> Answer:
        """Return failed rows; ``sf__Id`` is filled from 53.0 where known. §4.1 [docs]"""
        has_ids = caller.version >= _FAILED_IDS_SINCE
        echo, to = job.echo(), DELIMITERS[job.dialect.delimiter]
        before, after = (f'{to}"', '"') if echo.columns else ("", "")
        blocks = (
            [
                f'"{result.id if has_ids else ""}"{to}"{_error(result)}"{before}{row}{after}'
                for row, result in zip(rows, results, strict=False)
                if not result.success
            ]
            for rows, results in (job.outcomes(echo) if job.failed else ())
        )
        return self._answer(request, job, ["sf__Id", "sf__Error", *echo.columns], blocks)

    def unprocessed(self, request: Request, _: Caller, job: IngestJob) -> Answer:
        """Return unprocessed rows; a complete job has none."""
        echo = job.upload_echo()
        outcomes = job.outcomes(echo) if job.state != "JobComplete" else ()
        blocks = ([f'"{row}"' for row in rows[len(results) :]] for rows, results in outcomes)
        return self._answer(request, job, echo.columns, blocks)

    def _answer(self, request: Request, job: IngestJob, header: list[str], blocks: Iterable[list[str]]) -> Answer:
        for empty in self._org.faults.acting((EmptyResults,), request.method, request.path, request.body):
            return Response(status=empty.status, content_type=CSV if empty.status == 200 else None)
        if self._org.settings.shuffle_results:
            blocks = map(_shuffle(f"{job.id}{header[:2]}"), blocks)
        lines: Iterable[str] = chain.from_iterable(blocks)
        for fault in self._org.faults.acting(_ECHO_FAULTS, request.method, request.path, request.body):
            if isinstance(fault, ReformatNumbers):
                lines = map(_reformat(DELIMITERS[job.dialect.delimiter]), lines)
            elif header[:1] == ["sf__Id"]:
                lines = map(coercion(header, job, self._org.object_type(job.object_name)), lines)

        def render(lines: Iterable[str]) -> Response:
            answer = Response(status=200, body=_pieces(job.dialect, header, lines), content_type=CSV)
            return gzipped(answer) if request.accepts_gzip else answer

        return BulkResponse(items=lines, render=render, without_identifier=_without_id(header))


def _pieces(dialect: Dialect, header: list[str], lines: Iterable[str]) -> Iterator[bytes]:
    left = iter(lines)
    yield dialect.write(header, ())
    while piece := list(islice(left, _LINES_PER_PIECE)):
        yield dialect.line_end.join([*piece, ""]).encode()


def _error(result: RowResult) -> str:
    """Return the error as it stands between quotes."""
    return result.errors[0].text().replace('"', '""')


def _shuffle(seed: str) -> Callable[[list[str]], list[str]]:
    """Shuffle blocks of one length all alike, because making an order costs more than following it."""

    @cache
    def order(length: int) -> list[int]:
        return random.Random(seed).sample(range(length), length)

    return lambda block: [block[place] for place in order(len(block))]


def _without_id(header: list[str]) -> Callable[[str], str]:
    """Return a function that empties ``sf__Id``, which unprocessed rows do not have."""
    return (lambda line: '""' + line[line.index('"', 1) + 1 :]) if header[:1] == ["sf__Id"] else str


def _reformat(delimiter: str) -> Callable[[str], str]:
    """Return a function that turns ``912260031`` into ``9.12260031E8``. §4.1 [client issue reports]"""
    to = re.escape(delimiter)
    long_number = re.compile(rf'(?:^|(?<={to}))"([1-9])(\d{{7,}})"(?={to}|\Z)', re.ASCII)

    def scientific(found: re.Match[str]) -> str:
        first, rest = found.groups()
        return f'"{first}.{rest.rstrip("0") or "0"}E{len(rest)}"'

    return lambda line: long_number.sub(scientific, line)
