"""``batch/export`` as liquid_decisions.md §10 has it."""

import pytest

from sandbox.liquid_decisions.faults import FailJob
from sandbox.liquid_decisions.settings import Settings
from tests.sandbox.liquid_decisions.service import Service, item, links_in, service

TABLE = "acme_entity_Account"
WEEK_S = 7 * 24 * 3600


async def _fill(liquid: Service) -> None:
    await liquid.upsert(
        item("a", name="Ann, A", size=2, good=True, phones=[{"number": "1"}]),
        item("b", name="Bob", size=1.5, good=False),
        item("c", name="Bob"),
    )


async def test_json_is_an_array_of_all_items_with_their_blocks(liquid: Service) -> None:
    await _fill(liquid)
    [file] = await liquid.exported()
    assert (file.status_code, file.headers["content-type"]) == (200, "application/json")
    assert file.json() == await liquid.items()
    assert file.json()[0]["data"]["phones"] == [{"number": "1"}]


async def test_the_answer_is_the_status_at_once(liquid: Service) -> None:
    job = await liquid.submit_export(notificationEmail="ops@example.com")
    assert (job["status"], job["notificationEmail"], job["reason"]) == ("Accepted", "ops@example.com", "waiting to run")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param({}, 'a,"Ann, A",2,true\r\nb,Bob,1.5,false\r\nc,Bob,,\r\n', id="§10 scalar fields in schema order"),
        pytest.param(
            {"rowHeader": "true", "filters": '{"accountId": "c"}'},
            "accountId,name,size,good\r\nc,Bob,,\r\n",
            id="§10 rowHeader",
        ),
        pytest.param({"template": "$accountId;$!{size}"}, "a;2\r\nb;1.5\r\nc;\r\n", id="§10 template"),
        pytest.param(
            {"template": "$name;${accountId}", "rowHeader": "True", "filters": "{'accountId': 'c'}"},
            "name,accountId\r\nBob;c\r\n",
            id="§10 template with rowHeader",
        ),
        pytest.param(
            {"sqlQuery": f"SELECT name, count(*) AS n FROM {TABLE} GROUP BY name", "rowHeader": "true"},
            'name,n\r\n"Ann, A",1\r\nBob,2\r\n',
            id="§10 sqlQuery: the selected columns",
        ),
        pytest.param(
            {"sqlQuery": f"SELECT size FROM {TABLE} ORDER BY accountId", "template": "[$!size]"},
            "[2]\r\n[1.5]\r\n[]\r\n",
            id="sqlQuery with a template",
        ),
    ],
)
@pytest.mark.parametrize("word", [pytest.param("text/plain", id="text/plain"), pytest.param("plain/text", id="sic")])
async def test_csv_has_a_line_an_item(liquid: Service, fields: dict[str, str], text: str, word: str) -> None:
    await _fill(liquid)
    [file] = await liquid.exported(contentType=word, **fields)
    assert (file.headers["content-type"], file.text) == ("text/csv; charset=utf-8", text)


@pytest.mark.parametrize(
    ("filters", "keys"),
    [
        pytest.param('{"name": "Bob"}', "bc", id="§10 JSON"),
        pytest.param("{'name': 'Bob'}", "bc", id="§10 single quotes"),
        pytest.param("{u'name': u'Bob', u'size': 1.5}", "b", id="§10 str(dict) of Python 2, all must match"),
        pytest.param('{"good": true}', "a", id="§10 a boolean, JSON"),
        pytest.param("{'good': 'True'}", "a", id="§10 a boolean, Python"),
        pytest.param('{"size": "2"}', "a", id="§10 a number as text"),
        pytest.param('{"nothing": "x"}', "", id="§10 a field nobody has"),
        pytest.param("{'size': [1j, {2}]}", "", id="§10 no value of JSON"),
        pytest.param("0", "abc", id="§10 0: none"),
        pytest.param("", "abc", id="§10 empty: none"),
        pytest.param("None", "abc", id="§10 None: none"),
        pytest.param("{}", "abc", id="§10 no filter in it"),
    ],
)
async def test_filters_select_items(liquid: Service, filters: str, keys: str) -> None:
    await _fill(liquid)
    [file] = await liquid.exported(filters=filters)
    assert [one["data"]["accountId"] for one in file.json()] == list(keys)


async def test_a_query_selects_items_by_h_id(liquid: Service) -> None:
    await _fill(liquid)
    query = f"SELECT h_id FROM {TABLE} WHERE name = 'Bob' ORDER BY accountId DESC"
    [file] = await liquid.exported(sqlQuery=query, filters="{not read beside a query")
    assert [one["data"]["accountId"] for one in file.json()] == ["c", "b"]
    [flat] = await liquid.exported(sqlQuery=f"SELECT name FROM {TABLE} WHERE accountId = 'a'")
    assert flat.json() == [{"name": "Ann, A"}]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"itemType": "Nothing"}, id="§10 unknown type"),
        pytest.param({"itemType": ""}, id="no itemType"),
        pytest.param({"jobName": ""}, id="no jobName"),
        pytest.param({"contentType": "text/xml"}, id="unknown contentType"),
        pytest.param({"rowHeader": "perhaps"}, id="rowHeader"),
        pytest.param({"filters": "[1]"}, id="filters: no object"),
        pytest.param({"filters": "{nonsense"}, id="filters: neither JSON nor Python"),
        pytest.param({"filters": "{" * 5000}, id="filters: too deep"),
        pytest.param({"contentType": "text/csv", "template": "#set($x = 1)"}, id="§7 a directive"),
    ],
)
async def test_bad_parameters_are_a_rejected_job(liquid: Service, fields: dict[str, str]) -> None:
    assert (await liquid.submit_export(**fields))["status"] == "Rejected"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"sqlQuery": "SELECT nonsense FROM nowhere"}, id="§10 bad SQL"),
        pytest.param({"sqlQuery": f"DELETE FROM {TABLE}"}, id="§10 no SELECT"),
        pytest.param({"sqlQuery": f"SELECT h_id FROM {TABLE}", "itemType": "Order"}, id="h_id of another table"),
        pytest.param({"sqlQuery": "SELECT hex(zeroblob(2000))"}, id="too long for the sandbox"),
    ],
)
async def test_what_goes_wrong_in_the_run_fails_the_job(fields: dict[str, str]) -> None:
    async with service(Settings(max_export_bytes=2000)) as liquid:
        await _fill(liquid)
        status = await liquid.finished(await liquid.submit_export(**fields))
    assert (status["status"], links_in(status)) == ("Failed", [])


