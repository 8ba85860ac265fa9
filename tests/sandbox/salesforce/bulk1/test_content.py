"""How rows are written: CSV, JSON, XML, ZIP and specs. Ids name rows of salesforce_bulk.md §3.2, §3.3, §6 and §7."""

import io
import json
import zipfile
from base64 import b64decode
from typing import Any

import pytest

from tests.sandbox.salesforce.bulk1.client import CSV, DATA_TYPES, NAMESPACE, Bulk1, bulk1_org, field, rows

XSI = "http://www.w3.org/2001/XMLSchema-instance"
FIELDS = "LastName, FirstName, Title, Account.Name"


async def _read(org: Bulk1, soql: str) -> list[dict[str, Any]]:
    """The rows of a query, without `attributes`."""
    job = await org.create("query", content_type="JSON")
    path = f"/job/{job}/batch/{await org.add(job, soql, DATA_TYPES['JSON'])}/result"
    [result] = (await org.http.get(path)).json()
    found = (await org.http.get(f"{path}/{result}")).json()
    return [{name: value for name, value in row.items() if name != "attributes"} for row in found]


async def _upsert(org: Bulk1, content_type: str, body: str | bytes, object_name: str = "Contact") -> dict[str, str]:
    """The batch's fields after an upsert by `Ext__c`."""
    job = await org.create("upsert", object_name, content_type=content_type, external_id="Ext__c")
    batch = await org.add(job, body, DATA_TYPES[content_type])
    if content_type.endswith("JSON"):
        return dict((await org.http.get(f"/job/{job}/batch/{batch}")).json())
    return await org.info(job, batch)


def _xml(*records: str) -> str:
    inside = "".join(f"<sObject>{record}</sObject>" for record in records)
    return f'<?xml version="1.0"?><sObjects xmlns="{NAMESPACE}" xmlns:xsi="{XSI}">{inside}</sObjects>'


def _zip(request: str, **files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("request.txt", request)
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return packed.getvalue()


ACROSS = [
    pytest.param("CSV", "Ext__c,LastName,FirstName,Title\nA,Berg,#N/A,", id="§6 CSV: #N/A is null, empty leaves as is"),
    pytest.param(
        "JSON",
        '[{"Ext__c": "A", "LastName": "Berg", "FirstName": null}]',
        id="§6 JSON: null sets null, a missing key leaves as is",
    ),
    pytest.param(
        "XML",
        _xml('<Ext__c>A</Ext__c><LastName>Berg</LastName><FirstName xsi:nil="true"/>'),
        id="§6 XML: xsi:nil sets null, a missing element leaves as is",
    ),
]


@pytest.mark.parametrize(("content_type", "body"), ACROSS)
async def test_null_and_absent(content_type: str, body: str) -> None:
    async with bulk1_org() as org:
        await org.load("insert", "Ext__c,LastName,FirstName,Title", "A,Old,Ada,Dr")
        assert (await _upsert(org, content_type, body))["numberRecordsFailed"] in (0, "0")
        [found] = await _read(org, "SELECT LastName, FirstName, Title FROM Contact")
        assert found == {"LastName": "Berg", "FirstName": None, "Title": "Dr"}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("CSV", "Ext__c,LastName,Account.Ext__c\nA,Berg,X", id="§6 CSV column Account.Ext__c"),
        pytest.param(
            "JSON", '[{"Ext__c": "A", "LastName": "Berg", "Account": {"Ext__c": "X"}}]', id="§6 JSON nested object"
        ),
        pytest.param(
            "XML",
            _xml("<Ext__c>A</Ext__c><LastName>Berg</LastName><Account><Ext__c>X</Ext__c></Account>"),
            id="XML nested element",
        ),
    ],
)
async def test_relationships_by_external_id(content_type: str, body: str) -> None:
    async with bulk1_org() as org:
        await org.load("insert", "Name,Ext__c", "Acme,X", object_name="Account")
        await _upsert(org, content_type, body)
        [found] = await _read(org, "SELECT LastName, Account.Name FROM Contact")
        assert found == {"LastName": "Berg", "Account": {"Name": "Acme"}}


