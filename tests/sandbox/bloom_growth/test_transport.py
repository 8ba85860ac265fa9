"""Behaviour of all endpoints: case, content types, empty bodies, wrong paths. bloom_growth.md §1, §10."""

import json
import re
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from sandbox.bloom_growth.settings import Settings
from tests.sandbox.bloom_growth.tenants import BloomTenant, bloom_tenant

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("path", ["L10/list", "l10/list", "l10/LIST", "L10/list/"])
async def test_paths_are_taken_in_any_case(bloom: BloomTenant, path: str) -> None:
    assert len(await bloom.get(path)) == 2


async def test_the_base_path_is_taken_in_any_case(bloom: BloomTenant) -> None:
    assert (await bloom.http.get(f"{bloom.url}/API/V1/Users/Mine")).json()["Name"] == "Alex Morgan"


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("title", "meetingid", "ownerid", "notes"), id="§4 the SDK's"),
        pytest.param(("title", "meetingId", "ownerId", "notes"), id="§4 the reference's"),
        pytest.param(("TITLE", "MeetingID", "OWNERID", "Notes"), id="§1 any"),
    ],
)
async def test_members_are_bound_in_any_case(bloom: BloomTenant, names: tuple[str, ...]) -> None:
    maria = await bloom.user("maria")
    values = ("t", await bloom.meeting(), maria, "n")
    issue = await bloom.send("POST", "issues/create", dict(zip(names, values, strict=True)))
    assert (issue["Name"], issue["Owner"]["Id"]) == ("t", maria)


@pytest.mark.parametrize("query", ["include_resolved=true", "INCLUDE_RESOLVED=true", "Include_Resolved=True"])
async def test_query_parameters_are_taken_in_any_case(bloom: BloomTenant, query: str) -> None:
    meeting = await bloom.meeting()
    assert len(await bloom.get(f"L10/{meeting}/issues?{query}")) == 5
    assert len(await bloom.get(f"L10/{meeting}/issues")) == 4


async def test_a_query_that_is_no_boolean_is_a_400(bloom: BloomTenant) -> None:
    assert await bloom.status("GET", f"L10/{await bloom.meeting()}/issues?include_resolved=maybe") == 400


@pytest.mark.parametrize(
    ("content_type", "encode"),
    [
        pytest.param("application/json", json.dumps, id="§1 application/json"),
        pytest.param("Application/JSON; charset=utf-8", json.dumps, id="a parameter and another case"),
        pytest.param("text/json", json.dumps, id="§1 text/json"),
        pytest.param(FORM, lambda body: str(httpx.QueryParams(body)), id="§1 form"),
        pytest.param(FORM, lambda body: "&".join(f"{name}={body[name]}" for name in body), id="§1 form as curl has it"),
    ],
)
async def test_bodies_of_every_documented_type_are_taken(bloom: BloomTenant, content_type: str, encode) -> None:  # type: ignore[no-untyped-def]
    body = encode({"title": "t ü", "meetingid": await bloom.meeting(), "ownerid": await bloom.me()})
    answer = await bloom.http.post("issues/create", content=body, headers={"content-type": content_type})
    assert (answer.status_code, answer.json()["Name"]) == (200, "t ü")


@pytest.mark.parametrize(
    "headers",
    [pytest.param({"content-type": "application/xml"}, id="§14 415 another type"), pytest.param({}, id="§14 415 none")],
)
async def test_a_body_of_another_type_is_a_415(bloom: BloomTenant, headers: dict[str, str]) -> None:
    answer = await bloom.http.post("L10/create", content=b"<title/>", headers=headers)
    assert (answer.status_code, list(answer.json())) == (415, ["Message"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "L10/{meeting}", id="§1 GET"),
        pytest.param("POST", "L10/{meeting}/attendees/{me}", id="§1 body-less POST"),
        pytest.param("PUT", "rocks/{goal}/archive", id="§1 body-less PUT"),
        pytest.param("DELETE", "rocks/{goal}", id="§1 DELETE"),
    ],
)
async def test_an_empty_body_declared_as_json_is_not_parsed(bloom: BloomTenant, method: str, path: str) -> None:
    """§1 [client]: the SDK sets the header on all calls, also those without a body."""
    meeting = await bloom.meeting()
    [goal, *_] = await bloom.get(f"L10/{meeting}/rocks")
    path = path.format_map({"meeting": meeting, "me": await bloom.me(), "goal": goal["Id"]})
    answer = await bloom.http.request(method, path, headers={"content-type": "application/json"})
    assert answer.status_code == 200


async def test_instants_are_answered_in_whole_seconds_of_utc(bloom: BloomTenant) -> None:
    """§1, dates [assumed]: the one form that parses in every client seen."""
    meeting = await bloom.meeting()
    paths = [f"L10/{meeting}{name}" for name in ("", "/issues", "/todos", "/rocks", "/headlines")]
    texts = [(await bloom.http.get(path)).text for path in [*paths, f"scorecard/meeting/{meeting}"]]
    found = re.findall(r'"(?:\w+(?:Time|Date)|StartDateUtc|DateEntered)":"([^"]*)"', "".join(texts))
    assert len(found) > 50
    assert [one for one in found if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one)] == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "users/mine", 200, id="an answer"),
        pytest.param("DELETE", "rocks/1", 404, id="a refusal"),
        pytest.param("GET", "nothing", 200, id="§10 the web application's page"),
        pytest.param("PATCH", "issues/1", 405, id="no such method"),
    ],
)
async def test_every_answer_has_the_sandboxes_date(bloom: BloomTenant, method: str, path: str, status: int) -> None:
    """§15: it is a baseline, so it must follow the clock that ``CreateTime`` follows."""
    await bloom.control.advance(86_400)
    answer = await bloom.http.request(method, path)
    created = datetime.fromisoformat((await bloom.create("rocks"))["CreateTime"])
    [date] = answer.headers.get_list("date")
    assert answer.status_code == status
    assert timedelta(0) <= created - parsedate_to_datetime(date) < timedelta(hours=1)


