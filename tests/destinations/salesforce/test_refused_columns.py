"""Columns that would be refused: only the rows that have one are rejected, by its name."""

from typing import Any

import msgspec
import pytest

from sluice.destinations.salesforce.descriptions import Description, Descriptions
from sluice.destinations.salesforce.job_targets import Target
from sluice.destinations.salesforce.refused_columns import check_rows, refusals, spellings
from sluice.events import Operation
from sluice.flow.batch import Encoded
from tests.destinations.salesforce.encoding import CONTACT, field

ACCOUNT = msgspec.convert({"name": "Account", "fields": [field("Ext__c", externalId=True), field("Site")]}, Description)
USER = msgspec.convert({"name": "User", "fields": [field("Email", idLookup=True)]}, Description)
PARENTS = {"account": ACCOUNT, "user": USER, "group": None}
UPDATE = Target("Contact", "update")


def _describe(**values: Any) -> Description:
    return msgspec.convert({**CONTACT, **values}, Description)


def _rows(*shapes: tuple[str, ...]) -> list[Encoded]:
    return [Encoded("b", number, b"", True, columns) for number, columns in enumerate(shapes)]


@pytest.mark.parametrize(
    ("operation", "column"),
    [
        pytest.param("insert", "LastName", id="a field"),
        pytest.param("insert", "lastname", id="a field in another case"),
        pytest.param("insert", "CreatedDate", id="a field that inserts may write"),
        pytest.param("upsert", "CreatedDate", id="a field that upserts may write if they create"),
        pytest.param("update", "Account.Ext__c", id="a parent"),
        pytest.param("update", "User:Owner.Email", id="a parent of one of several types"),
        pytest.param("insert", "ReportsTo.Email", id="a parent that inserts may write"),
    ],
)
def test_column_is_taken(operation: Operation, column: str) -> None:
    target = Target("Contact", operation, "Ext__c" if operation == "upsert" else "")
    key = (target.key_field,) if target.key_field else ()
    assert refusals(target, _rows((*key, column)), _describe(), PARENTS) == {}


@pytest.mark.parametrize(
    ("operation", "column", "code", "message"),
    [
        pytest.param("update", "Foo__c", "unknown-field", "field Foo__c: Contact has none", id="an unknown field"),
        pytest.param("update", "Account", "unknown-field", "send null as AccountId", id="a relationship as a field"),
        pytest.param("update", "CreatedDate", "read-only-field", "field CreatedDate", id="not for updates"),
        pytest.param("upsert", "Name", "read-only-field", "field Name", id="for nobody"),
        pytest.param("update", "ReportsTo.Email", "read-only-field", "field ReportsTo.Email", id="a parent, not now"),
        pytest.param("update", "Boss__r.Ext__c", "unknown-field", "no relationship Boss__r", id="an unknown parent"),
        pytest.param("update", "Account.Nope__c", "unknown-field", "Account, it has no such field", id="nor there"),
        pytest.param("update", "Account.Site", "unknown-field", "Account, it is none", id="no external id there"),
        pytest.param("update", "Owner.Email", "unknown-field", "Group:Owner.Email, for a parent of", id="no type"),
        pytest.param("update", "Lead:Owner.Email", "unknown-field", "of Group, User", id="another type"),
        pytest.param("update", "Account:Account.Ext__c", "unknown-field", "such as Account.Ext__c", id="needless type"),
    ],
)
def test_row_with_a_refused_column_is_rejected_and_no_other(
    operation: Operation, column: str, code: str, message: str
) -> None:
    target = Target("Contact", operation, "Ext__c" if operation == "upsert" else "")
    key = target.key_field
    found = refusals(target, _rows((key, "LastName"), (key, column), (key, "LastName")), _describe(), PARENTS)
    assert list(found) == [1]
    assert found[1].code == code
    assert message in found[1].message


@pytest.mark.parametrize(
    ("target", "description", "code"),
    [
        pytest.param(UPDATE, None, "unknown-object", id="there is no such object"),
        pytest.param(UPDATE, _describe(updateable=False), "read-only-object", id="no right to update it"),
        pytest.param(Target("Contact", "delete"), _describe(deletable=False), "read-only-object", id="nor to delete"),
        pytest.param(Target("Contact", "upsert", "Own__c"), _describe(), "no-external-id", id="no external id"),
        pytest.param(Target("Contact", "upsert", "LastName"), _describe(), "no-external-id", id="a field that is none"),
    ],
)
def test_all_rows_are_rejected_for_their_object(target: Target, description: Description | None, code: str) -> None:
    found = refusals(target, _rows((target.key_field,), (target.key_field, "LastName")), description, {})
    assert {number: rejection.code for number, rejection in found.items()} == {0: code, 1: code}


@pytest.mark.parametrize("external_id", ["Ext__c", "ext__c", "Email", "Id"])
def test_upsert_finds_records_by_any_field_that_is_looked_up(external_id: str) -> None:
    target = Target("Contact", "upsert", external_id)
    assert refusals(target, _rows((external_id, "LastName")), _describe(), PARENTS) == {}


def test_columns_are_spelt_as_salesforce_spells_them() -> None:
    rows = _rows(("ext__c", "LASTNAME"), ("account.Ext__c", "user:owner.Email", "Foo__c"))
    assert spellings(rows, _describe()) == {
        "ext__c": "Ext__c",
        "lastname": "LastName",
        "account.ext__c": "Account.Ext__c",
        "user:owner.email": "User:Owner.Email",
        "foo__c": "Foo__c",
    }


async def test_field_that_was_added_meanwhile_is_taken() -> None:
    fields = list(CONTACT["fields"])
    now_s = [0.0]
    asked = []

    async def get(path: str) -> bytes | None:
        asked.append(path)
        return msgspec.json.encode({**CONTACT, "fields": fields})

    descriptions = Descriptions(get, 3600.0, lambda: now_s[0])
    rows = _rows(("Id", "New__c"))
    assert list((await check_rows(UPDATE, rows, descriptions)).rejections) == [0]
    assert len(asked) == 1
    fields.append(field("New__c"))
    now_s[0] = 61.0
    checked = await check_rows(UPDATE, rows, descriptions)
    assert (checked.rejections, checked.spellings["new__c"], len(asked)) == ({}, "New__c", 2)


async def test_parents_are_described_too_as_far_as_columns_refer_to_them() -> None:
    asked = []

    async def get(path: str) -> bytes | None:
        asked.append(path.split("/")[1])
        return msgspec.json.encode({"Contact": CONTACT, "Account": ACCOUNT, "User": USER}[asked[-1]])

    rows = _rows(("Id", "Account.Ext__c"), ("Id", "account.Site"), ("Id", "user:Owner.Email"), ("Id", "Owner.Email"))
    checked = await check_rows(UPDATE, rows, Descriptions(get, 3600.0, lambda: 0.0))
    assert list(checked.rejections) == [1, 3]
    assert asked == ["Contact", "Account", "User"]
