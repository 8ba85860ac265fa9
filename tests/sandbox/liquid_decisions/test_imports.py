"""``batch/import`` as liquid_decisions.md §7 has it."""

from typing import Any

import pytest

from sandbox.ledger.ledger import LedgerFilter
from sandbox.liquid_decisions.settings import ItemType, Settings
from tests.sandbox.liquid_decisions.service import BASE, JOB, Service, item, service

TYPED = ItemType(
    name="Account",
    key_fields=("accountId",),
    fields={"accountId": "string", "size": "number", "good": "boolean", "days": "strings"},
)
PART = b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n[]'


async def test_the_documents_request_gets_the_documents_answer(liquid: Service) -> None:
    """Send the example of §7, to the byte except the boundary's place, and expect the status object of §8."""
    body = (
        b'--B\r\nContent-Disposition: form-data; name="jobName"\r\n\r\nrun7-b0003\r\n'
        b'--B\r\nContent-Disposition: form-data; name="itemType"\r\n\r\nAccount\r\n'
        b'--B\r\nContent-Disposition: form-data; name="contentType"\r\n\r\napplication/json\r\n'
        b'--B\r\nContent-Disposition: form-data; name="merge"\r\n\r\nTrue\r\n'
        b'--B\r\nContent-Disposition: form-data; name="notificationEmail"\r\n\r\nops@example.com\r\n'
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="/data/run7-b0003.json"\r\n'
        b"Content-Type: application/json\r\nExpires: 0\r\n\r\n"
        b'[{"headers": {"category": "entity", "type": "Account", "action": "Merge"}, '
        b'"data": {"accountId": "ABC123", "name": "X"}}]\r\n--B--\r\n'
    )
    headers = {"content-type": "multipart/form-data; boundary=B"}
    answer = await liquid.http.post(f"{BASE}/batch/import", content=body, headers=headers)
    job = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.text == (
        f'{{"submitTime":"{job["submitTime"]}","jobId":"{job["jobId"]}","notificationEmail":"ops@example.com",'
        '"jobName":"run7-b0003","contentType":"application/json","itemType":"Account","recordsProcessed":"0",'
        '"runTime":"0","status":"Accepted","reason":"file stored, waiting to run"}'
    )
    assert (await liquid.finished(job))["status"] == "Completed"
    assert await liquid.data() == [{"accountId": "ABC123", "name": "X"}]


async def test_the_order_of_the_parts_is_not_significant(liquid: Service) -> None:
    """§7 [client]: here the file comes first."""
    parts = [
        ("file", ("records", b'[{"accountId": "a"}]')),
        *((name, (None, value)) for name, value in (("contentType", b"application/json"), ("itemType", b"Account"))),
        ("jobName", (None, b"run")),
    ]
    job = (await liquid.http.post(f"{BASE}/batch/import", files=parts)).json()
    assert (await liquid.finished(job))["recordsProcessed"] == "1"


@pytest.mark.parametrize(
    ("record", "fields", "data"),
    [
        pytest.param({"accountId": "old", "p": 1}, {"merge": "True"}, {"p": 1, "q": 0}, id="§7 merge True"),
        pytest.param({"accountId": "old", "p": 1}, {"merge": "tRUE"}, {"p": 1, "q": 0}, id="§7 merge in any case"),
        pytest.param({"accountId": "old", "p": 1}, {"merge": "False"}, {"p": 1}, id="§7 merge False: override"),
        pytest.param({"accountId": "old", "p": 1}, {}, {"p": 1}, id="§7 default override"),
        pytest.param(item("old", "Create", p=1), {"merge": "True"}, {"p": 1, "q": 0}, id="§7 merge over Create"),
        pytest.param(item("old", "Merge", p=1), {}, {"p": 1}, id="§7 merge over Merge"),
        pytest.param(item("old", "Update", p=1), {"merge": "True"}, {"p": 1, "q": 0}, id="§7 merge over Update"),
        pytest.param({"headers": {}, "data": {"accountId": "old", "p": 1}}, {}, {"p": 1}, id="§7 no action, no type"),
        pytest.param(item("old", "Delete"), {"merge": "True"}, None, id="§7 Delete deletes"),
    ],
)
async def test_merge_decides_what_a_record_does(
    liquid: Service, record: dict[str, Any], fields: dict[str, str], data: dict[str, Any] | None
) -> None:
    await liquid.upsert(item("old", p=0, q=0))
    status = await liquid.imported([record], **fields)
    found = {one.pop("accountId"): one for one in await liquid.data()}
    assert (status["status"], status["recordsProcessed"], found.get("old")) == ("Completed", "1", data)


