"""SOQL over stored records. salesforce_bulk.md §3.8, §9."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.sandbox.salesforce.orgs import QUERY, REFUSED_SOQL, Served, error_of, org_with

ACCOUNTS = """Ext__c,Name,NumberOfEmployees,Founded__c,Active__c
E-1,Alder,10,2001-05-01,true
E-2,Birch,20,2005-05-01,false
E-3,Cedar,,2010-05-01,true
E-4,it's,40,,true
"""


@pytest_asyncio.fixture(scope="module", name="forest")
async def _forest() -> AsyncIterator[Served]:
    async with org_with(ACCOUNTS) as served:
        yield served


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        pytest.param("Name = 'Birch'", "2", id="="),
        pytest.param("Name != 'Birch'", "134", id="!="),
        pytest.param("Name <> 'Birch'", "134", id="<>"),
        pytest.param("NumberOfEmployees < 20", "1", id="<"),
        pytest.param("NumberOfEmployees <= 20", "12", id="<="),
        pytest.param("NumberOfEmployees > 20", "4", id=">"),
        pytest.param("NumberOfEmployees >= 20", "24", id=">="),
        pytest.param("NumberOfEmployees = null", "3", id="= null"),
        pytest.param("NumberOfEmployees != NULL", "124", id="!= null"),
        pytest.param("Name IN ('Alder', 'Cedar')", "13", id="IN"),
        pytest.param("Name NOT IN ('Alder', 'Cedar')", "24", id="NOT IN"),
        pytest.param("Ext__c IN ('E-1', 'E-4', 'E-9')", "14", id="IN by an index"),
        pytest.param("Name LIKE '%r%'", "123", id="LIKE %"),
        pytest.param("name like 'C_DAR'", "3", id="LIKE _ without regard to case"),
        pytest.param("Name = 'it\\'s'", "4", id="an escaped quote"),
        pytest.param("Active__c = TRUE AND NumberOfEmployees > 5", "14", id="AND"),
        pytest.param("Name = 'Alder' OR Name = 'Birch'", "12", id="OR"),
        pytest.param("NOT Name = 'Alder'", "234", id="NOT"),
        pytest.param("(Name = 'Alder' OR Active__c = false) AND Founded__c > 2003-01-01", "2", id="parentheses"),
        pytest.param("Founded__c >= 2005-05-01", "23", id="a date"),
        pytest.param(
            "CreatedDate > 2020-01-01T00:00:00Z AND CreatedDate < 9999-01-01T00:00:00+01:00", "1234", id="dates"
        ),
        pytest.param("CreatedBy.Username = 'loader@example.com'", "1234", id="a parent's field"),
    ],
)
async def test_where_selects(forest: Served, where: str, expected: str) -> None:
    rows = await forest.query(f"SELECT Ext__c FROM Account WHERE {where} ORDER BY Ext__c")
    assert [row["Ext__c"] for row in rows] == [f"E-{number}" for number in expected]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        pytest.param("NumberOfEmployees", "3124", id="ascending, nulls first"),
        pytest.param("NumberOfEmployees DESC NULLS LAST", "4213", id="descending, nulls last"),
        pytest.param("Active__c, Name DESC", "2431", id="two fields"),
        pytest.param("Name LIMIT 2", "12", id="with a limit"),
    ],
)
async def test_order_by_orders(forest: Served, order: str, expected: str) -> None:
    rows = await forest.query(f"SELECT Ext__c FROM Account ORDER BY {order}")
    assert [row["Ext__c"] for row in rows] == [f"E-{number}" for number in expected]


async def test_limit_limits(forest: Served) -> None:
    assert len(await forest.query("SELECT Id FROM Account LIMIT 3")) == 3
    assert await forest.query("SELECT Id FROM Account LIMIT 0") == []


async def test_fields_are_named_as_the_object_spells_them(forest: Served) -> None:
    assert await forest.query("select NAME, ext__C, active__c from account where ext__c = 'E-2'") == [
        {"Name": "Birch", "Ext__c": "E-2", "Active__c": "false"}
    ]


async def test_a_parents_field_is_empty_without_a_parent(forest: Served) -> None:
    rows = await forest.query("SELECT LastName, Account.Name FROM Contact ORDER BY LastName")
    assert rows == [{"LastName": "Berg", "Account.Name": "Alder"}, {"LastName": "Lind", "Account.Name": ""}]


async def test_an_id_of_15_characters_finds_its_record(forest: Served) -> None:
    [row] = await forest.query("SELECT Id FROM Account LIMIT 1")
    assert await forest.query(f"SELECT Id FROM Account WHERE Id = '{row['Id'][:15]}'") == [row]


@pytest.mark.parametrize("soql", [*REFUSED_SOQL, pytest.param("", id="empty")])
async def test_what_bulk_soql_does_not_take_is_refused(forest: Served, soql: str) -> None:
    assert error_of(await forest.http.post(QUERY, json={"operation": "query", "query": soql})) == (400, "API_ERROR")
