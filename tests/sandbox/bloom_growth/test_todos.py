"""Todos as in bloom_growth.md §3 rows 9–16 and §5."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.bloom_growth.settings import Settings
from tests.sandbox.bloom_growth.tenants import BloomTenant, bloom_tenant

NAMES = (
    "Id Type Key Name DetailsUrl DueDate CreateTime CompleteTime CloseTime Complete "
    "OriginId Origin TodoType Ordering Owner"
)


async def test_a_created_todo_has_everything_a_client_reads(bloom: BloomTenant) -> None:
    """§3.9, §3.11, §5."""
    todo = await bloom.create("todos", title="Send notes", notes="n", dueDate="2026-01-12")
    assert " ".join(todo) == NAMES
    assert (todo["Name"], todo["DueDate"], todo["TodoType"]) == ("Send notes", "2026-01-12T00:00:00Z", 0)
    assert (todo["OriginId"], todo["Origin"]) == (await bloom.meeting(), "Leadership Team L10")
    assert (todo["Complete"], todo["CompleteTime"], todo["CloseTime"], todo["Ordering"]) == (False, None, None, 0)
    assert await bloom.get(f"todo/{todo['Id']}") == todo


async def test_a_personal_todo_has_no_origin(bloom: BloomTenant) -> None:
    """§3.10, §5 [client]."""
    todo = await bloom.send("POST", "todo/create", {"title": "mine", "dueDate": "2026-01-12"})
    assert (todo["TodoType"], todo["OriginId"], todo["Origin"]) == (1, None, None)
    assert todo["Owner"]["Id"] == await bloom.me()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("accountableUserId", id="§5 the reference's and Ruby's"),
        pytest.param("AccountableUserID", id="§1 any case"),
        pytest.param("ForId", id="§5 bloomy-python's"),
    ],
)
async def test_every_spelling_of_the_assignee_is_taken(bloom: BloomTenant, name: str) -> None:
    maria = await bloom.user("maria")
    assert (await bloom.create("todos", **{name: maria}))["Owner"]["Id"] == maria


async def test_accountable_user_id_wins_over_for_id(bloom: BloomTenant) -> None:
    maria, jonas = await bloom.user("maria"), await bloom.user("jonas")
    assert (await bloom.create("todos", ForId=jonas, accountableUserId=maria))["Owner"]["Id"] == maria


async def test_strictly_for_id_is_ignored() -> None:
    """§5: the server may well assign such a todo to the caller."""
    async with bloom_tenant(Settings(requests_per_second=None, binds_for_id=False)) as strict:
        assert (await strict.create("todos", ForId=await strict.user("maria")))["Owner"]["Id"] == await strict.me()


@pytest.mark.parametrize(("binds", "owner"), [(True, "maria"), (False, "alex")])
async def test_a_personal_todo_may_name_its_owner(binds: bool, owner: str) -> None:
    async with bloom_tenant(Settings(requests_per_second=None, binds_personal_owner=binds)) as bloom:
        body = {"title": "t", "accountableUserId": await bloom.user("maria")}
        todo = await bloom.send("POST", "todo/create", body)
        assert todo["Owner"]["Id"] == await bloom.user(owner)


@pytest.mark.parametrize("name", [pytest.param("notes", id="§5 notes"), pytest.param("details", id="§5 details")])
async def test_both_spellings_of_notes_are_one_field_and_not_echoed(bloom: BloomTenant, name: str) -> None:
    todo = await bloom.create("todos", **{name: "the text"})
    assert "the text" not in str(todo)
    assert (await bloom.http.get(f"{bloom.url}/_sandbox/notes/todo/{todo['Id']}")).json()["notes"] == "the text"


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        pytest.param("2026-01-12", "2026-01-12T00:00:00Z", id="§1 date"),
        pytest.param("2010-01-10T11:36:20.136Z", "2010-01-10T11:36:20Z", id="§1 instant"),
        pytest.param("2026-01-12T10:00:00+02:00", "2026-01-12T08:00:00Z", id="another zone"),
        pytest.param("2026-01-12T10:00:00", "2026-01-12T10:00:00Z", id="no zone"),
    ],
)
async def test_due_dates_of_every_documented_form_are_taken(bloom: BloomTenant, sent: str, answered: str) -> None:
    assert (await bloom.create("todos", dueDate=sent))["DueDate"] == answered


@pytest.mark.parametrize("date", [pytest.param(None, id="null"), pytest.param("", id="§1 the empty string is null")])
async def test_a_todo_is_due_in_seven_days_unless_it_says(bloom: BloomTenant, date: str | None) -> None:
    before = datetime.now(UTC).date()
    due = datetime.fromisoformat((await bloom.create("todos", dueDate=date))["DueDate"]).date()
    assert due in (before + timedelta(days=7), datetime.now(UTC).date() + timedelta(days=7))


@pytest.mark.parametrize("date", ["tomorrow", "12/31/2026", "2026-02-30", "0001-01-01T00:00:00+23:59"])
async def test_a_date_that_is_none_is_a_400(bloom: BloomTenant, date: str) -> None:
    assert await bloom.status("POST", "todo/create", {"title": "t", "dueDate": date}) == 400


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        pytest.param({"title": "new"}, "Name", "new", id="§3.12 title"),
        pytest.param({"dueDate": "2027-02-03"}, "DueDate", "2027-02-03T00:00:00Z", id="§3.12 dueDate"),
        pytest.param({"title": None, "dueDate": None}, "Name", "t", id="nulls leave alone"),
    ],
)
async def test_an_update_is_read_back(bloom: BloomTenant, change: dict[str, Any], name: str, value: str) -> None:
    todo = await bloom.create("todos")
    assert await bloom.send("PUT", f"todo/{todo['Id']}", change) is None
    assert (await bloom.get(f"todo/{todo['Id']}"))[name] == value


async def test_assignee_and_notes_cannot_be_changed(bloom: BloomTenant) -> None:
    """§5."""
    todo = await bloom.create("todos", notes="old")
    body = {"accountableUserId": await bloom.user("maria"), "notes": "new"}
    await bloom.send("PUT", f"todo/{todo['Id']}", body)
    assert await bloom.get(f"todo/{todo['Id']}") == todo
    assert (await bloom.http.get(f"{bloom.url}/_sandbox/notes/todo/{todo['Id']}")).json()["notes"] == "old"


async def test_completing_sets_complete_and_does_not_close(bloom: BloomTenant) -> None:
    """§3.13, §3.16, §5: default lists still have it."""
    todo = await bloom.create("todos")
    assert await bloom.send("POST", f"todo/{todo['Id']}/complete?status=true") is True
    done = await bloom.get(f"todo/{todo['Id']}")
    assert done["Complete"]
    assert done["CompleteTime"] is not None
    assert done["CloseTime"] is None
    assert done in await bloom.get(f"L10/{todo['OriginId']}/todos?INCLUDE_CLOSED=false")


@pytest.mark.parametrize(
    ("query", "complete"),
    [
        pytest.param("", True, id="§3.13 status is true by default"),
        pytest.param("?status=true", True, id="§3.13 true"),
        pytest.param("?STATUS=true", True, id="§1 any case"),
        pytest.param("?status=false", False, id="§3.13 false reopens"),
    ],
)
async def test_the_status_says_whether_it_is_complete(bloom: BloomTenant, query: str, complete: bool) -> None:
    todo = await bloom.create("todos")
    await bloom.send("POST", f"todo/{todo['Id']}/complete")
    await bloom.send("POST", f"todo/{todo['Id']}/complete{query}")
    assert (await bloom.get(f"todo/{todo['Id']}"))["Complete"] == complete


async def test_closed_todos_are_listed_when_asked_for(bloom: BloomTenant) -> None:
    """§3.16, §5: the filter looks at ``CloseTime`` only; the seed has a closed one."""
    path = f"L10/{await bloom.meeting()}/todos"
    default, everything = await bloom.get(path), await bloom.get(f"{path}?INCLUDE_CLOSED=true")
    assert [one["CloseTime"] for one in default] == [None] * len(default)
    assert len(everything) == len(default) + 1


async def test_the_seed_has_todos_of_every_type(bloom: BloomTenant) -> None:
    """§5: 0 meeting, 1 personal, 2 milestone."""
    found = [*await bloom.get(f"L10/{await bloom.meeting()}/todos"), *await bloom.get("todo/users/mine")]
    assert {one["TodoType"] for one in found} == {0, 1, 2}


async def test_lists_by_user_have_all_of_the_users_todos(bloom: BloomTenant) -> None:
    """§3.15: ``todo/user/{uid}``, and the plural ``todo/users/mine``."""
    personal = await bloom.send("POST", "todo/create", {"title": "p"})
    todo = await bloom.create("todos")
    mine = await bloom.get("todo/users/mine")
    assert mine[-2:] == [personal, todo]
    assert await bloom.get(f"todo/user/{await bloom.me()}") == mine