BAD_RECORDS = [
    pytest.param(5, "Unreadable", id="§7 no object"),
    pytest.param({"headers": {}}, "Unreadable", id="§7 headers without data"),
    pytest.param({"headers": 5, "data": {}}, "Unreadable", id="§7 headers no object"),
    pytest.param({**item("a"), "headers": {"type": "Order"}}, "UnknownType", id="§7 another type than itemType"),
    pytest.param({**item("a"), "headers": {"action": "Upsert"}}, "UnknownAction", id="§7 unknown action"),
    pytest.param({"name": "no key"}, "MissingKey", id="§7 no key"),
    pytest.param({"accountId": "a", "block": {}}, "InvalidField", id="§7 invalid field"),
]


@pytest.mark.parametrize(("record", "effect"), BAD_RECORDS)
async def test_a_bad_record_is_skipped_and_not_counted(liquid: Service, record: Any, effect: str) -> None:
    status = await liquid.imported([{"accountId": "before"}, record, {"accountId": "after"}])
    assert (status["status"], status["recordsProcessed"]) == ("Completed", "2")
    assert [one["accountId"] for one in await liquid.data()] == ["before", "after"]
    assert [one.effect for one in await liquid.control.ledger()] == ["Created", effect, "Created"]


async def test_refused_records_can_be_counted() -> None:
    async with service(Settings(import_counts_refused=True)) as liquid:
        assert (await liquid.imported([{"accountId": "a"}, 5]))["recordsProcessed"] == "2"


async def test_a_bad_record_can_fail_the_job() -> None:
    async with service(Settings(import_fails_on_bad_record=True)) as liquid:
        status = await liquid.imported([{"accountId": "a"}, {"accountId": "b"}, 5, {"accountId": "c"}])
        kept = [one["accountId"] for one in await liquid.data()]
    assert (status["status"], status["recordsProcessed"], kept) == ("Failed", "2", ["a", "b"])