@pytest.mark.parametrize(("normalizes", "stored"), [(False, " a \t b\n"), (True, "a b")])
async def test_titles_may_be_trimmed_and_their_blanks_collapsed(normalizes: bool, stored: str) -> None:
    """§15 ``--normalize-titles`` [assumed], of creates and updates of every kind."""
    async with bloom_tenant(Settings(requests_per_second=None, normalizes_titles=normalizes)) as bloom:
        sent = {"title": " a \t b\n"}
        meeting = (await bloom.send("POST", "L10/create", sent))["meetingId"]
        found = [(await bloom.get(f"L10/{meeting}"))["Basics"]["Name"]]
        found += [(await bloom.create(kind, **sent))["Name"] for kind in ("issues", "todos", "rocks", "headlines")]
        goal = (await bloom.create("rocks"))["Id"]
        await bloom.send("PUT", f"rocks/{goal}", sent)
        assert {*found, (await bloom.get(f"rocks/{goal}"))["Name"]} == {stored}


@pytest.mark.parametrize(("accept", "content_type"), [("*/*", "application/json"), ("text/json", "text/json")])
async def test_answers_are_json_of_the_type_asked_for(bloom: BloomTenant, accept: str, content_type: str) -> None:
    answer = await bloom.http.get("users/mine", headers={"accept": accept})
    assert answer.headers["content-type"] == content_type


@pytest.mark.parametrize("path", ["todos/1", "nothing", "users//mine"])
async def test_a_wrong_path_is_the_web_applications_page(bloom: BloomTenant, path: str) -> None:
    answer = await bloom.http.get(path, headers={"authorization": ""})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<html>" in answer.content


@pytest.mark.parametrize(("method", "path"), [("DELETE", "todo/1"), ("PATCH", "issues/1")])
async def test_a_method_that_a_path_lacks_is_a_405(bloom: BloomTenant, method: str, path: str) -> None:
    """§14; §3.14: a todo cannot be deleted."""
    answer = await bloom.http.request(method, path)
    assert (answer.status_code, list(answer.json())) == (405, ["Message"])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="not JSON"),
        pytest.param(b"[]", id="not an object"),
        pytest.param(b'{"title":5}', id="§10 wrong type"),
        pytest.param(b'{"title":"t","addSelf":"yes"}', id="§10 wrong type of a boolean"),
        pytest.param(b'{"x":' + b"[" * 100_000, id="nested too deeply"),
        pytest.param(b'{"title":"\xff"}', id="not UTF-8"),
    ],
)
async def test_a_body_that_cannot_be_bound_is_a_400_with_a_message(bloom: BloomTenant, body: bytes) -> None:
    answer = await bloom.http.post("L10/create", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, list(answer.json())) == (400, ["Message"])


async def test_unknown_members_are_ignored(bloom: BloomTenant) -> None:
    assert await bloom.status("POST", "L10/create", {"title": "t", "colour": {"is": "green"}}) == 200


async def test_a_body_beyond_the_limit_is_a_413_and_changes_nothing() -> None:
    async with bloom_tenant(Settings(requests_per_second=None, max_body_bytes=50)) as small:
        assert await small.status("POST", "L10/create", {"title": "x" * 50, "addSelf": True}) == 413
        assert len(await small.get("L10/list")) == 2


@pytest.mark.parametrize("word", [pytest.param("x", id="a word"), pytest.param(str(2**63), id="more than 64 bits")])
async def test_an_id_that_is_no_number_is_a_400(bloom: BloomTenant, word: str) -> None:
    assert await bloom.status("GET", f"issues/{word}") == 400


async def test_permissions_come_when_asked_for(bloom: BloomTenant) -> None:
    """§1 ``includePermission``, in bodies of objects and lists of them; not of users."""
    meeting = await bloom.meeting()
    assert "Permission" not in await bloom.get(f"L10/{meeting}")
    for path in (f"L10/{meeting}", f"L10/{meeting}/issues", f"L10/{meeting}/todos", f"L10/{meeting}/rocks"):
        found = await bloom.get(f"{path}?includePermission=true")
        first = found[0] if isinstance(found, list) else found
        assert first["Permission"] == {"CanEdit": True}
    assert "Permission" not in await bloom.get("users/mine?includePermission=true")


async def test_a_write_refused_for_its_query_changes_nothing(bloom: BloomTenant) -> None:
    assert await bloom.status("POST", "L10/create?includePermission=x", {"title": "t", "addSelf": True}) == 400
    assert len(await bloom.get("L10/list")) == 2


async def test_a_list_is_one_bare_array_with_everything(bloom: BloomTenant) -> None:
    """§1: no pagination."""
    path = f"L10/{await bloom.meeting('Sales')}/issues"
    before = len(await bloom.get(path))
    for number in range(150):
        await bloom.send("POST", path, {"title": f"{number}"})
    assert len(await bloom.get(path)) == before + 150
