"""The REST query call, with which people read back what they have written. salesforce_bulk.md §9; shape [assumed]."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import Served, error_of, org

DATA = "/services/data/v59.0"
ACCOUNTS = """Ext__c,Name,NumberOfEmployees,Active__c
E-1,Alder,10,true
E-2,Birch,20,false
E-3,Cedar,,true
E-4,Alder,40,true
"""


@pytest_asyncio.fixture(scope="module", name="forest")
async def _forest() -> AsyncIterator[Served]:
    async with org() as served:
        await served.load(ACCOUNTS, object_name="Account")
        await served.load("LastName,Account.Ext__c\nBerg,E-1\nLind,\n", "insert")
        yield served


async def _asked(served: Served, soql: str, name: str = "query") -> httpx.Response:
    return await served.http.get(f"{DATA}/{name}", params={"q": soql})


async def _found(served: Served, soql: str, name: str = "query") -> dict[str, Any]:
    answer = await _asked(served, soql, name)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    found: dict[str, Any] = answer.json()
    return found


async def test_records_come_as_json_with_attributes(forest: Served) -> None:
    soql = "select Id, name, NumberOfEmployees, Active__c from account where Ext__c = 'E-1'"
    found = await _found(forest, soql)
    [record] = found.pop("records")
    assert found == {"totalSize": 1, "done": True}
    url = f"{DATA}/sobjects/Account/{record['Id']}"
    assert record.pop("attributes") == {"type": "Account", "url": url}
    assert record == {"Id": record["Id"], "Name": "Alder", "NumberOfEmployees": 10, "Active__c": True}


async def test_parents_are_objects_inside_and_null_where_there_is_none(forest: Served) -> None:
    soql = "SELECT LastName, Account.Name, Account.CreatedBy.Username FROM Contact ORDER BY LastName"
    berg, lind = (await _found(forest, soql))["records"]
    assert (berg["Account"]["Name"], berg["Account"]["attributes"]["type"]) == ("Alder", "Account")
    assert berg["Account"]["CreatedBy"]["Username"] == "loader@example.com"
    assert berg["Account"]["CreatedBy"]["attributes"]["type"] == "User"
    assert (lind["LastName"], lind["Account"]) == ("Lind", None)


async def test_members_stand_as_they_were_selected(forest: Served) -> None:
    [record] = (await _found(forest, "SELECT LastName, Account.Name, Id, Account.Ext__c FROM Contact LIMIT 1"))[
        "records"
    ]
    assert list(record) == ["attributes", "LastName", "Account", "Id"]
    assert list(record["Account"]) == ["attributes", "Name", "Ext__c"]


async def test_instants_have_the_form_of_json_dates() -> None:
    async with org() as served:
        await served.load("LastName,Birthdate\nBerg,1990-01-02\n", "insert")
        [record] = (await _found(served, "SELECT CreatedDate, Birthdate FROM Contact"))["records"]
    assert record["CreatedDate"].endswith("+0000")
    assert record["CreatedDate"][10] == "T"
    assert record["Birthdate"] == "1990-01-02"


@pytest.mark.parametrize(
    ("soql", "count"),
    [
        pytest.param("SELECT COUNT() FROM Account", 4, id="all"),
        pytest.param("select count( ) from Account where Name = 'Alder' AND Active__c = true", 2, id="WHERE"),
        pytest.param("SELECT COUNT() FROM Account WHERE Name LIKE 'x%'", 0, id="none"),
        pytest.param("SELECT COUNT() FROM Account LIMIT 3", 3, id="LIMIT"),
    ],
)
async def test_count_is_a_total_without_records(forest: Served, soql: str, count: int) -> None:
    assert await _found(forest, soql) == {"totalSize": count, "done": True, "records": []}


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        pytest.param("ORDER BY Ext__c OFFSET 1", "234", id="OFFSET"),
        pytest.param("ORDER BY Ext__c LIMIT 2 OFFSET 1", "23", id="LIMIT and OFFSET"),
        pytest.param("ORDER BY Name DESC, Ext__c LIMIT 3 OFFSET 1", "214", id="two fields in order"),
        pytest.param("WHERE Name = 'Alder' OFFSET 1", "4", id="WHERE and OFFSET"),
        pytest.param("OFFSET 4", "", id="past the end"),
        pytest.param("WHERE NOT (Name IN ('Birch') OR Name LIKE 'ce%') ORDER BY Ext__c", "14", id="NOT, OR, IN, LIKE"),
    ],
)
async def test_clauses_select_records(forest: Served, clauses: str, expected: str) -> None:
    found = await _found(forest, f"SELECT Ext__c FROM Account {clauses}")
    assert [record["Ext__c"] for record in found["records"]] == [f"E-{number}" for number in expected]
    assert found["totalSize"] == len(expected)


async def test_query_all_finds_deleted_records_too() -> None:
    async with org() as served:
        await served.load("LastName\nBerg\nLind\n", "insert")
        [first, _] = (await _found(served, "SELECT Id FROM Contact"))["records"]
        await served.load(f"Id\n{first['Id']}\n", "delete")
        assert (await _found(served, "SELECT COUNT() FROM Contact"))["totalSize"] == 1
        assert (await _found(served, "SELECT COUNT() FROM Contact", "queryAll"))["totalSize"] == 2
        deleted = await _found(served, "SELECT Id FROM Contact WHERE IsDeleted = true", "queryAll")
    assert [record["Id"] for record in deleted["records"]] == [first["Id"]]


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        pytest.param("SELECT Id FORM Account", "MALFORMED_QUERY", id="no FROM"),
        pytest.param("", "MALFORMED_QUERY", id="empty"),
        pytest.param("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY", id="an open quote"),
        pytest.param("SELECT COUNT(), Id FROM Account", "MALFORMED_QUERY", id="COUNT() beside a field"),
        pytest.param("SELECT COUNT() FROM Account ORDER BY Name", "MALFORMED_QUERY", id="COUNT() in order"),
        pytest.param("SELECT COUNT(Id) FROM Account", "MALFORMED_QUERY", id="COUNT of a field"),
        pytest.param("SELECT Id FROM Account OFFSET 1 LIMIT 1", "MALFORMED_QUERY", id="OFFSET before LIMIT"),
        pytest.param("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY", id="nested"),
        pytest.param("SELECT Name FROM Account GROUP BY Name", "MALFORMED_QUERY", id="GROUP BY"),
        pytest.param("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", id="OFFSET too far"),
        pytest.param("SELECT Foo FROM Account", "INVALID_FIELD", id="unknown field"),
        pytest.param("SELECT Id FROM Account WHERE Foo = 1", "INVALID_FIELD", id="unknown field in WHERE"),
        pytest.param("SELECT COUNT() FROM Account WHERE Foo = 1", "INVALID_FIELD", id="unknown field in COUNT()"),
        pytest.param("SELECT Id FROM Account ORDER BY Foo.Name", "INVALID_FIELD", id="unknown parent"),
        pytest.param("SELECT Id FROM Foo", "INVALID_TYPE", id="unknown object"),
        pytest.param("SELECT Id FROM Account WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", id="no id"),
    ],
)
async def test_refused_soql_is_named_by_its_code(forest: Served, soql: str, code: str) -> None:
    assert error_of(await _asked(forest, soql)) == (400, code)
    assert error_of(await _asked(forest, soql, "queryAll")) == (400, code)


async def test_a_query_without_q_is_malformed(forest: Served) -> None:
    assert error_of(await forest.http.get(f"{DATA}/query")) == (400, "MALFORMED_QUERY")


async def test_a_dead_session_is_a_401(forest: Served) -> None:
    answer = await forest.http.get(f"{DATA}/query", headers={"authorization": "Bearer dead"}, params={"q": "SELECT"})
    assert error_of(answer) == (401, "INVALID_SESSION_ID")


async def test_another_method_is_a_405_and_a_retired_version_a_410(forest: Served) -> None:
    assert error_of(await forest.http.post(f"{DATA}/query")) == (405, "METHOD_NOT_ALLOWED")
    assert error_of(await forest.http.get("/services/data/v30.0/query"))[0] == 410


async def test_an_object_that_the_bulk_apis_do_not_take_can_be_queried(forest: Served) -> None:
    assert (await _found(forest, "SELECT COUNT() FROM ContentBody"))["totalSize"] == 0


@pytest_asyncio.fixture(name="paged")
async def _paged() -> AsyncIterator[Served]:
    """Five contacts, two to a page."""
    async with org(Settings(rest_page_rows=2, query_cursor_s=60, max_query_cursors=2)) as served:
        await served.load("Ext__c,LastName\n" + "".join(f"K-{number},Berg\n" for number in range(5)))
        yield served


FIVE = "SELECT Ext__c FROM Contact ORDER BY Ext__c DESC"


async def test_pages_follow_next_records_url_until_done(paged: Served) -> None:
    page = await _found(paged, FIVE)
    keys = [record["Ext__c"] for record in page["records"]]
    while not page["done"]:
        assert page["totalSize"] == 5
        page = (await paged.http.get(page["nextRecordsUrl"])).json()
        keys += [record["Ext__c"] for record in page["records"]]
    assert keys == ["K-4", "K-3", "K-2", "K-1", "K-0"]
    assert "nextRecordsUrl" not in page


async def test_a_page_may_be_read_again_and_no_write_moves_it(paged: Served) -> None:
    url = (await _found(paged, FIVE))["nextRecordsUrl"]
    before = (await paged.http.get(url)).json()
    await paged.load("Ext__c,LastName\nK-9,Lind\n")
    assert (await paged.http.get(url)).json() == before


async def test_a_page_holds_2000_records() -> None:
    async with org() as served:
        await served.load("LastName\n" + "Berg\n" * 2001, "insert")
        page = await _found(served, "SELECT Id FROM Contact")
        assert (page["totalSize"], page["done"], len(page["records"])) == (2001, False, 2000)
        assert page["nextRecordsUrl"].startswith(f"{DATA}/query/01g")
        assert page["nextRecordsUrl"].endswith("-2000")
        last = (await served.http.get(page["nextRecordsUrl"])).json()
    assert (last["totalSize"], last["done"], len(last["records"])) == (2001, True, 1)


async def test_a_cursor_is_its_users_own(paged: Served) -> None:
    url = (await _found(paged, FIVE))["nextRecordsUrl"]
    answer = await paged.http.get(url, headers=paged.as_user("admin@example.com"))
    assert error_of(answer) == (400, "INVALID_QUERY_LOCATOR")


async def test_a_cursor_ends_with_time_and_when_a_user_has_too_many(paged: Served) -> None:
    first, second, third = [(await _found(paged, FIVE))["nextRecordsUrl"] for _ in range(3)]
    assert error_of(await paged.http.get(first)) == (400, "INVALID_QUERY_LOCATOR")
    assert (await paged.http.get(second)).status_code == 200
    await paged.control.advance(60)
    assert error_of(await paged.http.get(third)) == (400, "INVALID_QUERY_LOCATOR")


@pytest.mark.parametrize("locator", ["x", "01gX00000000001IAA-2", "-2", "01gX00000000001IAA", "é-1"])
async def test_a_locator_that_is_none_is_refused(salesforce: Served, locator: str) -> None:
    assert error_of(await salesforce.http.get(f"{DATA}/query/{locator}")) == (400, "INVALID_QUERY_LOCATOR")
