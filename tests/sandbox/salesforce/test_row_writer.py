"""The effect of each operation on the records of an object. salesforce_bulk.md §5, §6."""

import pytest

from sandbox.salesforce.objects import Field, ObjectType
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import Served, org

LOST_ID = "003X00000000zzzIAA"


async def _contact(served: Served, csv: str = "Ext__c,LastName,Email\nA-1,Berg,berg@example.com\n") -> str:
    [row] = await served.results(await served.load(csv))
    return row["sf__Id"]


BAD_ROWS = [
    ("Contact", 'LastName\n""\n', "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"),
    ("Contact", "LastName,CreatedDate\nBerg,2024-01-01T00:00:00Z\n", "INVALID_FIELD_FOR_INSERT_UPDATE:"),
    ("Contact", f"LastName\n{'x' * 81}\n", "STRING_TOO_LONG:"),
    ("Account", "Name,NumberOfEmployees\nA,100000000\n", "NUMBER_OUTSIDE_VALID_RANGE:"),
    ("Contact", "LastName,Email\nBerg,none\n", "INVALID_EMAIL_ADDRESS:"),
    ("Account", "Name,AnnualRevenue\nA,much\n", "INVALID_TYPE_ON_FIELD_IN_RECORD:"),
    ("Lead", "LastName,Company,Status\nBerg,Acme,Lost\n", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:"),
    ("Widget__c", "Code__c\nabc\n", "FIELD_CUSTOM_VALIDATION_EXCEPTION:"),
    ("Contact", "LastName,AccountId\nBerg,zz\n", "MALFORMED_ID:"),
    ("Contact", "LastName,AccountId\nBerg,001X00000000zzzIAA\n", "INVALID_CROSS_REFERENCE_KEY:"),
]


@pytest.mark.parametrize(
    ("object_name", "csv", "expected"), BAD_ROWS, ids=[f"§5 {row[2].split(':')[0]}" for row in BAD_ROWS]
)
async def test_a_bad_row_gets_its_code(salesforce: Served, object_name: str, csv: str, expected: str) -> None:
    [row] = await salesforce.results(await salesforce.load(csv, "insert", object_name), "failedResults")
    assert row["sf__Error"].startswith(expected)
    assert row["sf__Error"].endswith("--")
    assert row["sf__Id"] == ""


async def test_upsert_creates_at_no_match_and_updates_at_one(salesforce: Served) -> None:
    created = await salesforce.results(await salesforce.load("Ext__c,LastName\nA-1,Berg\n"))
    updated = await salesforce.results(await salesforce.load("Ext__c,LastName\nA-1,Lind\n"))
    assert (created[0]["sf__Created"], updated[0]["sf__Created"]) == ("true", "false")
    assert created[0]["sf__Id"] == updated[0]["sf__Id"]
    assert await salesforce.query("SELECT LastName FROM Contact") == [{"LastName": "Lind"}]


async def test_upsert_of_a_key_with_several_matches_is_a_row_error(salesforce: Served) -> None:
    await salesforce.load("Legacy__c,Name\nL,a\nL,b\n", "insert", "Widget__c")
    job = await salesforce.load("Legacy__c,Name\nL,c\n", "upsert", "Widget__c", externalIdFieldName="Legacy__c")
    assert (await salesforce.errors(job))["L"].startswith("DUPLICATE_EXTERNAL_ID:")


async def test_upsert_of_one_key_twice_in_a_batch_refuses_both(salesforce: Served) -> None:
    job = await salesforce.load("Ext__c,LastName\nA-1,Berg\nA-1,Lind\nA-2,Falk\n")
    texts = [row["sf__Error"] for row in await salesforce.results(job, "failedResults")]
    assert texts == ["DUPLICATE_VALUE:Duplicate external id specified: A-1:Ext__c --"] * 2
    assert await salesforce.query("SELECT Ext__c FROM Contact") == [{"Ext__c": "A-2"}]


async def test_keys_that_differ_in_case_only_are_one(salesforce: Served) -> None:
    await salesforce.load("Ext__c,LastName\nABC,Berg\n")
    [row] = await salesforce.results(await salesforce.load("Ext__c,LastName\nabc,Lind\n"))
    assert row["sf__Created"] == "false"
    assert await salesforce.query("SELECT LastName FROM Contact WHERE Ext__c = 'aBc'") == [{"LastName": "Lind"}]


async def test_keys_that_differ_in_case_only_in_one_batch_are_refused_both(salesforce: Served) -> None:
    """§13.10"""
    job = await salesforce.load("Ext__c,LastName\nABC,Berg\nabc,Lind\n")
    errors = await salesforce.errors(job)
    assert {key: text.split(":")[0] for key, text in errors.items()} == dict.fromkeys(("ABC", "abc"), "DUPLICATE_VALUE")


async def test_keys_of_a_field_that_tells_case_apart_are_two() -> None:
    fields = (Field(name="Key__c", external_id=True, unique=True, case_sensitive=True),)
    async with org(Settings(objects=(ObjectType(name="Crate__c", prefix="a09", fields=fields),))) as served:
        job = await served.load("Key__c\nABC\nabc\n", object_name="Crate__c", externalIdFieldName="Key__c")
        assert len(await served.results(job)) == 2
        assert await served.query("SELECT Key__c FROM Crate__c WHERE Key__c = 'abc'") == [{"Key__c": "abc"}]


async def test_an_inserted_key_is_taken_in_any_case(salesforce: Served) -> None:
    await salesforce.load("Ext__c,LastName\nABC,Berg\n")
    assert await salesforce.code("Ext__c,LastName\nabc,Lind\n") == "DUPLICATE_VALUE"


async def test_a_parent_is_found_by_its_key_in_any_case(salesforce: Served) -> None:
    await salesforce.load("Ext__c,Name\nE-1,Alder\n", object_name="Account")
    assert await salesforce.results(await salesforce.load("LastName,Account.Ext__c\nBerg,e-1\n", "insert"))
    assert await salesforce.query("SELECT LastName FROM Contact WHERE Account.Ext__c = 'e-1'") == [{"LastName": "Berg"}]


async def test_a_key_moves_to_another_case_of_itself(salesforce: Served) -> None:
    record = await _contact(salesforce)
    await salesforce.load(f"Id,Ext__c\n{record},a-1\n", "update")
    assert await salesforce.query("SELECT Ext__c FROM Contact WHERE Ext__c = 'A-1'") == [{"Ext__c": "a-1"}]


async def test_an_id_beside_an_external_id_is_refused(salesforce: Served) -> None:
    """§13.12"""
    record = await _contact(salesforce)
    job = await salesforce.load(f"Ext__c,Id,LastName\nA-1,{record},Lind\nA-2,,Falk\n")
    assert (await salesforce.errors(job))["A-1"].startswith("INVALID_FIELD_FOR_INSERT_UPDATE:")
    assert [row["Ext__c"] for row in await salesforce.results(job)] == ["A-2"]


async def test_upsert_by_id_creates_without_one_and_updates_with_one(salesforce: Served) -> None:
    record = await _contact(salesforce)
    job = await salesforce.load(f"Id,LastName\n,Falk\n{record},Lind\n", externalIdFieldName="Id")
    assert sorted(row["sf__Created"] for row in await salesforce.results(job)) == ["false", "true"]
    rows = await salesforce.query("SELECT LastName FROM Contact ORDER BY LastName")
    assert [row["LastName"] for row in rows] == ["Falk", "Lind"]


async def test_upsert_of_one_id_twice_in_a_batch_refuses_both(salesforce: Served) -> None:
    record = await _contact(salesforce)
    job = await salesforce.load(f"Id,LastName\n{record},Falk\n{record},Lind\n", externalIdFieldName="Id")
    texts = [row["sf__Error"] for row in await salesforce.results(job, "failedResults")]
    assert texts == [f"DUPLICATE_VALUE:Duplicate id specified: {record}:Id --"] * 2


async def test_upsert_without_a_key_is_a_row_error(salesforce: Served) -> None:
    assert await salesforce.code("Ext__c,LastName\n,Berg\n", "upsert") == "MISSING_ARGUMENT"


async def test_insert_of_a_taken_unique_value_is_refused(salesforce: Served) -> None:
    await _contact(salesforce)
    assert await salesforce.code("Ext__c,LastName\nA-1,Lind\n") == "DUPLICATE_VALUE"


async def test_a_unique_value_is_free_again_after_its_record_moved_on(salesforce: Served) -> None:
    record = await _contact(salesforce)
    await salesforce.load(f"Id,Ext__c\n{record},A-9\n", "update")
    assert await salesforce.results(await salesforce.load("Ext__c,LastName\nA-1,Lind\n", "insert"))


async def test_insert_with_an_id_is_refused(salesforce: Served) -> None:
    assert await salesforce.code(f"Id,LastName\n{LOST_ID},Berg\n") == "INVALID_FIELD_FOR_INSERT_UPDATE"


@pytest.mark.parametrize(
    ("record", "code"),
    [
        pytest.param("", "MISSING_ARGUMENT", id="no id"),
        pytest.param("zz", "MALFORMED_ID", id="§5 MALFORMED_ID"),
        pytest.param("001X00000000001IAA", "MALFORMED_ID", id="an id of another object"),
        pytest.param("003X00000000zzz", "INVALID_CROSS_REFERENCE_KEY", id="§5 INVALID_CROSS_REFERENCE_KEY"),
    ],
)
@pytest.mark.parametrize("operation", ["update", "delete", "hardDelete"])
async def test_an_id_that_leads_nowhere_is_refused(salesforce: Served, operation: str, record: str, code: str) -> None:
    csv = f'Id,LastName\n"{record}",Berg\n' if operation == "update" else f'Id\n"{record}"\n'
    assert await salesforce.code(csv, operation) == code


@pytest.mark.parametrize("operation", ["update", "delete", "hardDelete"])
async def test_a_deleted_record_is_entity_is_deleted(salesforce: Served, operation: str) -> None:
    record = await _contact(salesforce)
    await salesforce.load(f"Id\n{record}\n", "delete")
    csv = f"Id,LastName\n{record},Lind\n" if operation == "update" else f"Id\n{record}\n"
    [row] = await salesforce.results(await salesforce.load(csv, operation), "failedResults")
    assert row["sf__Error"] == "ENTITY_IS_DELETED:entity is deleted:--"
    assert row["sf__Id"] == record


async def test_a_deleted_records_key_is_free_again(salesforce: Served) -> None:
    record = await _contact(salesforce)
    await salesforce.load(f"Id\n{record}\n", "delete")
    [row] = await salesforce.results(await salesforce.load("Ext__c,LastName\nA-1,Berg\n"))
    assert (row["sf__Created"], row["sf__Id"] == record) == ("true", False)


async def test_a_hard_deleted_record_is_in_no_recycle_bin(salesforce: Served) -> None:
    record = await _contact(salesforce)
    [row] = await salesforce.results(await salesforce.load(f"Id\n{record}\n", "hardDelete"))
    assert (row["sf__Id"], row["sf__Created"]) == (record, "false")
    assert await salesforce.query("SELECT Id FROM Contact", "queryAll") == []


async def test_hash_n_a_sets_null_and_empty_leaves_as_is(salesforce: Served) -> None:
    await salesforce.load("Ext__c,LastName,Email,Phone\nA-1,Berg,berg@example.com,1\n")
    await salesforce.load("Ext__c,LastName,Email,Phone\nA-1,,#N/A,\n")
    assert await salesforce.query("SELECT LastName, Email, Phone FROM Contact") == [
        {"LastName": "Berg", "Email": "", "Phone": "1"}
    ]


async def test_null_for_a_required_field_is_refused(salesforce: Served) -> None:
    record = await _contact(salesforce)
    assert await salesforce.code(f"Id,LastName\n{record},#N/A\n", "update") == "REQUIRED_FIELD_MISSING"
