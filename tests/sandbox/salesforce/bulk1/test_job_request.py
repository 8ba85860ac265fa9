"""Requests as they are read: their types, XML and JSON. Ids name rows of salesforce_bulk.md §3.1 and §3.3."""

import pytest

from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.bulk1.client import DATA_TYPES, INSERT, JSON, NAMESPACE, Bulk1, bulk1_org, field

PREFIXED = INSERT.replace("<", "<a:").replace("<a:/", "</a:").replace("<a:?", "<?").replace("xmlns", "xmlns:a")
CONTACT = "<object>Contact</object>"
ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
BILLION_LAUGHS = f'<!DOCTYPE a [<!ENTITY e0 "ha">{ENTITIES}]><a b="&e11;">&e11;</a>'
JSON_JOB = '{"operation": "insert", "object": "Contact", "contentType": "JSON"}'


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        pytest.param("application/xml", True, id="§3.1 Content-Type"),
        pytest.param("application/xml; charset=UTF-8", True, id="§3.1 with charset"),
        pytest.param("application/xml, charset=UTF-8", True, id="§3.1 malformed: comma"),
        pytest.param("APPLICATION/XML;charset=utf-8", True, id="in any case"),
        pytest.param("", True, id="none means XML"),
        pytest.param("application/xml; charset=ISO-8859-1", False, id="another charset"),
        pytest.param("text/plain", False, id="another type"),
        pytest.param("text/csv", False, id="a type of batches"),
        pytest.param("application", False, id="no type at all"),
    ],
)
async def test_the_type_of_a_create_request(org: Bulk1, sent: str, *, taken: bool) -> None:
    answer = await org.post_job(INSERT, content_type=sent)
    assert answer.status_code == (201 if taken else 400)
    assert ("UnsupportedContentType" in answer.text) != taken


@pytest.mark.parametrize(
    ("job_type", "sent", "taken"),
    [
        pytest.param("CSV", "text/csv", True, id="§3.1 text/csv"),
        pytest.param("CSV", "text/csv; charset=UTF-8", True, id="§3.1 text/csv with charset"),
        pytest.param("CSV", "text/csv, charset=UTF-8", True, id="§3.1 malformed type, as sfbulk sends it"),
        pytest.param("CSV", "", True, id="none means the job's"),
        pytest.param("CSV", "application/xml", False, id="XML in a CSV job"),
        pytest.param("JSON", "text/csv", False, id="CSV in a JSON job"),
        pytest.param("ZIP_CSV", "text/csv", False, id="CSV in a ZIP_CSV job"),
        *(pytest.param(name, sent, True, id=f"§3.1 {sent}") for name, sent in DATA_TYPES.items()),
    ],
)
async def test_the_type_of_a_batch(org: Bulk1, job_type: str, sent: str, *, taken: bool) -> None:
    job = await org.create(content_type=job_type)
    answer = await org.post_batch(job, "LastName\nBerg", sent)
    assert answer.status_code == (201 if taken else 400)
    assert ("UnsupportedContentType" in answer.text) != taken


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"\n  {INSERT}", id="§3.3 white space before the declaration"),
        pytest.param(INSERT.replace("jobInfo", "jobinfo"), id="§3.3 lower-case root"),
        pytest.param(PREFIXED, id="§3.3 any prefix"),
        pytest.param(
            INSERT.replace("<operation>", "<!-- a --><operation> ").replace("Contact", " Contact\n"),
            id="comments and space",
        ),
    ],
)
async def test_xml_is_read_leniently_where_clients_vary(org: Bulk1, body: str) -> None:
    answer = await org.post_job(body)
    assert (answer.status_code, field(answer.text, "object")) == (201, "Contact")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(INSERT.replace(NAMESPACE, "urn:other"), "InvalidJob", id="§3.1 another namespace"),
        pytest.param(INSERT.replace(f' xmlns="{NAMESPACE}"', ""), "InvalidJob", id="§3.1 no namespace"),
        pytest.param(INSERT.replace("jobInfo", "jobs"), "InvalidJob", id="another root"),
        pytest.param(INSERT.replace(CONTACT, f"{CONTACT}<x/>"), "InvalidJob", id="more"),
        pytest.param(INSERT.replace(CONTACT, f"{CONTACT}<object/>"), "InvalidJob", id="twice"),
        pytest.param(INSERT[:-5], "InvalidXML", id="not well-formed"),
        pytest.param(
            INSERT.replace("?>", '?><!DOCTYPE jobInfo [<!ENTITY a "insert">]>').replace(">insert", ">&a;"),
            "InvalidXML",
            id="entities",
        ),
        pytest.param(
            INSERT.replace("?>", '?><!DOCTYPE jobInfo SYSTEM "http://127.0.0.1:9/x.dtd">'),
            "InvalidXML",
            id="a DTD on the network",
        ),
        pytest.param("<a>" * 300 + "</a>" * 300, "InvalidXML", id="too deep"),
        pytest.param(BILLION_LAUGHS, "InvalidXML", id="entities that multiply"),
    ],
)
async def test_xml_is_read_strictly_otherwise(org: Bulk1, body: str, code: str) -> None:
    answer = await org.post_job(body)
    assert (answer.status_code, field(answer.text, "exceptionCode")) == (400, code)


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        pytest.param('"concurrencyMode": 0, ', "Parallel", id="§3.3 0"),
        pytest.param('"concurrencyMode": 1, ', "Serial", id="§3.3 1"),
        pytest.param('"concurrencyMode": "Serial", ', "Serial", id="§3.3 Serial"),
        pytest.param("", "Parallel", id="§3.3 default Parallel"),
    ],
)
async def test_concurrency_modes_in_json(org: Bulk1, given: str, mode: str) -> None:
    answer = await org.post_job("{" + given + JSON_JOB[1:], content_type=JSON)
    assert answer.json()["concurrencyMode"] == mode


async def test_of_a_body_that_is_far_too_large_the_rest_is_not_kept() -> None:
    async with bulk1_org(Settings(max_upload_bytes=11_000_000)) as org:
        job = await org.create()
        body = b"x" * 60_000_000
        answer = await org.post_batch(job, body)
        assert field(answer.text, "exceptionCode") == "ClientInputError"
        assert (await org.http.get(f"/job/{job}")).status_code == 200
