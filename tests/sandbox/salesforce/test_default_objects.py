"""Objects and fields that every org has. salesforce_bulk.md §13, below its table."""

import pytest

from tests.sandbox.salesforce.orgs import Served

OWNED = ["Account", "Contact", "Lead", "Opportunity", "Campaign", "Task", "Widget__c"]


async def test_campaigns_are_taken(salesforce: Served) -> None:
    csv = "Name,Type,Status,StartDate,IsActive\nSpring,Email,Planned,2026-03-01,true\n"
    assert len(await salesforce.results(await salesforce.load(csv, "insert", "Campaign"))) == 1
    assert await salesforce.query("SELECT Name, IsActive FROM Campaign") == [{"Name": "Spring", "IsActive": "true"}]


async def test_a_persons_name_is_the_first_and_the_last_name(salesforce: Served) -> None:
    assert [row["name"] for row in await _lower(salesforce, "select id,name from user order by name")] == [
        "Ada Admin",
        "Bulk Loader",
        "Lim Ited",
    ]
    await salesforce.load("LastName\nBerg\n", "insert")
    assert await salesforce.query("SELECT Name FROM Contact WHERE Name = 'Berg'") == [{"Name": "Berg"}]


async def _lower(served: Served, soql: str) -> list[dict[str, str]]:
    return [{name.lower(): value for name, value in row.items()} for row in await served.query(soql)]


async def test_a_persons_name_is_not_written(salesforce: Served) -> None:
    assert await salesforce.code("LastName,Name\nBerg,Ada Berg\n") == "INVALID_FIELD_FOR_INSERT_UPDATE"


@pytest.mark.parametrize("object_name", OWNED)
async def test_the_standard_fields_are_there(salesforce: Served, object_name: str) -> None:
    answer = await salesforce.http.get(f"/services/data/v59.0/sobjects/{object_name}/describe")
    fields = {field["name"]: field for field in answer.json()["fields"]}
    assert fields["OwnerId"]["referenceTo"] == ["User", "Group"]
    assert (fields["OwnerId"]["relationshipName"], fields["OwnerId"]["polymorphicForeignKey"]) == ("Owner", True)
    assert fields["RecordTypeId"]["referenceTo"] == ["RecordType"]
    assert fields["CurrencyIsoCode"]["type"] == "picklist"


async def test_a_record_belongs_to_its_creator_or_to_whom_the_row_names(salesforce: Served) -> None:
    [group] = await salesforce.results(await salesforce.load("Name\nQueue\n", "insert", "Group"))
    await salesforce.load(f"Ext__c,LastName,OwnerId\nA-1,Berg,\nA-2,Lind,{group['sf__Id']}\n")
    first, second = await salesforce.query("SELECT OwnerId, Owner.Name FROM Contact ORDER BY Ext__c")
    assert first["Owner.Name"] == "Bulk Loader"
    assert second["OwnerId"] == group["sf__Id"]


async def test_a_currency_is_one_of_the_orgs(salesforce: Served) -> None:
    code = await salesforce.code("LastName,CurrencyIsoCode\nBerg,XXX\n")
    assert code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
