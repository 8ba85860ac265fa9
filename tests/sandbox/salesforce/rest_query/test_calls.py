"""The REST query call: selecting, counting and refusing. salesforce_bulk.md §9; shape [assumed]."""

import pytest

from tests.sandbox.salesforce.orgs import Served, error_of
from tests.sandbox.salesforce.rest_query.client import DATA, ask, find


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
    assert await find(forest, soql) == {"totalSize": count, "done": True, "records": []}


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
    found = await find(forest, f"SELECT Ext__c FROM Account {clauses}")
    assert [record["Ext__c"] for record in found["records"]] == [f"E-{number}" for number in expected]
    assert found["totalSize"] == len(expected)


async def test_query_all_finds_deleted_records_too(salesforce: Served) -> None:
    await salesforce.load("LastName\nBerg\nLind\n", "insert")
    [first, _] = (await find(salesforce, "SELECT Id FROM Contact"))["records"]
    await salesforce.load(f"Id\n{first['Id']}\n", "delete")
    assert (await find(salesforce, "SELECT COUNT() FROM Contact"))["totalSize"] == 1
    assert (await find(salesforce, "SELECT COUNT() FROM Contact", "queryAll"))["totalSize"] == 2
    deleted = await find(salesforce, "SELECT Id FROM Contact WHERE IsDeleted = true", "queryAll")
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
    assert error_of(await ask(forest, soql)) == (400, code)
    assert error_of(await ask(forest, soql, "queryAll")) == (400, code)


async def test_a_query_without_q_is_malformed(forest: Served) -> None:
    assert error_of(await forest.http.get(f"{DATA}/query")) == (400, "MALFORMED_QUERY")


async def test_a_dead_session_is_a_401(forest: Served) -> None:
    answer = await forest.http.get(f"{DATA}/query", headers={"authorization": "Bearer dead"}, params={"q": "SELECT"})
    assert error_of(answer) == (401, "INVALID_SESSION_ID")


async def test_another_method_is_a_405_and_a_retired_version_a_410(forest: Served) -> None:
    assert error_of(await forest.http.post(f"{DATA}/query")) == (405, "METHOD_NOT_ALLOWED")
    assert error_of(await forest.http.get("/services/data/v30.0/query"))[0] == 410


async def test_an_object_that_the_bulk_apis_do_not_take_can_be_queried(forest: Served) -> None:
    assert (await find(forest, "SELECT COUNT() FROM ContentBody"))["totalSize"] == 0
