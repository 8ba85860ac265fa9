"""Jobs created with their data in one multipart request. salesforce_bulk.md §4.1."""

from typing import Any

import pytest

from tests.sandbox.salesforce.orgs import INGEST, Served, error_of

INSERT = '{"object": "Contact", "operation": "insert"}'


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        pytest.param({"job": (None, "{}")}, "CLIENTINPUTERROR", id="no content"),
        pytest.param({"job": (None, "{"), "content": ("content", "a\n")}, "JSON_PARSER_ERROR", id="no JSON"),
        pytest.param({"job": (None, INSERT), "content": ("content", "")}, "CLIENTINPUTERROR", id="empty content"),
    ],
)
async def test_a_multipart_create_has_both_parts(salesforce: Served, parts: Any, code: str) -> None:
    assert error_of(await salesforce.http.post(INGEST, files=parts)) == (400, code)


async def test_a_multipart_create_that_is_cut_off_is_refused(salesforce: Served) -> None:
    """§4.1: a job with a part of its rows would be wrong."""
    parts = [("job", INSERT), ("content", "LastName\nAnn\nBo")]
    text = "".join(f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{part}\r\n' for name, part in parts)
    headers = {"content-type": "multipart/form-data; boundary=B"}
    assert error_of(await salesforce.http.post(INGEST, content=text, headers=headers)) == (400, "CLIENTINPUTERROR")


async def test_multipart_create_starts_at_once(salesforce: Served) -> None:
    parts = {"job": (None, INSERT, "application/json"), "content": ("content", "LastName\nBerg\n", "text/csv")}
    answer = await salesforce.http.post(INGEST, files=parts)
    assert (answer.status_code, answer.json()["state"]) == (200, "UploadComplete")
    assert (await salesforce.info(answer.json()["id"]))["numberRecordsProcessed"] == 1


async def test_multipart_takes_100_000_characters_and_no_more(salesforce: Served) -> None:
    head = "LastName\n"
    for characters, status in ((100_000, 200), (100_001, 400)):
        content = (head + "Ä\n" * 50_000)[: characters - 1] + "\n"
        assert len(content) == characters
        parts = {"job": (None, INSERT), "content": ("content", content)}
        assert (await salesforce.http.post(INGEST, files=parts)).status_code == status
