"""What each row of a batch does, and each status code a row may get. salesforce_bulk.md §5, §6."""

from typing import Any

import pytest

from sandbox.salesforce.faults import LockRows, RefuseRows
from sandbox.salesforce.objects import Field, ObjectType
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import Served, org

LOST_ID = "003X00000000zzzIAA"


async def _contact(served: Served, csv: str = "Ext__c,LastName,Email\nA-1,Berg,berg@example.com\n") -> str:
    [row] = await served.results(await served.load(csv))
    return row["sf__Id"]


async def _code(served: Served, csv: str, operation: str = "insert", object_name: str = "Contact") -> str:
    """The status code of the one row that failed."""
    [row] = await served.results(await served.load(csv, operation, object_name), "failedResults")
    return row["sf__Error"].split(":")[0]


async def _state_message(served: Served, csv: str, operation: str = "upsert", **members: str) -> str:
    info = await served.info(await served.load(csv, operation, **members))
    assert info["state"] == "Failed"
    return str(info["errorMessage"])


@pytest.mark.parametrize(
    ("object_name", "csv", "expected"),
    [
        pytest.param(
            "Contact",
            'LastName\n""\n',
            "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",
            id="§5 REQUIRED_FIELD_MISSING",
        ),
        pytest.param(
            "Contact",
            "LastName,CreatedDate\nBerg,2024-01-01T00:00:00Z\n",
            "INVALID_FIELD_FOR_INSERT_UPDATE:",
            id="§5 INVALID_FIELD_FOR_INSERT_UPDATE",
        ),
        pytest.param("Contact", f"LastName\n{'x' * 81}\n", "STRING_TOO_LONG:", id="§5 STRING_TOO_LONG"),
        pytest.param(
            "Account",
            "Name,NumberOfEmployees\nA,100000000\n",
            "NUMBER_OUTSIDE_VALID_RANGE:",
            id="§5 NUMBER_OUTSIDE_VALID_RANGE",
        ),
        pytest.param("Contact", "LastName,Email\nBerg,none\n", "INVALID_EMAIL_ADDRESS:", id="§5 INVALID_EMAIL_ADDRESS"),
        pytest.param(
            "Account",
            "Name,AnnualRevenue\nA,much\n",
            "INVALID_TYPE_ON_FIELD_IN_RECORD:",
            id="§5 INVALID_TYPE_ON_FIELD_IN_RECORD",
        ),
        pytest.param(
            "Lead",
            "LastName,Company,Status\nBerg,Acme,Lost\n",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:",
            id="§5 INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        ),
        pytest.param(
            "Widget__c",
            "Code__c\nabc\n",
            "FIELD_CUSTOM_VALIDATION_EXCEPTION:",
            id="§5 FIELD_CUSTOM_VALIDATION_EXCEPTION",
        ),
        pytest.param("Contact", "LastName,AccountId\nBerg,zz\n", "MALFORMED_ID:", id="§5 MALFORMED_ID"),
        pytest.param(
            "Contact",
            "LastName,AccountId\nBerg,001X00000000zzzIAA\n",
            "INVALID_CROSS_REFERENCE_KEY:",
            id="§5 INVALID_CROSS_REFERENCE_KEY",
        ),
    ],
)
async def test_a_bad_row_gets_its_code(salesforce: Served, object_name: str, csv: str, expected: str) -> None:
    [row] = await salesforce.results(await salesforce.load(csv, "insert", object_name), "failedResults")
    assert row["sf__Error"].startswith(expected)
    assert row["sf__Error"].endswith("--")
    assert row["sf__Id"] == ""


@pytest.mark.parametrize(
    "code",
    [
        "TooManyLockFailure",
        "QUERY_TIMEOUT",
        "REQUEST_RUNNING_TOO_LONG",
        "SERVER_UNAVAILABLE",
        "UNKNOWN_EXCEPTION",
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "STORAGE_LIMIT_EXCEEDED",
        "INVALID_FIELD",
        "DUPLICATES_DETECTED",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "DELETE_FAILED",
    ],
)
async def test_any_other_code_can_be_switched_on(salesforce: Served, code: str) -> None:
    await salesforce.control.add_fault(RefuseRows(status_code=code, message="because", fields=("LastName",)))
    job = await salesforce.load("Ext__c,LastName\nA-1,Berg\nA-2,Lind\n")
    assert await salesforce.errors(job) == {"A-1": f"{code}:because:LastName --"}
    assert [row["Ext__c"] for row in await salesforce.results(job)] == ["A-2"]


async def test_rows_are_locked_so_many_times_and_then_taken(salesforce: Served) -> None:
    await salesforce.control.add_fault(LockRows(rows=1, times=2))
    codes = []
    for _ in range(3):
        job = await salesforce.load("Ext__c,LastName\nA-1,Berg\n")
        codes.append([text.split(":")[0] for text in (await salesforce.errors(job)).values()])
    assert codes == [["UNABLE_TO_LOCK_ROW"], ["UNABLE_TO_LOCK_ROW"], []]


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
    assert await _code(salesforce, "Ext__c,LastName\n,Berg\n", "upsert") == "MISSING_ARGUMENT"


async def test_insert_of_a_taken_unique_value_is_refused(salesforce: Served) -> None:
    await _contact(salesforce)
    assert await _code(salesforce, "Ext__c,LastName\nA-1,Lind\n") == "DUPLICATE_VALUE"


async def test_a_unique_value_is_free_again_after_its_record_moved_on(salesforce: Served) -> None:
    record = await _contact(salesforce)
    await salesforce.load(f"Id,Ext__c\n{record},A-9\n", "update")
    assert await salesforce.results(await salesforce.load("Ext__c,LastName\nA-1,Lind\n", "insert"))


async def test_insert_with_an_id_is_refused(salesforce: Served) -> None:
    assert await _code(salesforce, f"Id,LastName\n{LOST_ID},Berg\n") == "INVALID_FIELD_FOR_INSERT_UPDATE"


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
    assert await _code(salesforce, csv, operation) == code


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
    assert await _code(salesforce, f"Id,LastName\n{record},#N/A\n", "update") == "REQUIRED_FIELD_MISSING"


@pytest.mark.parametrize(
    ("field", "sent", "shown"),
    [
        pytest.param("LastSeen__c", "2024-11-21T09:28:59.123Z", "2024-11-21T09:28:59.123Z", id="§6 date-time in UTC"),
        pytest.param("LastSeen__c", "2024-11-21T09:28:59+02:00", "2024-11-21T07:28:59.000Z", id="§6 with an offset"),
        pytest.param("Birthdate", "1980-02-29", "1980-02-29", id="§6 date"),
        pytest.param("HasOptedOutOfEmail", "true", "true", id="§6 true"),
        pytest.param("HasOptedOutOfEmail", "0", "false", id="§6 0"),
        pytest.param("HasOptedOutOfEmail", "1", "true", id="§6 1"),
        pytest.param("Score__c", "-1.5e2", "-150.0", id="a number"),
        pytest.param("Description", '"a ""b""\nc, d "', 'a "b"\nc, d ', id="§6 quotes and line breaks, untrimmed"),
    ],
)
async def test_values_are_read_as_documented(salesforce: Served, field: str, sent: str, shown: str) -> None:
    await salesforce.load(f"Ext__c,LastName,{field}\nA-1,Berg,{sent}\n")
    assert await salesforce.query(f"SELECT {field} FROM Contact") == [{field: shown}]


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        pytest.param("LastSeen__c", "21.11.2024", id="a date-time"),
        pytest.param("LastSeen__c", "0001-01-01T00:00:00+23:59", id="a date-time before all"),
        pytest.param("Birthdate", "1981-02-29", id="a date"),
        pytest.param("HasOptedOutOfEmail", "yes", id="a boolean"),
    ],
)
async def test_values_of_the_wrong_type_are_refused(salesforce: Served, field: str, sent: str) -> None:
    assert await _code(salesforce, f"LastName,{field}\nBerg,{sent}\n") == "INVALID_TYPE_ON_FIELD_IN_RECORD"