async def test_json_rows_may_have_different_keys() -> None:
    async with bulk1_org() as org:
        body = [{"Ext__c": "A", "LastName": "Berg"}, {"LastName": "Lind", "Ext__c": "B", "Title": "Dr"}]
        await _upsert(org, "JSON", json.dumps(body))
        found = await _read(org, "SELECT LastName, Title FROM Contact ORDER BY LastName")
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
        pytest.param("XML", _xml(), id="XML without rows"),
        pytest.param("XML", _xml("<LastName>a</LastName>").replace("sObjects", "rows"), id="XML another root"),
        pytest.param("XML", _xml("<LastName>a</LastName>").replace("sObject>", "row>"), id="XML another row"),
        pytest.param("XML", _xml('<LastName xmlns="urn:other">a</LastName>'), id="XML field of another namespace"),
        pytest.param("XML", _xml("<A><B><C>x</C></B></A>"), id="XML nested twice"),
        pytest.param(
            "XML", '<!DOCTYPE a [<!ENTITY b "c">]>' + _xml("<LastName>&b;</LastName>").partition("?>")[2], id="entities"
        ),
        pytest.param("ZIP_CSV", "LastName\nBerg", id="no ZIP"),
        pytest.param("ZIP_CSV", _zip("LastName\nBerg")[:-10], id="ZIP cut off"),
        pytest.param("ZIP_CSV", _zip("LastName\nBerg").replace(b"request", b"\x00equest"), id="ZIP with an empty name"),
        pytest.param("ZIP_CSV", _zip("LastName\n#a.txt"), id="ZIP without the file"),
        pytest.param("ZIP_CSV", _zip("LastName\nBerg", big=bytes(20_000_001)), id="ZIP bomb"),
        pytest.param("ZIP_CSV", _zip("LastName" + "\n#a" * 5_000, a=bytes(10_000)), id="ZIP of a file used too often"),
        pytest.param("ZIP_CSV", _zip("x", **{f"f{n}": b"" for n in range(1_001)}), id="ZIP of too many files"),
    ],
)
async def test_malformed_content_fails_the_batch(content_type: str, body: str | bytes) -> None:
    async with bulk1_org() as org:
        found = await _upsert(org, content_type, body)
        assert found["state"] == "Failed"
        assert found["stateMessage"].startswith("InvalidBatch : ")


def _without_request() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("rows.csv", "LastName\nBerg")
    return packed.getvalue()


async def test_line_breaks_inside_quotes_are_no_rows() -> None:
    async with bulk1_org() as org:
        text = "x\n" * 40_000
        found = await _upsert(org, "CSV", f'Ext__c,LastName,Description\nA,Berg,"{text}"\n')
        assert (found["numberRecordsProcessed"], found["numberRecordsFailed"]) == ("1", "0")


async def test_a_zip_needs_a_request_txt() -> None:
    async with bulk1_org() as org:
        assert "request.txt is missing" in (await _upsert(org, "ZIP_CSV", _without_request()))["stateMessage"]


@pytest.mark.parametrize(
    ("content_type", "request_text"),
    [
        pytest.param("ZIP_CSV", "Name,Body\na,#one.bin\nb,#in/two.bin", id="§3.3 ZIP_CSV"),
        pytest.param(
            "ZIP_JSON", '[{"Name": "a", "Body": "#one.bin"}, {"Name": "b", "Body": "#in/two.bin"}]', id="§3.3 ZIP_JSON"
        ),
        pytest.param(
            "ZIP_XML",
            _xml("<Name>a</Name><Body>#one.bin</Body>", "<Name>b</Name><Body>#in/two.bin</Body>"),
            id="§3.3 ZIP_XML",
        ),
    ],
)
async def test_attachments(content_type: str, request_text: str) -> None:
    async with bulk1_org() as org:
        body = _zip(request_text, **{"one.bin": b"\x00\xff", "in__two.bin": bytes(200_000)})
        job = await org.create("insert", "Attachment", content_type=content_type)
        batch = await org.add(job, body, DATA_TYPES[content_type])
        result = await org.http.get(f"/job/{job}/batch/{batch}/result")
        assert result.headers["content-type"] == DATA_TYPES[content_type.removeprefix("ZIP_")]
        found = await _read(org, "SELECT Name, Body FROM Attachment ORDER BY Name")
        assert [b64decode(row["Body"]) for row in found] == [b"\x00\xff", bytes(200_000)]
        sent = await org.http.get(f"/job/{job}/batch/{batch}/request")
        assert (sent.content, sent.headers["content-type"]) == (body, DATA_TYPES[content_type])