async def test_a_job_made_to_fail_leaves_no_files(liquid: Service) -> None:
    await _fill(liquid)
    await liquid.control.add_fault(FailJob(after_records=2, path="/ls/api/batch/export"))
    status = await liquid.finished(await liquid.submit_export())
    assert (status["status"], status["recordsProcessed"]) == ("Failed", "2")
    assert (await liquid.control.state())["export_bytes"] == 0


async def test_a_large_result_is_several_files() -> None:
    async with service(Settings(records_per_file=2)) as liquid:
        await _fill(liquid)
        files = await liquid.exported(contentType="text/csv", rowHeader="true", template="$accountId")
        items = await liquid.exported()
    assert [file.text for file in files] == ["accountId\r\na\r\nb\r\n", "accountId\r\nc\r\n"]
    assert [len(file.json()) for file in items] == [2, 1]


async def test_no_items_are_one_empty_file(liquid: Service) -> None:
    [items] = await liquid.exported()
    [lines] = await liquid.exported(contentType="text/plain", rowHeader="true")
    assert (items.json(), lines.text) == ([], "accountId\r\n")


async def test_links_die_a_week_after_completion(liquid: Service) -> None:
    await _fill(liquid)
    status = await liquid.finished(await liquid.submit_export())
    [link] = links_in(status)
    await liquid.control.advance(WEEK_S - 3600)
    assert (await liquid.http.get(link, headers={"authorization": ""})).status_code == 200
    await liquid.control.advance(3600)
    dead = await liquid.http.get(link)
    assert (dead.status_code, dead.json()["error"]) == (410, "gone")
    assert (await liquid.control.state())["export_bytes"] == 0


async def test_a_template_is_for_csv_only(liquid: Service) -> None:
    await _fill(liquid)
    [file] = await liquid.exported(template="#set($x = 1)")
    assert len(file.json()) == 3


async def test_an_unknown_file_is_a_404(liquid: Service) -> None:
    assert (await liquid.http.get("/ls/exports/nonsense.json")).status_code == 404


async def test_files_beyond_the_sandboxs_room_fail_the_export() -> None:
    async with service(Settings(max_export_bytes=1000)) as liquid:
        await _fill(liquid)
        ends = [(await liquid.finished(await liquid.submit_export()))["status"] for _ in range(8)]
        await liquid.wait(WEEK_S)
        later = await liquid.finished(await liquid.submit_export())
    assert (ends[0], ends[-1], later["status"]) == ("Completed", "Failed", "Completed")


async def test_links_come_by_mail_only_when_switched_so() -> None:
    async with service(Settings(links_in_reason=False)) as liquid:
        await _fill(liquid)
        status = await liquid.finished(await liquid.submit_export(notificationEmail="ops@example.com"))
        [mail] = await liquid.mails()
        file = await liquid.http.get(mail["links"][0])
    assert (links_in(status), mail["status"], len(file.json())) == ([], "Completed", 3)


async def test_an_export_can_be_canceled() -> None:
    async with service(Settings(queue_s=100)) as liquid:
        job = await liquid.submit_export()
        await liquid.post("batch/cancel", jobId=job["jobId"])
        assert (await liquid.finished(job))["status"] == "Canceling"
        assert (await liquid.finished(job))["status"] == "Canceled"


async def test_only_the_first_file_may_have_a_header_row() -> None:
    async with service(Settings(records_per_file=2, header_in_each_file=False)) as liquid:
        await _fill(liquid)
        files = await liquid.exported(contentType="text/csv", rowHeader="true", template="$accountId")
    assert [file.text for file in files] == ["accountId\r\na\r\nb\r\n", "c\r\n"]


async def test_a_range_is_ignored(liquid: Service) -> None:
    """§15"""
    await _fill(liquid)
    [link] = links_in(await liquid.finished(await liquid.submit_export()))
    whole, part = await liquid.http.get(link), await liquid.http.get(link, headers={"range": "bytes=10-"})
    assert (part.status_code, part.content) == (200, whole.content)
    assert not {"accept-ranges", "content-range"} & part.headers.keys()


async def test_links_may_stand_in_another_field_and_lead_elsewhere() -> None:
    """§15: links in any text field; believe none of another host."""
    async with service(Settings(links_field="response", links_origin="https://files.example")) as liquid:
        status = await liquid.finished(await liquid.submit_export())
    assert (links_in(status), status["response"].startswith("https://files.example/ls/exports/")) == ([], True)
