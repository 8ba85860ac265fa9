"""Delimiters and line endings. salesforce_bulk.md §4.1."""

import pytest

from tests.sandbox.salesforce.orgs import INGEST, Served


async def test_results_have_the_jobs_dialect(salesforce: Served) -> None:
    """§4.1 results: every value quoted, and so quotes in it doubled"""
    csv = 'Ext__c|LastName|Title\r\nA-1|"O""Neil, |x"|\r\nA-2||t\r\n'
    job = await salesforce.load(csv, columnDelimiter="PIPE", lineEnding="CRLF")
    done = (await salesforce.http.get(f"{INGEST}/{job}/successfulResults")).text.split("\r\n")
    failed = (await salesforce.http.get(f"{INGEST}/{job}/failedResults")).text.split("\r\n")
    assert done[0] == '"sf__Id"|"sf__Created"|"Ext__c"|"LastName"|"Title"'
    assert done[1].split("|", 1)[1] == '"true"|"A-1"|"O""Neil, |x"|""'
    assert failed[1].endswith(':LastName --"|"A-2"|""|"t"')
    assert (len(done), len(failed)) == (3, 3)


@pytest.mark.parametrize(
    ("name", "delimiter"),
    [("COMMA", ","), ("TAB", "\t"), ("PIPE", "|"), ("SEMICOLON", ";"), ("CARET", "^"), ("BACKQUOTE", "`")],
)
async def test_each_delimiter_is_read(salesforce: Served, name: str, delimiter: str) -> None:
    csv = delimiter.join(("Ext__c", "LastName")) + "\n" + delimiter.join(("A-1", "Berg")) + "\n"
    await salesforce.load(csv, columnDelimiter=name)
    assert await salesforce.query("SELECT LastName FROM Contact WHERE Ext__c = 'A-1'") == [{"LastName": "Berg"}]


async def test_crlf_data_is_taken_by_a_crlf_job(salesforce: Served) -> None:
    job = await salesforce.load("Ext__c,LastName\r\nA-1,Berg\r\n", lineEnding="CRLF")
    assert (await salesforce.info(job))["state"] == "JobComplete"


@pytest.mark.parametrize(
    ("csv", "line_ending"),
    [
        ("Ext__c,LastName\r\nA-1,Berg\r\n", "LF"),
        ("Ext__c,LastName\nA-1,Berg\n", "CRLF"),
        ("LastName\rBerg\r", "LF"),
        pytest.param("Ext__c,LastName\nA-1,Berg\r\nA-2,Lind\n", "LF", id="§13.8 CRLF in an LF job"),
        pytest.param("Ext__c,LastName\r\nA-1,Berg\r\nA-2,Lind\n", "CRLF", id="§13.8 LF in a CRLF job"),
        pytest.param('Ext__c,LastName\nA-1,"Be\rrg"\nA-2,Li\rnd\n', "LF", id="§13.8 CR in an LF job"),
    ],
)
async def test_another_line_ending_than_the_jobs_fails_it(salesforce: Served, csv: str, line_ending: str) -> None:
    assert "LineEnding is invalid" in await salesforce.failure(csv, "upsert", lineEnding=line_ending)


@pytest.mark.parametrize(("line_ending", "end", "other"), [("LF", "\n", "\r\n"), ("CRLF", "\r\n", "\n")])
async def test_inside_quotes_any_line_ending_is_data(
    salesforce: Served, line_ending: str, end: str, other: str
) -> None:
    csv = end.join(("Ext__c,LastName,Description", f'A-1,Berg,"a{other}b"', ""))
    job = await salesforce.load(csv, lineEnding=line_ending)
    assert (await salesforce.info(job))["state"] == "JobComplete"