async def test_a_binary_field_needs_a_zip() -> None:
    async with bulk1_org() as org:
        job = await org.create("insert", "Attachment")
        found = await org.info(job, await org.add(job, "Name,Body\na,AAAA"))
        assert (found["state"], found["stateMessage"].partition(" : ")[0]) == ("Failed", "FeatureNotEnabled")


@pytest.mark.parametrize(
    ("spec", "csv", "found"),
    [
        pytest.param("LastName,Family,,", "Family\nBerg", {"LastName": "Berg"}, id="§3.2 Csv Header"),
        pytest.param("Title,Job,Dr,", "LastName,Job\nBerg,", {"Title": "Dr"}, id="§3.2 Value for an empty one"),
        pytest.param("Title,Job,Dr,", "LastName,Job\nBerg,Prof", {"Title": "Prof"}, id="§3.2 Value not for others"),
        pytest.param("Title,,Dr,", "LastName\nBerg", {"Title": "Dr"}, id="§3.2 Value without a header"),
        pytest.param("Title,Job,Dr,", "LastName,Job\nBerg,#N/A", {"Title": None}, id="null stays null"),
        pytest.param(
            "Birthdate,Born,,dd MMM yy", "LastName,Born\nBerg,02 Jan 90", {"Birthdate": "1990-01-02"}, id="§3.2 Hint"
        ),
        pytest.param(
            "LastSeen__c,Seen,,dd.MM.yyyy HH:mm",
            "LastName,Seen\nBerg,21.11.2024 09:28",
            {"LastSeen__c": 1732181280000},
            id="§3.2 Hint with a time",
        ),
    ],
)
async def test_transformation_specs(spec: str, csv: str, found: dict[str, Any]) -> None:
    async with bulk1_org() as org:
        job = await org.create()
        text = f"Salesforce Field,Csv Header,Value,Hint\n{spec}\n"
        assert (await org.http.post(f"/job/{job}/spec", content=text, headers={"content-type": CSV})).status_code == 201
        await org.add(job, csv)
        [row] = await _read(org, f"SELECT {', '.join(found)} FROM Contact")
        assert row == found


async def test_a_date_that_does_not_fit_its_hint_is_refused_by_row() -> None:
    async with bulk1_org() as org:
        job = await org.create()
        text = "Salesforce Field,Csv Header,Value,Hint\nBirthdate,Born,,dd MM yyyy\n"
        await org.http.post(f"/job/{job}/spec", content=text, headers={"content-type": CSV})
        batch = await org.add(job, "LastName,Born\nBerg,1990\nLind,02 01 1990")
        found = rows((await org.http.get(f"/job/{job}/batch/{batch}/result")).text)
        assert [row[1] for row in found] == ["false", "true"]
        assert found[0][3].startswith("INVALID_TYPE_ON_FIELD_IN_RECORD:")


@pytest.mark.parametrize(
    ("job_type", "sent", "spec", "code"),
    [
        pytest.param("CSV", CSV, "Field,Header\nA,B", "ClientInputError", id="another header"),
        pytest.param("CSV", CSV, "Salesforce Field,Csv Header,Value,Hint\nA", "ClientInputError", id="a short line"),
        pytest.param("CSV", CSV, "Salesforce Field,Csv Header,Value,Hint\nA,,,", "ClientInputError", id="no source"),
        pytest.param("CSV", CSV, 'Salesforce Field,"Csv', "ClientInputError", id="no CSV"),
        pytest.param("CSV", CSV, b"\xff", "ClientInputError", id="no UTF-8"),
        pytest.param("CSV", CSV, "", "ClientInputError", id="nothing"),
        pytest.param("CSV", "application/xml", "x", "UnsupportedContentType", id="another type"),
        pytest.param("XML", CSV, "x", "InvalidJob", id="a job without CSV"),
    ],
)
async def test_refused_specs(job_type: str, sent: str, spec: str | bytes, code: str) -> None:
    async with bulk1_org() as org:
        job = await org.create(content_type=job_type)
        answer = await org.http.post(f"/job/{job}/spec", content=spec, headers={"content-type": sent})
        assert (answer.status_code, field(answer.text, "exceptionCode")) == (400, code)
