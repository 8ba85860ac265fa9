"""Records: a row, a batch key and an identity for each event, or a rejection that names the field."""

from typing import Any

import pytest

from sluice.destinations.contract import Rejection
from sluice.destinations.salesforce.row_formats import ContentType
from sluice.events import Key, Operation
from tests.destinations.salesforce.encoding import ID, encode


@pytest.mark.parametrize(
    ("operation", "key", "batch_key", "columns", "row"),
    [
        pytest.param("insert", None, "Contact/insert", ("LastName",), b"Lind", id="insert"),
        pytest.param(
            "insert", {"Ext__c": "A-1"}, "Contact/insert", ("Ext__c", "LastName"), b"A-1,Lind", id="insert with key"
        ),
        pytest.param("update", ID, "Contact/update", ("Id", "LastName"), ID.encode() + b",Lind", id="update"),
        pytest.param(
            "upsert", {"Ext__c": "A-1"}, "Contact/upsert/Ext__c", ("Ext__c", "LastName"), b"A-1,Lind", id="upsert"
        ),
        pytest.param("delete", ID, "Contact/delete", ("Id",), ID.encode(), id="delete"),
        pytest.param("hardDelete", ID, "Contact/hardDelete", ("Id",), ID.encode(), id="hardDelete"),
    ],
)
def test_event_becomes_a_row(
    operation: Operation, key: Key, batch_key: str, columns: tuple[str, ...], row: bytes
) -> None:
    encoded = encode(operation, key, {"LastName": "Lind"})
    assert (encoded.batch_key, encoded.columns, encoded.body) == (batch_key, columns, row)
    assert encoded.replay_safe is (operation != "insert")


def test_identity_is_the_record_in_any_case_and_an_insert_is_its_own() -> None:
    upper, lower = encode("upsert", {"Ext__c": "ABC"}), encode("upsert", {"Ext__c": "abc"}, object_="contact")
    assert upper.identity == lower.identity == ("contact", "abc")
    assert encode("insert", {"Ext__c": "ABC"}).identity == "3-7"


def test_insert_carries_our_identifier_where_its_object_has_a_field_for_it() -> None:
    fields: dict[str, Any] = {"identifier_fields": {"Contact": "Sluice__c"}, "external_ids": {"Contact": "Ext__c"}}
    encoded = encode("insert", "A-1", {"LastName": "Lind"}, needs_identifier=True, **fields)
    assert (encoded.columns, encoded.body) == (("Sluice__c", "Ext__c", "LastName"), b"3-7,A-1,Lind")
    assert encode("update", ID, {"A": "1"}, **fields).columns == ("Id", "A")


def test_key_in_the_data_is_dropped_if_it_is_the_same() -> None:
    encoded = encode("upsert", {"Ext__c": "7"}, {"LastName": "Lind", "EXT__C": 7})
    assert (encoded.columns, encoded.body) == (("Ext__c", "LastName"), b"7,Lind")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("JSON", b'{"Ext__c":"A-2","LastName":"Lind","Email":null}', id="JSON"),
        pytest.param(
            "XML",
            b'<sObject><Ext__c>A-2</Ext__c><LastName>Lind</LastName><Email xsi:nil="true"/></sObject>',
            id="XML",
        ),
    ],
)
def test_row_in_another_form_names_its_columns_itself(content_type: ContentType, body: bytes) -> None:
    encoded = encode("upsert", {"Ext__c": "A-2"}, {"LastName": "Lind", "Email": None}, content_type=content_type)
    assert (encoded.body, encoded.columns) == (body, ())


def test_receipt_warns_of_a_text_that_was_empty_and_clears_a_field() -> None:
    encoded = encode(data={"Email": "", "Phone": "", "LastName": "Lind"})
    assert encoded.body == ID.encode() + b",#N/A,#N/A,Lind"
    assert (encoded.warning or "").endswith("(setting empty_text): Email, Phone")
    kept = encode(data={"Email": "", "LastName": "Lind"}, empty_text="keep")
    assert (kept.columns, kept.warning) == (("Id", "LastName"), None)


def test_batch_is_sorted_by_the_configured_column() -> None:
    sort_by = {"contact": "AccountId"}
    assert encode(data={"AccountId": "001"}, sort_by=sort_by).sort_key == "001"
    assert encode(data={"LastName": "x"}, sort_by=sort_by).sort_key == ""
    assert encode(data={"AccountId": "001"}).sort_key is None


@pytest.mark.parametrize(
    ("operation", "key", "data", "settings", "code", "message"),
    [
        pytest.param(
            "upsert", {"Ext__c": "A"}, {"Ext__c": "B"}, {}, "bad-key", "field Ext__c", id="another key in data"
        ),
        pytest.param("upsert", {"Ext__c": "A"}, {"Ext__c": None}, {}, "bad-key", "field Ext__c", id="a key cleared"),
        pytest.param("upsert", {"Ext__c": "A"}, {"Id": ID}, {}, "bad-field", "field Id", id="Id beside an upsert"),
        pytest.param("upsert", {"Ext__c": "#N/A"}, {}, {}, "bad-value", "field Ext__c", id="a key that clears"),
        pytest.param("upsert", {"Ext__c": "a\0"}, {}, {}, "bad-value", "field Ext__c", id="NUL in a key"),
        pytest.param("update", ID, {"A": ["x"]}, {}, "bad-value", "field 'A'", id="a list"),
        pytest.param("insert", None, {}, {}, "bad-data", "at least one field", id="nothing to insert"),
        pytest.param(
            "insert",
            {"Own__c": "A"},
            {},
            {"identifier_fields": {"Contact": "Own__c"}},
            "bad-key",
            "another field than Own__c",
            id="a key where our identifier is written",
        ),
        pytest.param(
            "insert",
            None,
            {"A": "1"},
            {"needs_identifier": True},
            "no-identifier-field",
            "`identifier_fields`",
            id="an insert that no result could be found of",
        ),
        pytest.param("update", ID, {}, {"object_": "Con/tact"}, "unknown-object", "'Con/tact'", id="no object"),
    ],
)
def test_event_is_rejected(
    operation: Operation, key: Key, data: dict[str, Any], settings: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(Rejection, match=message) as rejection:
        encode(operation, key, data, **settings)
    assert rejection.value.code == code