@pytest.mark.parametrize(
    ("object_name", "column", "field"),
    [
        pytest.param("Contact", "Account.Ext__c", "Account.Name", id="§6 Account.Ext__c"),
        pytest.param("Widget__c", "Account__r.Ext__c", "Account__r.Name", id="§6 Parent__r.Ext__c"),
    ],
)
async def test_a_relationship_column_finds_the_parent(
    salesforce: Served, object_name: str, column: str, field: str
) -> None:
    await salesforce.load("Ext__c,Name\nE-1,Alder\n", object_name="Account")
    name = "LastName" if object_name == "Contact" else "Name"
    await salesforce.load(f"Ext__c,{name},{column}\nA-1,Berg,E-1\n", object_name=object_name)
    assert await salesforce.query(f"SELECT {field} FROM {object_name}") == [{field: "Alder"}]


async def test_a_polymorphic_relationship_column_names_the_object(salesforce: Served) -> None:
    await salesforce.load("Ext__c,LastName,Company,Email\nL-1,Berg,Acme,b@example.com\n", object_name="Lead")
    await salesforce.load("Subject,Lead:Who.Email\nCall,b@example.com\n", "insert", "Task")
    [lead] = await salesforce.query("SELECT Id FROM Lead")
    assert await salesforce.query("SELECT WhoId FROM Task") == [{"WhoId": lead["Id"]}]


