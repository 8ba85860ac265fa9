"""Results of the rows of a batch in Bulk API 1.0: one a row, in the order of the request. §3.7

With one row too few or too many no position can be trusted, §13 row 5: no result is given out before all are there.
"""

from collections.abc import AsyncIterator, Sequence

import msgspec

from sluice.destinations.salesforce.csv_answers import read_csv
from sluice.destinations.salesforce.row_errors import RowError, failure, read_error, success
from sluice.destinations.salesforce.row_formats import ContentType
from sluice.destinations.salesforce.xml_results import read_xml_results
from sluice.destinations.vendor_jobs import ResultsIncomplete
from sluice.events import Operation
from sluice.flow.outcome import Outcome

HEADER = ("id", "success", "created", "error")
MAX_JSON_BYTES = 64 * 2**20
"""10,000 results of 6 kB each. [assumed]"""


async def row_outcomes(
    content_type: ContentType, pieces: AsyncIterator[bytes], operation: Operation, items: int
) -> list[Outcome]:
    """Return the outcome of each of ``items`` rows, by position.

    Raises :class:`~sluice.destinations.vendor_jobs.ResultsIncomplete` where the answer has not one for each.
    """
    read = {"CSV": _read_csv, "JSON": _read_json, "XML": _read_xml}[content_type]
    outcomes = [outcome async for outcome in read(pieces, operation)]
    if len(outcomes) != items:
        raise ResultsIncomplete(f"expected results for {items} rows, got {len(outcomes)}; no position can be trusted")
    return outcomes


async def _read_csv(pieces: AsyncIterator[bytes], operation: Operation) -> AsyncIterator[Outcome]:
    places: list[int] | None = None
    async for row in read_csv(pieces):
        if places is None:
            names = [name.strip().casefold() for name in row]
            if any(name not in names for name in HEADER):
                raise ResultsIncomplete(f"expected the columns Id, Success, Created and Error, got {row}")
            places = [names.index(name) for name in HEADER]
        elif len(row) <= max(places):
            raise ResultsIncomplete(f"expected a row with {len(places)} cells, got {len(row)}")
        else:
            record_id, succeeded, created, error = [row[place] for place in places]
            if succeeded.casefold() == "true":
                yield success(record_id or None, created=created.casefold() == "true")
            else:
                yield failure(operation, read_error(error), record_id or None)


class _Error(msgspec.Struct):
    statusCode: str | None = None  # noqa: N815  # the wire's name
    message: str | None = None
    fields: Sequence[str] | None = None


class _Result(msgspec.Struct):
    success: bool = False
    created: bool = False
    id: str | None = None
    errors: Sequence[_Error] | None = None


async def _read_json(pieces: AsyncIterator[bytes], operation: Operation) -> AsyncIterator[Outcome]:
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > MAX_JSON_BYTES:
            raise ResultsIncomplete(f"expected results of at most {MAX_JSON_BYTES} bytes")
    try:
        results = _decode(bytes(body)) if body.strip() else []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ResultsIncomplete(f"expected results as JSON: {error}") from error
    for result in results:
        if result.success:
            yield success(result.id, created=result.created)
        else:
            errors = [
                RowError(one.statusCode or "", one.message or "", one.fields or ()) for one in result.errors or ()
            ]
            yield failure(operation, errors[0] if errors else None, result.id)


def _first(errors: Sequence[_Error]) -> RowError | None:
    if not errors:
        return None
    return RowError(errors[0].statusCode or "", errors[0].message or "", errors[0].fields or ())


_decode = msgspec.json.Decoder(list[_Result]).decode


async def _read_xml(pieces: AsyncIterator[bytes], operation: Operation) -> AsyncIterator[Outcome]:
    async for result in read_xml_results(pieces):
        if result.success:
            yield success(result.record_id, created=result.created)
        else:
            yield failure(operation, result.error, result.record_id)
