"""The calls of salesforce_bulk.md §3.2, and their answers to the byte where the document shows bytes."""

import json
import re

import httpx
import pytest

from tests.sandbox.salesforce.bulk1.client import CSV, DATA_TYPES, JSON, NAMESPACE, XML, Bulk1, error, field, fields

CREATE = f"""<?xml version="1.0" encoding="UTF-8"?>
<jobInfo xmlns="{NAMESPACE}">
  <operation>upsert</operation><object>Contact</object><externalIdFieldName>Ext__c</externalIdFieldName>
  <concurrencyMode>Serial</concurrencyMode><contentType>CSV</contentType>
</jobInfo>"""
CREATED = f"""<?xml version="1.0" encoding="UTF-8"?><jobInfo
   xmlns="{NAMESPACE}">
 <id>ID</id>
 <operation>upsert</operation>
 <object>Contact</object>
 <createdById>005X00000000001IAA</createdById>
 <createdDate>DATE</createdDate>
 <systemModstamp>DATE</systemModstamp>
 <state>Open</state>
 <externalIdFieldName>Ext__c</externalIdFieldName>
 <concurrencyMode>Serial</concurrencyMode>
 <contentType>CSV</contentType>
 <numberBatchesQueued>0</numberBatchesQueued>
 <numberBatchesInProgress>0</numberBatchesInProgress>
 <numberBatchesCompleted>0</numberBatchesCompleted>
 <numberBatchesFailed>0</numberBatchesFailed>
 <numberBatchesTotal>0</numberBatchesTotal>
 <numberRecordsProcessed>0</numberRecordsProcessed>
 <numberRetries>0</numberRetries>
 <apiVersion>59.0</apiVersion>
 <numberRecordsFailed>0</numberRecordsFailed>
 <totalProcessingTime>0</totalProcessingTime>
 <apiActiveProcessingTime>0</apiActiveProcessingTime>
 <apexProcessingTime>0</apexProcessingTime>
</jobInfo>
"""
BATCH = "Ext__c,LastName,Email\nA-1,Berg,berg@example.com\nA-2,,lind@example.com\n"
BATCH_ADDED = f"""<?xml version="1.0" encoding="UTF-8"?><batchInfo
   xmlns="{NAMESPACE}">
 <id>ID</id>
 <jobId>ID</jobId>
 <state>Queued</state>
 <createdDate>DATE</createdDate>
 <systemModstamp>DATE</systemModstamp>
 <numberRecordsProcessed>0</numberRecordsProcessed>
 <numberRecordsFailed>0</numberRecordsFailed>
 <totalProcessingTime>0</totalProcessingTime>
 <apiActiveProcessingTime>0</apiActiveProcessingTime>
 <apexProcessingTime>0</apexProcessingTime>
</batchInfo>
"""


