"""Result files of a job in Bulk API 2.0. §4.1, §13 rows 1 to 5

Their order is not that of the upload, and what they repeat may have another form: a row is known by its key alone.
"""

from collections.abc import AsyncIterator, Callable
from typing import Literal, NamedTuple

from sluice.destinations.salesforce.csv_answers import read_csv
from sluice.destinations.salesforce.job_targets import Target
from sluice.destinations.salesforce.record_keys import ID, match_name
from sluice.destinations.salesforce.row_errors import failure, read_error, success
from sluice.destinations.vendor_jobs import Over, ResultsIncomplete
from sluice.flow.outcome import Outcome

ResultFile = Literal["successfulResults", "failedResults", "unprocessedrecords"]
OpenFile = Callable[[ResultFile], AsyncIterator[bytes]]
"""Streams a result file of one job; one that is empty, or is answered with 204, has no pieces."""


class NoKeyColumn(Exception):
    """A result file without the column by which its rows are known: what became of any of them cannot be told."""


async def read_result_files(
    open_file: OpenFile, target: Target, key_field: str, over: Over, items: int
) -> AsyncIterator[tuple[object, Outcome | None]]:
    """Yield the identity of each row in the result files, and its outcome; ``None`` for one that was not processed.

    ``key_field`` is the column by which rows are known. Raises :class:`NoKeyColumn`, and, after all that is there,
    :class:`~sluice.destinations.vendor_jobs.ResultsIncomplete` where the files have fewer rows than the job counts.
    """
    counts = dict.fromkeys(_FILES, 0)
    for file in _FILES:
        # Each file costs a call, and most jobs have rows in one of them alone.
        if sum(counts.values()) >= items or (file == "unprocessedrecords" and over.processed >= items):
            continue
        async for row in _read_rows(open_file(file), key_field):
            counts[file] += 1
            if row.key.strip():
                yield _identity(target, key_field, row.key), _outcome(file, target, row)
    succeeded, failed = counts["successfulResults"], counts["failedResults"]
    # A file with nothing in it is believed only where the job says the same. §13 row 4
    if failed < over.failed or succeeded < over.processed - over.failed:
        raise ResultsIncomplete(
            f"expected {over.processed - over.failed} successes and {over.failed} failures, as the job says, got "
            f"{succeeded} and {failed}"
        )


_FILES: tuple[ResultFile, ...] = ("successfulResults", "failedResults", "unprocessedrecords")


class _Row(NamedTuple):
    """A row as far as it is read: its key, and what is Salesforce's own. Empty for what is not there."""

    key: str
    record_id: str
    created: str
    error: str


_OWN = ("sf__id", "sf__created", "sf__error")


async def _read_rows(pieces: AsyncIterator[bytes], key_field: str) -> AsyncIterator[_Row]:
    places: list[int] | None = None
    async for row in read_csv(pieces):
        if places is None:
            places = _places(row, key_field)
            continue
        # A column that is not there has the place -1, which is the empty cell at the end.
        if len(row) <= max(places):
            raise ResultsIncomplete(f"expected a row with more than {max(places)} cells, got {len(row)}")
        row.append("")
        read = _Row(row[places[0]], row[places[1]], row[places[2]], row[places[3]])
        yield read._replace(key=read.record_id) if key_field == ID and not read.key else read


def _places(header: list[str], key_field: str) -> list[int]:
    """Return the places of the key and of Salesforce's own columns; -1 for one that is not there."""
    names = [name.strip().casefold() for name in header]
    places = [names.index(name) if name in names else -1 for name in (key_field.casefold(), *_OWN)]
    if places[0] < 0 and (key_field != ID or places[1] < 0):
        raise NoKeyColumn(
            f"expected the column {key_field} in a result of Salesforce, got {', '.join(header[:10])}; spell it as the "
            "field's API name: Salesforce repeats no other spelling"
        )
    return places


def _identity(target: Target, key_field: str, key: str) -> object:
    """Return the identity that ``Records.encode`` gave the item with ``key``."""
    if target.operation == "insert":
        return key.strip()
    return target.object.casefold(), match_name(key_field, key)


def _outcome(file: ResultFile, target: Target, row: _Row) -> Outcome | None:
    record_id = row.record_id or None
    match file:
        case "successfulResults":
            return success(record_id, created=row.created.casefold() == "true")
        case "failedResults":
            return failure(target.operation, read_error(row.error), record_id)
        case _:
            return None
