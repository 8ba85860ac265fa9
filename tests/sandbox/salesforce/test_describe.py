"""What ``describe`` says of an object's fields. salesforce_bulk.md §13.15."""

from typing import Any

from sandbox.salesforce.faults import HideFields
from sandbox.salesforce.objects import Field, ObjectType
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import Served, error_of, org

SOBJECTS = "/services/data/v59.0/sobjects"


async def _fields(served: Served, object_name: str) -> dict[str, dict[str, Any]]:
    answer = await served.http.get(f"{SOBJECTS}/{object_name}/describe")
    assert answer.status_code == 200, answer.text
    return {field["name"]: field for field in answer.json()["fields"]}


async def test_an_external_id_is_described_in_full(salesforce: Served) -> None:
    assert (await _fields(salesforce, "Contact"))["Ext__c"] == {
        "name": "Ext__c",
        "type": "string",
        "length": 255,
        "createable": True,
        "updateable": True,
        "externalId": True,
        "idLookup": True,
        "caseSensitive": False,
        "relationshipName": None,
        "referenceTo": [],
        "polymorphicForeignKey": False,
        "nillable": True,
    }


async def test_a_reference_names_its_relationship_and_its_objects(salesforce: Served) -> None:
    account = (await _fields(salesforce, "Contact"))["AccountId"]
    who = (await _fields(salesforce, "Task"))["WhoId"]
    assert (account["type"], account["length"], account["relationshipName"]) == ("reference", 18, "Account")
    assert (account["referenceTo"], account["polymorphicForeignKey"]) == (["Account"], False)
    assert (who["referenceTo"], who["polymorphicForeignKey"]) == (["Contact", "Lead"], True)


async def test_what_nobody_may_write_is_neither_createable_nor_updateable(salesforce: Served) -> None:
    fields = await _fields(salesforce, "Contact")
    read_only = {name for name, field in fields.items() if not (field["createable"] or field["updateable"])}
    assert read_only >= {"Id", "CreatedDate", "LastModifiedDate", "SystemModstamp", "CreatedById", "IsDeleted"}
    assert "LastName" not in read_only


async def test_a_field_that_must_have_a_value_is_not_nillable(salesforce: Served) -> None:
    fields = await _fields(salesforce, "Contact")
    assert (fields["LastName"]["nillable"], fields["FirstName"]["nillable"]) == (False, True)


async def test_a_key_may_tell_case_apart() -> None:
    fields = (Field(name="Key__c", external_id=True, case_sensitive=True),)
    async with org(Settings(objects=(ObjectType(name="Crate__c", prefix="a09", fields=fields),))) as served:
        assert (await _fields(served, "crate__c"))["Key__c"]["caseSensitive"] is True


async def test_a_field_that_the_user_may_not_see_is_absent_and_unknown(salesforce: Served) -> None:
    await salesforce.control.add_fault(HideFields(object="Contact", fields=("Email", "Title")))
    assert {"Email", "Title", "LastName"} & set(await _fields(salesforce, "Contact")) == {"LastName"}
    assert "Email" in await _fields(salesforce, "Lead")
    failure = await salesforce.failure("LastName,EMAIL\nBerg,berg@example.com\n")
    assert failure == "InvalidBatch : Field name not found : EMAIL"
    await salesforce.control.clear_faults()
    assert "Email" in await _fields(salesforce, "Contact")


async def test_a_field_may_be_hidden_between_a_description_and_a_load(salesforce: Served) -> None:
    await salesforce.control.add_fault(HideFields(object="contact", fields=("Email",), method="PATCH"))
    assert "Email" in await _fields(salesforce, "Contact")
    assert "Field name not found" in await salesforce.failure("LastName,Email\nBerg,berg@example.com\n")


async def test_an_unknown_object_is_404(salesforce: Served) -> None:
    assert error_of(await salesforce.http.get(f"{SOBJECTS}/Foo__c/describe")) == (404, "NOT_FOUND")
