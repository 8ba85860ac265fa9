"""Batches as CSV, JSON and XML. Ids name rows of salesforce_bulk.md §6, §7 and §13."""

import json
from typing import Any

import pytest

from tests.sandbox.salesforce.bulk1.client import JSON, Bulk1, rows, rows_xml

ACROSS = [
    pytest.param("CSV", "Ext__c,LastName,FirstName,Title\nA,Berg,#N/A,", id="§6 CSV: #N/A is null, empty leaves as is"),
    pytest.param(
        "JSON",
        '[{"Ext__c": "A", "LastName": "Berg", "FirstName": null}]',
        id="§6 JSON: null sets null, a missing key leaves as is",
    ),
    pytest.param(
        "XML",
        rows_xml('<Ext__c>A</Ext__c><LastName>Berg</LastName><FirstName xsi:nil="true"/>'),
        id="§6 XML: xsi:nil sets null, a missing element leaves as is",
    ),
]


@pytest.mark.parametrize(("content_type", "body"), ACROSS)
async def test_null_and_absent(org: Bulk1, content_type: str, body: str) -> None:
    await org.load("insert", "Ext__c,LastName,FirstName,Title", "A,Old,Ada,Dr")
    assert (await org.upsert(content_type, body))["numberRecordsFailed"] in (0, "0")
    [found] = await org.records("SELECT LastName, FirstName, Title FROM Contact")
    assert found == {"LastName": "Berg", "FirstName": None, "Title": "Dr"}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("CSV", "Ext__c,LastName,Account.Ext__c\nA,Berg,X", id="§6 CSV column Account.Ext__c"),
        pytest.param("JSON", '[{"Ext__c": "A", "LastName": "Berg", "Account": {"Ext__c": "X"}}]', id="§6 JSON nested"),
        pytest.param(
            "XML",
            rows_xml("<Ext__c>A</Ext__c><LastName>Berg</LastName><Account><Ext__c>X</Ext__c></Account>"),
            id="XML nested",
        ),
    ],
)
async def test_relationships_by_external_id(org: Bulk1, content_type: str, body: str) -> None:
    await org.load("insert", "Name,Ext__c", "Acme,X", object_name="Account")
    await org.upsert(content_type, body)
    [found] = await org.records("SELECT LastName, Account.Name FROM Contact")
    assert found == {"LastName": "Berg", "Account": {"Name": "Acme"}}


async def test_json_rows_may_have_different_keys(org: Bulk1) -> None:
    body = [{"Ext__c": "A", "LastName": "Berg"}, {"LastName": "Lind", "Ext__c": "B", "Title": "Dr"}]
    await org.upsert("JSON", json.dumps(body))
    found = await org.records("SELECT LastName, Title FROM Contact ORDER BY LastName")
    assert found == [{"LastName": "Berg", "Title": None}, {"LastName": "Lind", "Title": "Dr"}]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("JSON", "[", id="JSON cut off"),
        pytest.param("JSON", '{"LastName": "Berg"}', id="JSON object"),
        pytest.param("JSON", '["Berg"]', id="JSON texts"),
        pytest.param("JSON", "[]", id="JSON without rows"),
        pytest.param("JSON", '[{"LastName": ["Berg"]}]', id="§6 JSON array value"),
        pytest.param("JSON", '[{"Account": {"Owner": {"Ext__c": "X"}}}]', id="§6 JSON nested twice"),
        pytest.param("JSON", b'[{"LastName": "\xff"}]', id="JSON not UTF-8"),
        pytest.param("JSON", json.dumps([{"LastName": "x" * 131_073}]), id="§7 JSON field too long"),
        pytest.param("JSON", json.dumps([{f"F{n}": "x" * 100_001 for n in range(4)}]), id="§7 JSON record too long"),
        pytest.param("JSON", json.dumps([{f"F{n}": 1} for n in range(5_001)]), id="§7 JSON too many fields"),
        pytest.param("JSON", json.dumps([{f"F{n % 4_000}": 1} for n in range(10_000)]), id="JSON far too sparse"),
        pytest.param("CSV", ",".join(f"F{n}" for n in range(4_000)) + "\nx" * 10_000, id="CSV far too sparse"),
        pytest.param("XML", "<sObjects", id="XML cut off"),
        pytest.param("XML", "<sObjects><sObject/></sObjects>", id="§3.1 XML without namespace"),
        pytest.param("XML", rows_xml(), id="XML without rows"),
        pytest.param("XML", rows_xml("<LastName>a</LastName>").replace("sObjects", "rows"), id="XML another root"),
        pytest.param("XML", rows_xml("<LastName>a</LastName>").replace("sObject>", "row>"), id="XML another row"),
        pytest.param("XML", rows_xml('<LastName xmlns="urn:other">a</LastName>'), id="XML field of another namespace"),
        pytest.param("XML", rows_xml("<A><B><C>x</C></B></A>"), id="XML nested twice"),
        pytest.param(
            "XML",
            '<!DOCTYPE a [<!ENTITY b "c">]>' + rows_xml("<LastName>&b;</LastName>").partition("?>")[2],
            id="entities",
        ),
    ],
)
async def test_malformed_content_fails_the_batch(org: Bulk1, content_type: str, body: str | bytes) -> None:
    found = await org.upsert(content_type, body)
    assert found["state"] == "Failed"
    assert found["stateMessage"].startswith("InvalidBatch : ")


