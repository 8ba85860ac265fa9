"""The org as all its APIs write it: objects, and entries in the ledger. salesforce_bulk.md §9."""

from typing import Any

from sandbox.salesforce.objects import Field, ObjectType
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import Served, org


async def test_the_ledger_tells_key_effect_and_change(salesforce: Served) -> None:
    await salesforce.load("Ext__c,LastName\nA-1,Berg\n")
    await salesforce.load("Ext__c,LastName\nA-1,Berg\nA-2,\n")
    entries = await salesforce.control.ledger()
    assert [(one.object, one.key, one.operation, one.effect, one.changed) for one in entries] == [
        ("Contact", "A-1", "upsert", "CREATED", True),
        ("Contact", "A-1", "upsert", "UPDATED", False),
        ("Contact", "A-2", "upsert", "REQUIRED_FIELD_MISSING", False),
    ]


async def test_the_ledger_keeps_an_identifier_where_a_column_carries_one() -> None:
    async with org(Settings(identifier_field="Title")) as served:
        await served.load("Ext__c,LastName,Title\nA-1,Berg,event-1\n")
        [entry] = await served.control.ledger()
        assert entry.identifier == "event-1"


async def test_an_org_may_have_objects_of_its_own() -> None:
    fields: Any = (Field(name="Key__c", external_id=True, unique=True), Field(name="Size__c", type="int"))
    settings = Settings(objects=(ObjectType(name="Crate__c", prefix="a09", fields=fields),))
    async with org(settings) as served:
        await served.load("Key__c,Size__c\nC-1,3\n", object_name="crate__c", externalIdFieldName="Key__c")
        [row] = await served.query("SELECT Id, Size__c FROM Crate__c")
        assert (row["Id"][:3], row["Size__c"]) == ("a09", "3")
