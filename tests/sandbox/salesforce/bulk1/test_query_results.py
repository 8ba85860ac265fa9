"""Queries and their results. Ids name rows of salesforce_bulk.md §3.8."""

import json
import re

import pytest

from sandbox.salesforce.bulk1.faults import SplitResult
from tests.sandbox.salesforce.bulk1.client import DATA_TYPES, NAMESPACE, XSI, Bulk1, rows
from tests.sandbox.salesforce.orgs import REFUSED_SOQL

XML_START = f'<?xml version="1.0" encoding="UTF-8"?><queryResult xmlns="{NAMESPACE}" xmlns:xsi="{XSI}">'


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        pytest.param("CSV", '"Id","FirstName"\n"003X00000000001IAA",""\n', id="§3.8 CSV: all values quoted"),
        pytest.param(
            "JSON",
            '[{"attributes": {"type": "Contact", "url": "/services/data/v59.0/sobjects/Contact/003X00000000001IAA"}, '
            '"Id": "003X00000000001IAA", "FirstName": null}]',
            id="§3.8 JSON: objects with attributes",
        ),
        pytest.param(
            "XML",
            f'{XML_START}<records xsi:type="sObject"><type>Contact</type><Id>003X00000000001IAA</Id>'
            '<Id>003X00000000001IAA</Id><FirstName xsi:nil="true"/></records></queryResult>',
            id="§3.8 XML: Id appears twice",
        ),
    ],
)
async def test_query_results(org: Bulk1, content_type: str, expected: str) -> None:
    await org.load("insert", "LastName", "Berg")
    assert await org.query("SELECT Id, FirstName FROM Contact", content_type) == expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        pytest.param("CSV", "Records not found for this query\n", id="§3.8 no rows, CSV"),
        pytest.param("JSON", "[]", id="§3.8 no rows, JSON"),
        pytest.param("XML", f"{XML_START}</queryResult>", id="§3.8 no rows, XML"),
    ],
)
async def test_empty_query_results(org: Bulk1, content_type: str, expected: str) -> None:
    assert await org.query("SELECT Id FROM Contact", content_type) == expected


async def test_date_times_are_epoch_milliseconds_in_json_only(org: Bulk1) -> None:
    await org.load("insert", "LastName,LastSeen__c,Birthdate", "Berg,2024-11-21T09:28:59.000Z,1990-01-02")
    soql = "SELECT LastSeen__c, Birthdate FROM Contact"
    [found] = json.loads(await org.query(soql, "JSON"))
    assert (found["LastSeen__c"], found["Birthdate"]) == (1732181339000, "1990-01-02")
    assert rows(await org.query(soql)) == [["2024-11-21T09:28:59.000Z", "1990-01-02"]]


async def test_a_parents_field_is_a_column_or_a_nested_object(org: Bulk1) -> None:
    await org.load("insert", "Name,Ext__c", "Acme,X", object_name="Account")
    await org.load("insert", "LastName,Account.Ext__c", "Berg,X")
    soql = "SELECT LastName, Account.Name FROM Contact"
    assert (await org.query(soql)).splitlines()[0] == '"LastName","Account.Name"'
    assert json.loads(await org.query(soql, "JSON"))[0]["Account"] == {"Name": "Acme"}
    assert "<Account><Name>Acme</Name></Account>" in await org.query(soql, "XML")


async def test_several_result_ids_hold_all_rows_between_them(org: Bulk1) -> None:
    await org.load("insert", "LastName", *(f"N{number}" for number in range(7)))
    job = await org.create("query")
    await org.control.add_fault(SplitResult(files=3))
    batch = await org.add(job, "SELECT LastName FROM Contact")
    path = f"/job/{job}/batch/{batch}/result"
    results = re.findall(r"<result>(\w+)</result>", (await org.http.get(path)).text)
    files = [(await org.http.get(f"{path}/{result}")).text for result in results]
    assert len(files) == 3
    assert sorted(row[0] for text in files for row in rows(text)) == [f"N{number}" for number in range(7)]


@pytest.mark.parametrize(
    "soql", [*REFUSED_SOQL, pytest.param("LastName\nBerg", id="no SOQL"), pytest.param(b"\xff", id="no text")]
)
async def test_a_refused_query_is_a_failed_batch(org: Bulk1, soql: str | bytes) -> None:
    job = await org.create("query")
    found = await org.info(job, await org.add(job, soql))
    assert found["state"] == "Failed"
    assert found["stateMessage"].startswith("InvalidBatch : Failed to process query: ")


@pytest.mark.parametrize("content_type", [pytest.param(name, id=name) for name in ("CSV", "XML", "JSON")])
async def test_a_querys_body_has_the_content_type_of_the_job(org: Bulk1, content_type: str) -> None:
    job = await org.create("query", content_type=content_type)
    batch = await org.add(job, "SELECT Id FROM Contact", f"{DATA_TYPES[content_type]}; charset=UTF-8")
    answer = await org.http.get(f"/job/{job}/batch/{batch}/request")
    assert (answer.text, answer.headers["content-type"]) == ("SELECT Id FROM Contact", DATA_TYPES[content_type])