async def test_an_unknown_field_of_a_json_job_is_an_error_of_its_row(org: Bulk1) -> None:
    """§13.14"""
    body = [{"LastName": "Berg"}, {"LastName": "Lind", "Foo": None}, {"LastName": "Nord", "Account": {"Foo": "x"}}]
    job = await org.create(content_type="JSON")
    batch = await org.add(job, json.dumps(body), JSON)
    results = (await org.http.get(f"/job/{job}/batch/{batch}/result")).json()
    assert [one["success"] for one in results] == [True, False, False]
    assert [one["errors"][0]["statusCode"] for one in results[1:]] == ["INVALID_FIELD"] * 2
    assert [one["errors"][0]["fields"] for one in results[1:]] == [["Foo"], ["Account.Foo"]]


@pytest.mark.parametrize(
    "wrong", [{"LastSeen__c": "21.11.2024"}, {"Birthdate": 5}, {"Score__c": "x"}, {"HasOptedOutOfEmail": "yes"}]
)
async def test_a_value_that_cannot_be_mapped_fails_the_batch_of_a_json_job(org: Bulk1, wrong: dict[str, Any]) -> None:
    """§13.14"""
    job = await org.create(content_type="JSON")
    batch = await org.add(job, json.dumps([{"LastName": "Berg"}, {"LastName": "Lind", **wrong}]), JSON)
    info = (await org.http.get(f"/job/{job}/batch/{batch}")).json()
    assert (info["state"], info["numberRecordsProcessed"]) == ("Failed", 0)
    assert info["stateMessage"].startswith("InvalidBatch : Records not processed")
    result = await org.http.get(f"/job/{job}/batch/{batch}/result")
    assert (result.status_code, result.json()["exceptionMessage"]) == (400, "Records not processed")
    assert await org.records("SELECT Id FROM Contact") == []


async def test_any_other_fault_of_a_value_is_an_error_of_its_row_in_json_too(org: Bulk1) -> None:
    job = await org.create(content_type="JSON")
    batch = await org.add(job, json.dumps([{"LastName": "Berg"}, {"LastName": "Lind", "Email": "x"}]), JSON)
    results = (await org.http.get(f"/job/{job}/batch/{batch}/result")).json()
    assert [one["success"] for one in results] == [True, False]


async def test_a_blank_beside_a_quote_is_an_error_for_its_row(org: Bulk1) -> None:
    found = rows(await org.load("insert", "LastName,Title", 'Berg,"Dr"', 'Lind, "Dr"', "Nord,Dr"))
    assert [row[1] for row in found] == ["true", "false", "true"]


async def test_line_breaks_inside_quotes_are_no_rows(org: Bulk1) -> None:
    text = "x\n" * 40_000
    found = await org.upsert("CSV", f'Ext__c,LastName,Description\nA,Berg,"{text}"\n')
    assert (found["numberRecordsProcessed"], found["numberRecordsFailed"]) == ("1", "0")