async def test_a_parent_that_is_not_there_is_a_row_error(salesforce: Served) -> None:
    assert await _code(salesforce, "LastName,Account.Ext__c\nBerg,E-9\n") == "INVALID_CROSS_REFERENCE_KEY"


@pytest.mark.parametrize(
    ("csv", "operation", "expected"),
    [
        pytest.param("Ext__c,Foo\nA,b\n", "upsert", "InvalidBatch : Field name not found : Foo", id="unknown field"),
        pytest.param(
            "Account.Foo\nA\n", "insert", "InvalidBatch : Field name not found : Account.Foo", id="of a parent"
        ),
        pytest.param("Account.Name\nA\n", "insert", "InvalidBatch : Field name not found : Account.Name", id="no key"),
        pytest.param(
            f"Id,LastName\n{LOST_ID},x\n",
            "delete",
            "InvalidBatch : The 'delete' batch must contain only ids",
            id="§3.10 only ids",
        ),
        pytest.param(
            'LastName\n"Berg" \n', "insert", "InvalidBatch : Failed to parse CSV", id="§6 space behind a quote"
        ),
        pytest.param(
            'LastName\n "Berg"\n', "insert", "InvalidBatch : Failed to parse CSV", id="§6 space before a quote"
        ),
        pytest.param('LastName\n"Berg\n', "insert", "InvalidBatch : Failed to parse CSV", id="an open quote"),
        pytest.param("LastName\nBerg,x\n", "insert", "InvalidBatch : Failed to parse CSV", id="a value too many"),
        pytest.param("LastName,lastname\na,b\n", "insert", "InvalidBatch : Duplicate field name", id="a column twice"),
        pytest.param(
            f"Description\n{'x' * 131_073}\n", "insert", "InvalidBatch : Failed to parse CSV", id="§7 131,072 per field"
        ),
        pytest.param(
            "LastName,Description,Title,Phone\n" + ",".join(["x" * 100_001] * 4) + "\n",
            "insert",
            "InvalidBatch : Failed to parse CSV",
            id="§7 400,000 per record",
        ),
        pytest.param(
            ",".join(f"f{number}" for number in range(5001)) + "\n",
            "insert",
            "InvalidBatch : Failed to parse CSV",
            id="§7 5,000 fields",
        ),
        pytest.param(
            ",".join(f"field{number:04}" for number in range(3600)) + "\n",
            "insert",
            "InvalidBatch : Failed to parse CSV",
            id="§12 header row of 32,000 characters",
        ),
    ],
)
async def test_what_is_wrong_with_the_batch_fails_it_whole(
    salesforce: Served, csv: str, operation: str, expected: str
) -> None:
    assert (await _state_message(salesforce, csv, operation)).startswith(expected)
    assert (await salesforce.control.summary()).entries == 0


async def test_the_longest_field_is_taken(salesforce: Served) -> None:
    job = await salesforce.load(f"LastName,Description\nBerg,{'x' * 131_072}\n", "insert")
    assert len(await salesforce.results(job)) == 1


async def test_spaces_and_quotes_inside_quotes_are_data(salesforce: Served) -> None:
    await salesforce.load('Ext__c,LastName\nA-1," ""Berg"" x"\n')
    assert await salesforce.query("SELECT LastName FROM Contact") == [{"LastName": ' "Berg" x'}]


async def test_bytes_that_are_not_utf_8_fail_the_job(salesforce: Served) -> None:
    job = await salesforce.create("insert")
    await salesforce.upload(job, b"LastName\nB\xffrg\n")
    await salesforce.patch(job, "UploadComplete")
    assert (await salesforce.info(job))["errorMessage"].startswith("InvalidBatch : Failed to parse CSV")


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
