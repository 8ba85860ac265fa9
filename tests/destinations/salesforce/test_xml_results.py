"""XML results: the first error of a row counts, and a long one has an end."""

import pytest

from sluice.destinations.salesforce.row_errors import RowError
from sluice.destinations.salesforce.xml_results import MAX_TEXT_CHARACTERS, read_xml_results
from sluice.destinations.vendor_jobs import ResultsIncomplete
from tests.destinations.salesforce.pieces import pieces_of


async def test_first_of_several_errors_counts() -> None:
    errors = b"".join(
        b"<errors><fields>%s</fields><fields>B</fields><message>m</message><statusCode>%s</statusCode></errors>" % names
        for names in ((b"A", b"FIRST"), (b"C", b"SECOND"))
    )
    body = b"<d:results xmlns:d='x'><d:result>%s<id/><success>false</success></d:result></d:results>" % errors
    (result,) = [result async for result in read_xml_results(pieces_of(body, 5))]
    assert result.error == RowError("FIRST", "m", ("A", "B"))
    assert (result.record_id, result.success) == (None, False)


async def test_element_without_end_is_refused() -> None:
    body = b"<results><result><id>" + b"x" * (MAX_TEXT_CHARACTERS + 100_000)
    with pytest.raises(ResultsIncomplete, match="at most"):
        [result async for result in read_xml_results(pieces_of(body, 65_536))]
