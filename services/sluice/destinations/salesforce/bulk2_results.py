"""Results of a job of Bulk API 2.0, joined with its records by their key alone. §4.1, §13 rows 1 to 5"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing

from sluice.destinations.contract import Refused, Unavailable
from sluice.destinations.salesforce.batch_failures import failure_of
from sluice.destinations.salesforce.bulk2_calls import OTHER_STATE, UNKNOWN, Bulk2Calls
from sluice.destinations.salesforce.bulk2_states import Bulk2States
from sluice.destinations.salesforce.csv_answers import read_csv
from sluice.destinations.salesforce.descriptions import Descriptions
from sluice.destinations.salesforce.errors import is_code
from sluice.destinations.salesforce.job_targets import Target
from sluice.destinations.salesforce.records import of_object
from sluice.destinations.salesforce.result_files import NoKeyColumn, ResultFile, read_result_files
from sluice.destinations.salesforce.settings import Bulk2Settings
from sluice.destinations.vendor_jobs import Over, ResultsGone, ResultsIncomplete
from sluice.flow.outcome import Outcome

log = logging.getLogger(__name__)


class Bulk2Results:
    """Reader of results."""

    def __init__(
        self, settings: Bulk2Settings, bulk2: Bulk2Calls, states: Bulk2States, descriptions: Descriptions
    ) -> None:
        self._identifier_fields = settings.identifier_fields
        self._bulk2 = bulk2
        self._states = states
        self._descriptions = descriptions
        self._told: set[str] = set()

    async def collect(self, job: str, over: Over, items: int) -> AsyncGenerator[tuple[object, Outcome | None], None]:
        """Yield the outcome of each record by its identity; ``None`` for one that was not gone through.

        Raises ``Refused`` for a job that failed because of one of its records, before the first; ``Unavailable``,
        ``ResultsIncomplete``, ``ResultsGone``.
        """
        target = await self._target(job)
        of_all: Outcome | None = None
        if over.word == "Failed" and over.processed == 0:
            failure = failure_of(over)
            if isinstance(failure, Refused):
                await self._see_that_nothing_was_written(job)
                # A new description tells which records have the field that is unknown by now. §13 row 15
                self._descriptions.forget(target.object)
                raise failure
            of_all = failure
        async with AsyncExitStack() as stack:

            def open_file(file: ResultFile) -> AsyncIterator[bytes]:
                pieces = self._pieces(job, file)
                stack.push_async_callback(pieces.aclose)
                return pieces

            try:
                async for identity, outcome in read_result_files(
                    open_file, target, self._key_field(target), over, items
                ):
                    yield identity, of_all if outcome is None else outcome
            except NoKeyColumn as error:
                self._tell(job, error)

    async def _see_that_nothing_was_written(self, job: str) -> None:
        """Raise ``ResultsIncomplete`` where a count of 0 lags: a job that failed may have written rows. §4.1 [docs]"""
        async with aclosing(self._pieces(job, "successfulResults")) as pieces:
            rows = 0
            async for _ in read_csv(pieces):
                rows += 1
        if rows > 1:  # the header
            raise ResultsIncomplete(f"expected no successes, as the job says, got {rows - 1}")

    def forget(self, job: str) -> None:
        """Forget ``job``, whose results are settled."""
        self._told.discard(job)

    async def _target(self, job: str) -> Target:
        try:
            return await self._states.target(job)
        except Refused as error:
            raise _error(error) from error

    def _key_field(self, target: Target) -> str:
        return target.key_field or of_object(self._identifier_fields, target.object)

    async def _pieces(self, job: str, file: ResultFile) -> AsyncGenerator[bytes, None]:
        try:
            async with self._bulk2.results(job, file) as pieces:
                async for piece in pieces:
                    yield piece
        except Refused as error:
            raise _error(error) from error

    def _tell(self, job: str, error: NoKeyColumn) -> None:
        """Log once that nothing can be told of any record of ``job``, however often its results are read."""
        if job not in self._told:
            self._told.add(job)
            fields = {"vendor_job": {"job": job}, "error": str(error)}
            log.error("results name no record: all of the job are ambiguous", extra=fields)


def _error(error: Refused) -> Exception:
    """Return what a refusal to tell results means."""
    if is_code(error, *UNKNOWN):
        # They are kept for seven days. §7 [docs], §13 row 17 [assumed]
        return ResultsGone(str(error))
    if is_code(error, *OTHER_STATE, "InvalidBatch"):
        # The job is over and has no results yet: they lag its state. §13 row 5
        return ResultsIncomplete(str(error))
    return Unavailable("no-answer", f"cannot read results: {error}")