def masked(text: str) -> str:
    """Mask the parts that differ from run to run: dates, and ids of jobs and batches."""
    return re.sub(r"75[01]\w{15}", "ID", re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", "DATE", text))


async def documents_job(org: Bulk1) -> tuple[str, str]:
    """Make the document's example job with its batch."""
    created = await org.http.post("/job", content=CREATE, headers={"content-type": f"{XML}; charset=UTF-8"})
    job = field(created.text, "id")
    return job, await org.add(job, BATCH, f"{CSV}; charset=UTF-8")


async def test_call_1_creates_a_job_and_answers_to_the_byte(org: Bulk1) -> None:
    answer = await org.http.post("/job", content=CREATE, headers={"content-type": f"{XML}; charset=UTF-8"})
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/xml")
    assert masked(answer.text) == CREATED


async def test_call_1_in_json_has_the_same_names_alphabetical_and_numbers_as_numbers(org: Bulk1) -> None:
    asked = {"operation": "insert", "object": "Contact", "concurrencyMode": "Parallel", "contentType": "JSON"}
    answer = await org.http.post("/job", json=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")
    found = answer.json()
    assert list(found) == sorted(found)
    assert '"apiVersion": 59.0' in answer.text
    assert (found["numberBatchesTotal"], found["externalIdFieldName"], found["assignmentRuleId"]) == (0, None, None)
    assert found["fastPathEnabled"] is False
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000", found["createdDate"])


async def test_call_2_gets_a_job_with_its_counters(org: Bulk1) -> None:
    job, _ = await documents_job(org)
    answer = await org.http.get(f"/job/{job}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")
    found = fields(answer.text)
    assert found["numberBatchesCompleted"] == found["numberBatchesTotal"] == "1"
    assert (found["numberRecordsProcessed"], found["numberRecordsFailed"]) == ("2", "1")


@pytest.mark.parametrize("state", ["Closed", "Aborted"])
async def test_calls_3_and_4_change_the_state(org: Bulk1, state: str) -> None:
    job = await org.create()
    answer = await org.change(job, state)
    assert (answer.status_code, field(answer.text, "state"), field(answer.text, "id")) == (200, state, job)


async def test_call_5_adds_a_batch_and_answers_to_the_byte(org: Bulk1) -> None:
    created = await org.post_job(CREATE)
    job = field(created.text, "id")
    answer = await org.post_batch(job, BATCH)
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/xml")
    assert masked(answer.text) == BATCH_ADDED
    batch = field(answer.text, "id")
    assert answer.headers["location"] == f"/services/async/59.0/job/{job}/batch/{batch}"


async def test_call_6_gets_a_batch_in_the_same_layout(org: Bulk1) -> None:
    job, batch = await documents_job(org)
    answer = await org.http.get(f"/job/{job}/batch/{batch}")
    expected = BATCH_ADDED.replace("Queued", "Completed").replace("Processed>0", "Processed>2")
    assert (answer.status_code, masked(answer.text)) == (200, expected.replace("Failed>0", "Failed>1"))


async def test_call_6_says_why_a_batch_failed_after_its_state(org: Bulk1) -> None:
    job = await org.create()
    batch = await org.add(job, "LastName,Foo\nBerg,1")
    answer = await org.http.get(f"/job/{job}/batch/{batch}")
    message = "InvalidBatch : Field name not found : Foo"
    assert f" <state>Failed</state>\n <stateMessage>{message}</stateMessage>\n <createdDate>" in answer.text


async def test_call_6_in_json_has_a_null_message_when_there_is_none(org: Bulk1) -> None:
    job = await org.create(content_type="JSON")
    batch = await org.add(job, '[{"LastName": "Berg"}]', JSON)
    found = (await org.http.get(f"/job/{job}/batch/{batch}")).json()
    assert list(found) == sorted(found)
    assert (found["stateMessage"], found["state"], found["numberRecordsProcessed"]) == (None, "Completed", 1)


async def test_call_7_lists_batches_whole_and_in_creation_order(org: Bulk1) -> None:
    job = await org.create()
    added = [await org.add(job, "LastName\nBerg") for _ in range(3)]
    answer = await org.http.get(f"/job/{job}/batch")
    assert re.findall(r"<id>(\w+)</id>", answer.text) == added
    assert answer.text.startswith(
        f'<?xml version="1.0" encoding="UTF-8"?><batchInfoList\n   xmlns="{NAMESPACE}">\n <batchInfo>\n  <id>'
    )


async def test_call_7_lists_no_batches_as_an_empty_element(org: Bulk1) -> None:
    job = await org.create()
    answer = await org.http.get(f"/job/{job}/batch")
    assert answer.text.endswith(f'<batchInfoList xmlns="{NAMESPACE}" />')


async def test_call_7_in_json_is_one_member(org: Bulk1) -> None:
    job = await org.create(content_type="JSON")
    assert (await org.http.get(f"/job/{job}/batch")).json() == {"batchInfo": []}
    batch = await org.add(job, '[{"LastName": "Berg"}]', JSON)
    [found] = (await org.http.get(f"/job/{job}/batch")).json()["batchInfo"]
    assert (found["id"], found["jobId"]) == (batch, job)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("CSV", BATCH, id="CSV"),
        pytest.param("JSON", '[{"LastName":  "Berg"}]', id="JSON"),
        pytest.param("XML", f'<sObjects xmlns="{NAMESPACE}"/>', id="XML"),
    ],
)
async def test_call_8_returns_what_was_sent(org: Bulk1, content_type: str, body: str) -> None:
    job = await org.create(content_type=content_type)
    batch = await org.add(job, body, DATA_TYPES[content_type])
    answer = await org.http.get(f"/job/{job}/batch/{batch}/request")
    assert (answer.text, answer.headers["content-type"]) == (body, DATA_TYPES[content_type])


