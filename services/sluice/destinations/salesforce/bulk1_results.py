"""Results of a batch of Bulk API 1.0, joined with its records by position alone. §3.7

A list that is one row short does not say which row it lacks, so it is taken whole or not at all. §13, row 5
"""

from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import cast

from sluice.destinations.contract import Refused, Unavailable
from sluice.destinations.salesforce.batch_failures import failure_of
from sluice.destinations.salesforce.bulk1_calls import UNKNOWN, Bulk1Calls
from sluice.destinations.salesforce.errors import is_code
from sluice.destinations.salesforce.row_formats import ContentType
from sluice.destinations.salesforce.row_results import row_outcomes
from sluice.destinations.vendor_jobs import Over, Refs, ResultsGone, ResultsIncomplete
from sluice.events import Operation
from sluice.flow.outcome import Outcome

MAX_OPERATIONS = 1000
"""Jobs whose operation is remembered. That of another costs a call."""


class Bulk1Results:
    """Reader of results."""

    def __init__(self, bulk1: Bulk1Calls, content_type: ContentType) -> None:
        self._bulk1 = bulk1
        self._content_type = content_type
        self._operations: OrderedDict[str, Operation] = OrderedDict()

    def learn(self, job: str, operation: Operation) -> None:
        """Note the ``operation`` of ``job``, which a row's error is read by."""
        self._operations[job] = operation
        if len(self._operations) > MAX_OPERATIONS:
            self._operations.popitem(last=False)

    async def collect(self, refs: Refs, over: Over, items: int) -> AsyncIterator[tuple[int, Outcome | None]]:
        """Yield the outcome of each row; ``None`` for one that was not gone through.

        Raises ``Refused``, ``Unavailable``, ``ResultsIncomplete``, ``ResultsGone``.
        """
        for row, outcome in enumerate(await self._outcomes(refs, over, items)):
            yield row, outcome

    async def _outcomes(self, refs: Refs, over: Over, items: int) -> list[Outcome] | list[None]:
        if over.word == "NotProcessed":
            return [None] * items
        if over.word == "Failed" and over.processed == 0:
            failure = failure_of(over)
            if isinstance(failure, Refused):
                raise failure
            return [failure] * items
        return await self._read(refs, items)

    async def _read(self, refs: Refs, items: int) -> list[Outcome]:
        try:
            operation = await self._operation(refs["job"])
            async with self._bulk1.results(refs["job"], refs["batch"]) as pieces:
                return await row_outcomes(self._content_type, pieces, operation, items)
        except Refused as error:
            # A batch that is over and has no results yet: they lag its state. §3.7 [assumed], §13 row 5
            if is_code(error, "InvalidBatch"):
                raise ResultsIncomplete(str(error)) from error
            if is_code(error, *UNKNOWN):
                raise ResultsGone(str(error)) from error
            raise Unavailable("no-answer", f"cannot read results: {error}") from error

    async def _operation(self, job: str) -> Operation:
        if job not in self._operations:
            self.learn(job, cast(Operation, (await self._bulk1.job(job)).operation))
        return self._operations[job]
