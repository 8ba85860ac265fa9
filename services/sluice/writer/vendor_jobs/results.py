"""The results of a vendor job, joined with its records: each record gets its fate."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence

from sluice.destinations.contract import Rejection
from sluice.destinations.vendor_jobs import JobDestination, Over, ResultsIncomplete, Sent
from sluice.flow.batch import Item
from sluice.flow.outcome import Fate, Outcome
from sluice.writer.lanes.decoding import NOT_ENCODED
from sluice.writer.lanes.settlement import Fates
from sluice.writer.vendor_jobs.job_table import Job

Results = Mapping[object, Outcome | None]
"""Outcomes by the name of the item, as ``joins_by`` says; ``None``: the vendor has not touched it."""

ABORTED = "aborted"
ABORTED_AT_VENDOR = "aborted-at-vendor"
UNPROCESSED = "unprocessed"
NO_RESULT = "no-result"
_NOWHERE = Outcome(Fate.AMBIGUOUS, NO_RESULT, "the vendor has no result for it")


class SentItems:
    """Items as they were sent, read again when the kind asks for them, and how many they were."""

    def __init__(self, read: Sent) -> None:
        self._read = read
        self.count: int | None = None
        """Items that were read last; ``None``: nobody has asked for them."""

    async def __call__(self) -> AsyncGenerator[Item, None]:
        """Yield the items."""
        self.count = 0
        async for item in self._read():
            self.count += 1
            yield item


async def read_results(
    destination: JobDestination, job: Job, over: Over, sent: Sent, *, may_be_incomplete: bool
) -> Results:
    """Return the results of ``job`` for rows of this process, and for all where results have no row.

    Where the kind compares with what was ``sent``, those are all: other processes look at their own.

    Raises ``BatchError``, ``ResultsGone``, and ``ResultsIncomplete`` unless that ``may_be_incomplete``.
    """
    known = job.known
    wanted = _rows(job) if destination.joins_by == "row" else None
    results: dict[object, Outcome | None] = {}
    count = 0
    incomplete: ResultsIncomplete | None = None
    compared = SentItems(sent)
    try:
        async for name, outcome in destination.collect(known.refs, over, known.items, compared):
            count += 1
            if (wanted is None or name in wanted) and _tells_more(outcome, results.get(name)):
                results[name] = outcome
    except ResultsIncomplete as error:
        incomplete = error
    if wanted is None or compared.count is not None:
        count = len(results)  # a row that is told twice must not stand for one that is not told
    expected = known.items if compared.count is None else compared.count
    if count != expected:
        incomplete = incomplete or ResultsIncomplete(f"expected {expected} results, got {count}")
    if incomplete is None:
        return results
    if not may_be_incomplete:
        raise incomplete
    # Of another length than the batch they tell nothing about any row where its place is all that a result has.
    return {} if wanted is not None else results


def _tells_more(outcome: Outcome | None, told: Outcome | None) -> bool:
    """Return whether ``outcome`` counts more than what was ``told`` of the item: what was applied stays applied."""
    return told is None or (outcome is not None and told.fate is not Fate.DELIVERED)


def fates_of(
    items: Sequence[Item], results: Results, over: Over, destination: JobDestination, aborted_because: str | None
) -> Fates:
    """Return the fate of each of ``items``; ``aborted_because`` is the reason why a person of ours has aborted it."""
    untouched = _untouched(over, aborted_because)
    by_row = destination.joins_by == "row"
    fates: list[tuple[Item, Outcome]] = []
    for item in items:
        name: object = item.row if by_row else item.encoded.identity
        outcome = results.get(name, _NOWHERE)
        if outcome is None:
            outcome = untouched
        elif (
            outcome.fate is Fate.AMBIGUOUS
            and outcome.may_be_repeated
            and aborted_because is None
            and _is_replay_safe(item, destination)
        ):
            # It cannot be applied any more by now, so it may be sent again, unless a person does not want it to be.
            outcome = Outcome(Fate.RETRYABLE, outcome.code, outcome.message)
        fates.append((item, outcome))
    return fates


def _is_replay_safe(item: Item, destination: JobDestination) -> bool:
    if item.encoded is not NOT_ENCODED:
        return item.encoded.replay_safe
    try:
        return destination.encode(item.event, item.identifier).replay_safe
    except Rejection:
        return False


def unknown_fate(item: Item, code: str, message: str, *, uses_attempt: bool = True) -> Outcome:
    """Return what becomes of ``item`` when nobody can tell, and it cannot be applied any more by now."""
    fate = Fate.RETRYABLE if item.encoded.replay_safe else Fate.AMBIGUOUS
    return Outcome(fate, code, message, uses_attempt=uses_attempt)


def cancelled(aborted_because: str) -> Outcome:
    """Return what becomes of items that the vendor does not have, because a person has aborted their job."""
    return Outcome(Fate.CANCELLED, ABORTED, aborted_because)


def _untouched(over: Over, aborted_because: str | None) -> Outcome:
    if aborted_because is not None:
        return cancelled(aborted_because)
    if over.aborted:
        message = f"somebody has aborted the vendor's job: {over.word} {over.message}".rstrip()
        return Outcome(Fate.CANCELLED, ABORTED_AT_VENDOR, message)
    message = f"the vendor has not processed it: {over.word} {over.message}".rstrip()
    return Outcome(Fate.RETRYABLE, UNPROCESSED, message, uses_attempt=False)


def _rows(job: Job) -> Collection[object]:
    """Return the rows without a fate that belong to lanes of this process."""
    return {
        rows.row_of(offset)
        for _, part in job.parts
        for rows in part.rows.values()
        for run in rows.open.runs()
        for offset in run
    }