async def test_call_9_gives_row_results_to_the_byte(org: Bulk1) -> None:
    job, batch = await documents_job(org)
    answer = await org.http.get(f"/job/{job}/batch/{batch}/result")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv")
    assert answer.text == (
        '"Id","Success","Created","Error"\n'
        '"003X00000000001IAA","true","true",""\n'
        '"","false","false","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"\n'
    )


@pytest.mark.parametrize(
    ("content_type", "listed"),
    [
        pytest.param("CSV", f'<result-list xmlns="{NAMESPACE}"><result>ID</result></result-list>', id="CSV"),
        pytest.param("XML", f'<result-list xmlns="{NAMESPACE}"><result>ID</result></result-list>', id="XML"),
        pytest.param("JSON", '["ID"]', id="JSON"),
    ],
)
async def test_calls_9_and_10_give_a_querys_results(org: Bulk1, content_type: str, listed: str) -> None:
    job = await org.create("query", content_type=content_type)
    batch = await org.add(job, "SELECT Id FROM Contact", DATA_TYPES[content_type])
    answer = await org.http.get(f"/job/{job}/batch/{batch}/result")
    result = re.findall(r"752\w{15}", answer.text)[0]
    assert answer.text.replace(result, "ID") == listed
    rows = await org.http.get(f"/job/{job}/batch/{batch}/result/{result}")
    assert (rows.status_code, rows.headers["content-type"]) == (200, DATA_TYPES[content_type])


async def test_call_11_takes_a_transformation_spec_before_the_first_batch(org: Bulk1) -> None:
    job = await org.create()
    spec = "Salesforce Field,Csv Header,Value,Hint\nLastName,Family name,,\n"
    taken = await org.http.post(f"/job/{job}/spec", content=spec, headers={"content-type": CSV})
    batch = await org.add(job, "Family name\nBerg")
    assert (taken.status_code, await org.state(job, batch)) == (201, "Completed")
    late = await org.http.post(f"/job/{job}/spec", content=spec, headers={"content-type": CSV})
    assert (late.status_code, field(late.text, "exceptionCode")) == (400, "InvalidJobState")


async def test_an_error_is_laid_out_to_the_byte(org: Bulk1) -> None:
    answer = await org.http.get("/job/750X00000000001IAA", headers={"X-SFDC-Session": "wrong"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/xml")
    assert answer.text == error("InvalidSessionId", "Invalid session id")


async def test_an_error_in_json_is_laid_out_to_the_byte(org: Bulk1) -> None:
    wrong = {"X-SFDC-Session": "wrong", "content-type": JSON}
    answer = await org.http.post("/job", content="{}", headers=wrong)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
    assert answer.text == '{"exceptionCode": "InvalidSessionId", "exceptionMessage": "Invalid session id"}'
    assert json.loads(answer.text)


@pytest.mark.parametrize("method", [pytest.param(method, id=method) for method in ("PUT", "PATCH", "DELETE", "HEAD")])
async def test_get_and_post_are_the_only_methods(org: Bulk1, method: str) -> None:
    job = await org.create()
    answer: httpx.Response = await org.http.request(method, f"/job/{job}")
    assert answer.status_code == 400
