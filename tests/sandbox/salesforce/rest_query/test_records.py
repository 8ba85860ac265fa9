"""Records as the REST query call shows them. salesforce_bulk.md §3.1, §9."""

from tests.sandbox.salesforce.orgs import Served
from tests.sandbox.salesforce.rest_query.client import DATA, find


async def test_records_come_as_json_with_attributes(forest: Served) -> None:
    soql = "select Id, name, NumberOfEmployees, Active__c from account where Ext__c = 'E-1'"
    found = await find(forest, soql)
    [record] = found.pop("records")
    assert found == {"totalSize": 1, "done": True}
    url = f"{DATA}/sobjects/Account/{record['Id']}"
    assert record.pop("attributes") == {"type": "Account", "url": url}
    assert record == {"Id": record["Id"], "Name": "Alder", "NumberOfEmployees": 10, "Active__c": True}


async def test_parents_are_objects_inside_and_null_where_there_is_none(forest: Served) -> None:
    soql = "SELECT LastName, Account.Name, Account.CreatedBy.Username FROM Contact ORDER BY LastName"
    berg, lind = (await find(forest, soql))["records"]
    assert (berg["Account"]["Name"], berg["Account"]["attributes"]["type"]) == ("Alder", "Account")
    assert berg["Account"]["CreatedBy"]["Username"] == "loader@example.com"
    assert berg["Account"]["CreatedBy"]["attributes"]["type"] == "User"
    assert (lind["LastName"], lind["Account"]) == ("Lind", None)


async def test_members_stand_as_they_were_selected(forest: Served) -> None:
    [record] = (await find(forest, "SELECT LastName, Account.Name, Id, Account.Ext__c FROM Contact LIMIT 1"))["records"]
    assert list(record) == ["attributes", "LastName", "Account", "Id"]
    assert list(record["Account"]) == ["attributes", "Name", "Ext__c"]


async def test_instants_have_the_form_of_json_dates(salesforce: Served) -> None:
    await salesforce.load("LastName,Birthdate\nBerg,1990-01-02\n", "insert")
    [record] = (await find(salesforce, "SELECT CreatedDate, Birthdate FROM Contact"))["records"]
    assert record["CreatedDate"].endswith("+0000")
    assert record["CreatedDate"][10] == "T"
    assert record["Birthdate"] == "1990-01-02"