@pytest.mark.parametrize(
    ("fields", "file"),
    [
        pytest.param({"jobName": ""}, b"[]", id="§7 no jobName"),
        pytest.param({"itemType": ""}, b"[]", id="§7 no itemType"),
        pytest.param({"itemType": "Nothing"}, b"[]", id="§7 unknown itemType"),
        pytest.param({"contentType": ""}, b"[]", id="§7 no contentType"),
        pytest.param({"contentType": "text/xml"}, b"[]", id="§7 unknown contentType"),
        pytest.param({"merge": "perhaps"}, b"[]", id="§7 merge neither True nor False"),
        pytest.param({"headerRow": "perhaps"}, b"[]", id="headerRow neither True nor False"),
        pytest.param({}, b"", id="§7 empty JSON file"),
        pytest.param({}, b"{}", id="§7 JSON that is no array"),
        pytest.param({}, b"[{]", id="§7 no JSON"),
        pytest.param({"contentType": "text/csv"}, b"a,b\r\n", id="§7 CSV without header row or template"),
        pytest.param({"contentType": "text/csv", "headerRow": "True"}, b'a,b\r\n"x"y,2', id="§7 CSV, stray text"),
        pytest.param({"contentType": "text/csv", "headerRow": "True"}, b'a,b\r\n"x,2', id="§7 CSV, open quote"),
        pytest.param({"contentType": "text/csv", "headerRow": "True"}, b"a,b\r\n\xff,2", id="§7 CSV, no UTF-8"),
        pytest.param({"contentType": "text/csv", "template": "#if($a)$a#end"}, b"a\r\n", id="§7 a directive"),
        pytest.param({"contentType": "text/csv", "template": "x" * 70_000}, b"a\r\n", id="a template too long"),
    ],
)
async def test_bad_parameters_or_files_are_rejected_jobs(liquid: Service, fields: dict[str, str], file: bytes) -> None:
    status = await liquid.submit_import(file, **fields)
    assert (status["status"], status["recordsProcessed"]) == ("Rejected", "0")
    assert status["reason"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("application/json", b"[]", id="§7 no multipart"),
        pytest.param("multipart/form-data", b"--B--", id="§7 no boundary"),
        pytest.param("multipart/form-data; boundary=B", b"", id="§7 an empty body"),
        pytest.param("multipart/form-data; boundary=B", b"nonsense", id="§7 unreadable"),
        pytest.param("multipart/form-data; boundary=B", PART % b"file", id="§7 cut off"),
        pytest.param("multipart/form-data; boundary=B", PART % b"jobName" + b"\r\n--B--\r\n", id="§7 no file part"),
    ],
)
async def test_an_unreadable_upload_or_no_file_is_a_400(liquid: Service, content_type: str, body: bytes) -> None:
    headers = {"content-type": content_type}
    answer = await liquid.http.post(f"{BASE}/batch/import", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("content_type", ["plain/text", "text/plain", "text/csv"], ids="§7 {}".format)
async def test_a_csv_with_a_header_row_maps_columns_by_name(liquid: Service, content_type: str) -> None:
    file = b'accountId,name,note\r\na,"Ann, ""A""",\r\n\r\nb,Bob,x\r\n'
    status = await liquid.imported(file, contentType=content_type, headerRow="True")
    assert (status["contentType"], status["recordsProcessed"]) == (content_type, "2")
    assert await liquid.data() == [
        {"accountId": "a", "name": 'Ann, "A"'},
        {"accountId": "b", "name": "Bob", "note": "x"},
    ]


async def test_a_csv_row_of_another_length_is_a_bad_record(liquid: Service) -> None:
    file = b"accountId,name\r\na\r\nb,Bob\r\nc,1,2\r\n"
    status = await liquid.imported(file, contentType="text/csv", headerRow="True")
    assert (status["status"], status["recordsProcessed"]) == ("Completed", "1")


async def test_csv_values_become_what_the_schema_says() -> None:
    async with service(Settings(item_types=(TYPED,))) as liquid:
        file = b"accountId,size,good\r\n7,2.5,TRUE\r\n8,many,true\r\n9,1,\r\n"
        status = await liquid.imported(file, contentType="text/csv", headerRow="True")
        assert status["recordsProcessed"] == "2"
        assert await liquid.data() == [{"accountId": "7", "size": 2.5, "good": True}, {"accountId": "9", "size": 1}]


@pytest.mark.parametrize(
    ("template", "data"),
    [
        pytest.param('{"accountId": "$id", "name": "${name}"}', {"name": "Ann"}, id="§7 $name, ${name}"),
        pytest.param('{"accountId": "$col0", "name": "$!{none}$!none"}', {"name": ""}, id="§7 $!{name}, $col0"),
        pytest.param('{"accountId": "$id", "name": "${none}"}', {"name": "${none}"}, id="§7 a reference to nothing"),
        pytest.param('{"headers": {"action": "Merge"}, "data": {"accountId": "$id"}}', {}, id="§7 a whole item"),
        pytest.param('{"accountId": "$id", "name": "# $ #1 $1"}', {"name": "# $ #1 $1"}, id="§7 no directive"),
    ],
)
async def test_a_template_makes_an_item_of_each_row(liquid: Service, template: str, data: dict[str, str]) -> None:
    fields = {"contentType": "text/csv", "headerRow": "True", "template": template}
    assert (await liquid.imported(b"id,name\r\na,Ann\r\n", **fields))["recordsProcessed"] == "1"
    assert await liquid.data() == [{"accountId": "a", **data}]


async def test_a_template_may_be_a_file_and_needs_no_header_row(liquid: Service) -> None:
    """The published script labels the part ``application/json``. §7 [client]"""
    files: list[tuple[str, tuple[str, bytes, str, dict[str, str]]]] = [
        ("template", ("/data/t.vm", b'{"accountId": "$col1"}', "application/json", {})),
        ("file", ("/data/f.csv", b'x,a\r\ny,b\r\nz,"c"""\r\n', "plain/text", {"Expires": "0"})),
    ]
    form = {"jobName": "run", "itemType": "Account", "contentType": "plain/text"}
    job = (await liquid.http.post(f"{BASE}/batch/import", data=form, files=files)).json()
    status = await liquid.finished(job)
    assert (status["status"], status["recordsProcessed"]) == ("Completed", "2")
    assert [one["accountId"] for one in await liquid.data()] == ["a", "b"]


async def test_a_template_is_ignored_for_json(liquid: Service) -> None:
    assert (await liquid.imported([{"accountId": "a"}], template="#if"))["recordsProcessed"] == "1"


async def test_one_job_name_makes_two_jobs(liquid: Service) -> None:
    jobs = [await liquid.submit_import([]) for _ in range(2)]
    assert jobs[0]["jobId"] != jobs[1]["jobId"]
    assert [(await liquid.finished(job))["status"] for job in jobs] == ["Completed", "Completed"]


@pytest.mark.parametrize(
    ("settings", "status", "state"),
    [
        pytest.param(Settings(max_import_bytes=100), 413, None, id="§12 bytes"),
        pytest.param(Settings(max_import_records=1), 200, "Rejected", id="§12 records"),
        pytest.param(Settings(), 200, "Accepted", id="§12 off by default"),
    ],
)
async def test_import_ceilings_have_their_answers(settings: Settings, status: int, state: str | None) -> None:
    async with service(settings) as liquid:
        answer = await liquid.post_import([item("a"), item("b")], JOB)
    assert (answer.status_code, answer.json().get("status")) == (status, state)


async def test_the_ledger_has_every_record_with_the_instant_it_was_due(liquid: Service) -> None:
    job = await liquid.submit_import([{"accountId": f"k{number}"} for number in range(250)])
    await liquid.wait(3600)
    entries = await liquid.control.ledger(LedgerFilter(endpoint="POST /ls/api/batch/import"))
    assert [one.key for one in entries] == [f"k{number}" for number in range(250)]
    assert {(one.request, one.operation, one.effect) for one in entries} == {(2, "Update", "Created")}
    assert entries[-1].at - entries[0].at < 1
    assert (await liquid.status(job))["recordsProcessed"] == "250"


@pytest.mark.parametrize(
    ("counted", "processed", "reason"),
    [
        pytest.param(True, "12", "12 of 12 records", id="§15 counted: 12 of 12 with 2 refused"),
        pytest.param(False, "10", "10 of 12 records", id="§7 not counted"),
    ],
)
async def test_a_count_may_hide_refused_records(counted: bool, processed: str, reason: str) -> None:
    async with service(Settings(import_counts_refused=counted)) as liquid:
        good = [{"accountId": f"k{number}"} for number in range(10)]
        status = await liquid.imported([*good, {"name": "no key"}, "no record"])
        assert (status["status"], status["recordsProcessed"], status["reason"]) == ("Completed", processed, reason)
        assert len(await liquid.items()) == 10
