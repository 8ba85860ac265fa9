"""Row results in CSV, JSON and XML. Ids name rows of salesforce_bulk.md §3.7."""

import json
import re

import pytest

from tests.sandbox.salesforce.bulk1.client import JSON, NAMESPACE, XML, XSI, Bulk1, rows

MISSING = "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"


async def test_results_stand_in_the_order_of_the_rows(org: Bulk1) -> None:
    names = ["Berg", "", "Lind", "", "Nord"]
    found = rows(await org.load("insert", "LastName,FirstName", *(f"{name},x" for name in names)))
    assert [row[1] for row in found] == ["true", "false", "true", "false", "true"]


@pytest.mark.parametrize(
    ("result", "error"),
    [
        pytest.param(1, MISSING, id="§3.7 with fields"),
        pytest.param(2, "ENTITY_IS_DELETED:entity is deleted:--", id="§3.7 without fields it ends :--"),
        pytest.param(0, "", id="§3.7 a success has none"),
    ],
)
async def test_the_text_of_an_error(org: Bulk1, result: int, error: str) -> None:
    [gone] = rows(await org.load("insert", "LastName", "Gone"))
    await org.load("delete", "Id", gone[0])
    lines = ("Id,LastName", ",Berg", ",", f"{gone[0]},Lind")
    found = rows(await org.load("upsert", *lines, external_id="Id"))
    assert found[result][3] == error


async def test_a_quote_in_an_error_is_doubled(org: Bulk1) -> None:
    text = await org.load("insert", "LastName,Email", 'Berg,"a""b"')
    assert re.search(r':Email --"$', text.strip())
    assert '""' in text.splitlines()[1].removeprefix('""')
    assert 'a"b' in rows(text)[0][3]


async def test_row_results_in_json(org: Bulk1) -> None:
    job = await org.create(content_type="JSON")
    batch = await org.add(job, '[{"LastName": "Berg"}, {"FirstName": "A"}]', JSON)
    answer = await org.http.get(f"/job/{job}/batch/{batch}/result")
    message = "Required fields are missing: [LastName]"
    missing = {
        "message": message,
        "fields": ["LastName"],
        "statusCode": "REQUIRED_FIELD_MISSING",
        "extendedErrorDetails": None,
    }
    assert answer.headers["content-type"] == JSON
    assert answer.text == json.dumps(
        [
            {"success": True, "created": True, "id": "003X00000000001IAA", "errors": []},
            {"success": False, "created": False, "id": None, "errors": [missing]},
        ]
    )


async def test_row_results_in_xml(org: Bulk1) -> None:
    job = await org.create(content_type="XML")
    records = "<sObject><LastName>Berg</LastName></sObject><sObject><FirstName>A</FirstName></sObject>"
    batch = await org.add(job, f'<sObjects xmlns="{NAMESPACE}">{records}</sObjects>', XML)
    answer = await org.http.get(f"/job/{job}/batch/{batch}/result")
    assert answer.headers["content-type"] == XML
    assert answer.text == (
        f'<?xml version="1.0" encoding="UTF-8"?><results xmlns="{NAMESPACE}" xmlns:xsi="{XSI}">'
        "<result><id>003X00000000001IAA</id><success>true</success><created>true</created></result>"
        "<result><errors><fields>LastName</fields><message>Required fields are missing: [LastName]</message>"
        "<statusCode>REQUIRED_FIELD_MISSING</statusCode></errors>"
        '<id xsi:nil="true"/><success>false</success><created>false</created></result></results>'
    )
