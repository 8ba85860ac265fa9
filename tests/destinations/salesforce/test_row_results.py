"""Results by position: one a row, or none at all."""

import pytest

from sluice.destinations.salesforce.row_formats import ContentType
from sluice.destinations.salesforce.row_results import row_outcomes
from sluice.destinations.vendor_jobs import ResultsIncomplete
from sluice.flow.outcome import Fate, Outcome
from tests.destinations.salesforce.pieces import pieces_of

CSV = (
    b'"Id","Success","Created","Error"\n"003A","true","true",""\n'
    b'"","false","false","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"\n'
    b'"003B","true","false",""\n'
)
JSON = (
    b'[{"success":true,"created":true,"id":"003A","errors":[]},'
    b'{"success":false,"created":false,"id":null,"errors":[{"message":"Required fields are missing: [LastName]",'
    b'"fields":["LastName"],"statusCode":"REQUIRED_FIELD_MISSING","extendedErrorDetails":null}]},'
    b'{"success":true,"created":false,"id":"003B","errors":[]}]'
)
XML = (
    b'<?xml version="1.0" encoding="UTF-8"?><results xmlns="http://www.force.com/2009/06/asyncapi/dataload">'
    b"<result><id>003A</id><success>true</success><created>true</created></result>"
    b"<result><errors><fields>LastName</fields><message>Required fields are missing: [LastName]</message>"
    b'<statusCode>REQUIRED_FIELD_MISSING</statusCode></errors><id xsi:nil="true"/><success>false</success>'
    b"<created>false</created></result>"
    b"<result><id>003B</id><success>true</success><created>false</created></result></results>"
)
OUTCOMES = [
    Outcome(Fate.DELIVERED, "Created", record_id="003A"),
    Outcome(
        Fate.REJECTED,
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [LastName] (fields: LastName)",
        http_status=200,
    ),
    Outcome(Fate.DELIVERED, "Success", record_id="003B"),
]
BODIES: dict[ContentType, bytes] = {"CSV": CSV, "JSON": JSON, "XML": XML}


@pytest.mark.parametrize("content_type", BODIES)
@pytest.mark.parametrize("size", [1, 50, 10_000])
async def test_each_row_has_its_outcome_in_any_form(content_type: ContentType, size: int) -> None:
    assert await row_outcomes(content_type, pieces_of(BODIES[content_type], size), "upsert", 3) == OUTCOMES


@pytest.mark.parametrize("content_type", BODIES)
@pytest.mark.parametrize("items", [2, 4], ids=["a row too many", "a row too few"])
async def test_no_position_is_trusted_with_another_number_of_rows(content_type: ContentType, items: int) -> None:
    with pytest.raises(ResultsIncomplete, match=f"for {items} rows, got 3"):
        await row_outcomes(content_type, pieces_of(BODIES[content_type], 64), "upsert", items)


@pytest.mark.parametrize("content_type", BODIES)
async def test_nothing_is_read_as_no_rows(content_type: ContentType) -> None:
    with pytest.raises(ResultsIncomplete, match="got 0"):
        await row_outcomes(content_type, pieces_of(b"", 1), "upsert", 1)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("CSV", CSV[:-5], id="CSV cut off"),
        pytest.param("CSV", b"Id,Success\n1,true\n", id="CSV with other columns"),
        pytest.param("CSV", CSV.replace(b'"003B","true","false",""', b'"003B"'), id="CSV with a short row"),
        pytest.param("JSON", JSON[:-3], id="JSON cut off"),
        pytest.param("JSON", b'{"exceptionCode": "InvalidBatch"}', id="JSON that is an error"),
        pytest.param("XML", XML[:-3], id="XML cut off"),
        pytest.param("XML", b"<!DOCTYPE r [<!ENTITY a 'b'>]><results>&a;</results>", id="XML with entities"),
    ],
)
async def test_answer_that_cannot_be_read_is_worth_a_new_question(content_type: ContentType, body: bytes) -> None:
    with pytest.raises(ResultsIncomplete):
        await row_outcomes(content_type, pieces_of(body, 64), "upsert", 3)
