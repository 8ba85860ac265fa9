"""Results of a batch of Bulk API 1.0, joined with its records by position alone. §3.7

A list that is one row short does not say which row it lacks. So no outcome leaves before all have been counted. §13,
row 5
"""

from collections.abc import AsyncIterator, Callable

from sluice.destinations.contract import Refused, Unavailable
from sluice.destinations.salesforce.batch_failures import failure_of
from sluice.destinations.salesforce.bulk1_calls import UNKNOWN, Bulk1Calls
from sluice.destinations.salesforce.errors import is_code
from sluice.destinations.vendor_jobs import Over, Refs, ResultsGone, ResultsIncomplete
from sluice.flow.outcome import Outcome

ReadRows = Callable[[AsyncIterator[bytes]], AsyncIterator[Outcome]]
"""Reads the rows of a result as outcomes, in their order. Raises ``ResultsIncomplete`` for what cannot be read."""


class Bulk1Results:
    """Reader of results."""

    def __init__(self, bulk1: Bulk1Calls, read_rows: ReadRows) -> None:
        self._bulk1 = bulk1
        self._read_rows = read_rows

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
        outcomes = await self._read(refs, items)
        if len(outcomes) != items:
            raise ResultsIncomplete(f"expected the results of {items} records, got those of {len(outcomes)}")
        return outcomes

    async def _read(self, refs: Refs, items: int) -> list[Outcome]:
        outcomes: list[Outcome] = []
        try:
            async with self._bulk1.results(refs["job"], refs["batch"]) as pieces:
                async for outcome in self._read_rows(pieces):
                    outcomes.append(outcome)
                    if len(outcomes) > items:
                        break
        except Refused as error:
            # A batch that is over and has no results yet: they lag its state. §3.7 [assumed], §13 row 5
            if is_code(error, "InvalidBatch"):
                raise ResultsIncomplete(str(error)) from error
            if is_code(error, *UNKNOWN):
                raise ResultsGone(str(error)) from error
            raise Unavailable("no-answer", f"cannot read results: {error}") from error
        return outcomes
