"""Transformation specs. Ids name rows of salesforce_bulk.md §3.2."""

from typing import Any

import pytest

from tests.sandbox.salesforce.bulk1.client import CSV, Bulk1, field, rows


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
async def test_transformation_specs(org: Bulk1, spec: str, csv: str, found: dict[str, Any]) -> None:
    job = await org.create()
    text = f"Salesforce Field,Csv Header,Value,Hint\n{spec}\n"
    assert (await org.http.post(f"/job/{job}/spec", content=text, headers={"content-type": CSV})).status_code == 201
    await org.add(job, csv)
    [row] = await org.records(f"SELECT {', '.join(found)} FROM Contact")
    assert row == found


async def test_a_date_that_does_not_fit_its_hint_is_refused_by_row(org: Bulk1) -> None:
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
async def test_refused_specs(org: Bulk1, job_type: str, sent: str, spec: str | bytes, code: str) -> None:
    job = await org.create(content_type=job_type)
    answer = await org.http.post(f"/job/{job}/spec", content=spec, headers={"content-type": sent})
    assert (answer.status_code, field(answer.text, "exceptionCode")) == (400, code)
