"""Batches as ZIP files with attachments. Ids name rows of salesforce_bulk.md §3.3."""

import io
import zipfile
from base64 import b64decode

import pytest

from tests.sandbox.salesforce.bulk1.client import DATA_TYPES, Bulk1, rows_xml


def _zip(rows: str, rows_name: str = "request.txt", /, **files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(rows_name, rows)
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return packed.getvalue()


async def test_a_zip_needs_a_request_txt(org: Bulk1) -> None:
    body = _zip("LastName\nBerg", "rows.csv")
    assert "request.txt is missing" in (await org.upsert("ZIP_CSV", body))["stateMessage"]


@pytest.mark.parametrize(
    ("content_type", "request_text"),
    [
        pytest.param("ZIP_CSV", "Name,Body\na,#one.bin\nb,#in/two.bin", id="§3.3 ZIP_CSV"),
        pytest.param(
            "ZIP_JSON", '[{"Name": "a", "Body": "#one.bin"}, {"Name": "b", "Body": "#in/two.bin"}]', id="§3.3 ZIP_JSON"
        ),
        pytest.param(
            "ZIP_XML",
            rows_xml("<Name>a</Name><Body>#one.bin</Body>", "<Name>b</Name><Body>#in/two.bin</Body>"),
            id="§3.3 ZIP_XML",
        ),
    ],
)
async def test_attachments(org: Bulk1, content_type: str, request_text: str) -> None:
    body = _zip(request_text, **{"one.bin": b"\x00\xff", "in__two.bin": bytes(200_000)})
    job = await org.create("insert", "Attachment", content_type=content_type)
    batch = await org.add(job, body, DATA_TYPES[content_type])
    result = await org.http.get(f"/job/{job}/batch/{batch}/result")
    assert result.headers["content-type"] == DATA_TYPES[content_type.removeprefix("ZIP_")]
    found = await org.records("SELECT Name, Body FROM Attachment ORDER BY Name")
    assert [b64decode(row["Body"]) for row in found] == [b"\x00\xff", bytes(200_000)]
    sent = await org.http.get(f"/job/{job}/batch/{batch}/request")
    assert (sent.content, sent.headers["content-type"]) == (body, DATA_TYPES[content_type])


async def test_a_binary_field_needs_a_zip(org: Bulk1) -> None:
    job = await org.create("insert", "Attachment")
    found = await org.info(job, await org.add(job, "Name,Body\na,AAAA"))
    assert (found["state"], found["stateMessage"].partition(" : ")[0]) == ("Failed", "FeatureNotEnabled")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("LastName\nBerg", id="no ZIP"),
        pytest.param(_zip("LastName\nBerg")[:-10], id="cut off"),
        pytest.param(_zip("LastName\nBerg").replace(b"request", b"\x00equest"), id="with an empty name"),
        pytest.param(_zip("LastName\n#a.txt"), id="without the file"),
        pytest.param(_zip("LastName\nBerg", big=bytes(20_000_001)), id="bomb"),
        pytest.param(_zip("LastName" + "\n#a" * 5_000, a=bytes(10_000)), id="of a file used too often"),
        pytest.param(_zip("x", **{f"f{n}": b"" for n in range(1_001)}), id="of too many files"),
    ],
)
async def test_a_zip_that_cannot_be_read_fails_the_batch(org: Bulk1, body: str | bytes) -> None:
    found = await org.upsert("ZIP_CSV", body)
    assert (found["state"], found["stateMessage"][:15]) == ("Failed", "InvalidBatch : ")
