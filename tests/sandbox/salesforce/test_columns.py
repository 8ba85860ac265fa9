"""Columns that are refused, and columns that set a parent. salesforce_bulk.md §3.10, §6, §13."""

import pytest

from tests.sandbox.salesforce.orgs import Served


@pytest.mark.parametrize(
    ("object_name", "column", "field"),
    [
        pytest.param("Contact", "Account.Ext__c", "Account.Name", id="§6 Account.Ext__c"),
        pytest.param("Widget__c", "Account__r.Ext__c", "Account__r.Name", id="§6 Parent__r.Ext__c"),
    ],
)
async def test_a_relationship_finds_the_parent(salesforce: Served, object_name: str, column: str, field: str) -> None:
    await salesforce.load("Ext__c,Name\nE-1,Alder\n", object_name="Account")
    name = "LastName" if object_name == "Contact" else "Name"
    await salesforce.load(f"Ext__c,{name},{column}\nA-1,Berg,E-1\n", object_name=object_name)
    assert await salesforce.query(f"SELECT {field} FROM {object_name}") == [{field: "Alder"}]


async def test_a_polymorphic_relationship_column_names_the_object(salesforce: Served) -> None:
    await salesforce.load("Ext__c,LastName,Company,Email\nL-1,Berg,Acme,b@example.com\n", object_name="Lead")
    await salesforce.load("Subject,Lead:Who.Email\nCall,b@example.com\n", "insert", "Task")
    [lead] = await salesforce.query("SELECT Id FROM Lead")
    assert await salesforce.query("SELECT WhoId FROM Task") == [{"WhoId": lead["Id"]}]


async def test_an_owner_is_found_by_a_column_that_names_the_object(salesforce: Served) -> None:
    job = await salesforce.load("Ext__c,LastName,User:Owner.Email\nA-1,Berg,ADMIN@example.com\n")
    [row] = await salesforce.results(job)
    assert row["User:Owner.Email"] == "ADMIN@example.com"
    assert await salesforce.query("SELECT Owner.Name FROM Contact") == [{"Owner.Name": "Ada Admin"}]


async def test_a_relationship_column_may_clear_and_may_leave_as_is(salesforce: Served) -> None:
    await salesforce.load("Ext__c,Name\nE-1,Alder\n", object_name="Account")
    await salesforce.load("Ext__c,LastName,Account.Ext__c\nA-1,Berg,E-1\nA-2,Lind,E-1\n")
    await salesforce.load("Ext__c,Account.Ext__c\nA-1,#N/A\nA-2,\n")
    rows = await salesforce.query("SELECT Account.Name FROM Contact ORDER BY Ext__c")
    assert [row["Account.Name"] for row in rows] == ["", "Alder"]


async def test_a_parent_that_is_not_there_is_a_row_error(salesforce: Served) -> None:
    assert await salesforce.code("LastName,Account.Ext__c\nBerg,E-9\n") == "INVALID_CROSS_REFERENCE_KEY"


@pytest.mark.parametrize(
    ("columns", "operation", "message"),
    [
        pytest.param("Ext__c,Foo", "upsert", "Field name not found : Foo", id="unknown field"),
        pytest.param("Account.Foo", "insert", "Field name not found : Account.Foo", id="of a parent"),
        pytest.param("Account.Name", "insert", "Field name not found : Account.Name", id="no key"),
        pytest.param("Owner.Email", "insert", "Field name not found : Owner.Email", id="§13.13 of which object"),
        pytest.param("Lead:Owner.Email", "insert", "Field name not found : Lead:", id="§13.13 of another object"),
        pytest.param("Account.Parent.Ext__c", "insert", "Field name not found : Account.P", id="§13.13 one level"),
        pytest.param("LastName,lastname", "insert", "Duplicate field name", id="a column twice"),
        pytest.param("Ext__c,LastName,ext__c", "upsert", "Duplicate field name", id="§13.11 the key twice"),
        pytest.param("Id,LastName", "delete", "The 'delete' batch must contain only ids", id="§3.10 only ids"),
    ],
)
async def test_a_wrong_column_fails_the_batch(salesforce: Served, columns: str, operation: str, message: str) -> None:
    failure = await salesforce.failure(f"{columns}\n{columns}\n", operation)
    assert failure.startswith(f"InvalidBatch : {message}")
    assert (await salesforce.control.summary()).entries == 0
