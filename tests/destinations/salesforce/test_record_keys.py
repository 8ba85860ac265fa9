"""Keys of records: by Id, by an external id, or chosen by Salesforce."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.destinations.contract import Rejection
from sluice.destinations.salesforce.record_keys import RecordKey, match_name, read_key
from sluice.events import Key, Operation
from tests.support.factories import record

ID_15 = "003X00000000001"
ID_18 = "003X00000000001AAA"


@pytest.mark.parametrize(
    ("operation", "key", "found"),
    [
        pytest.param("update", ID_18, RecordKey("Id", ID_18), id="an update by Id"),
        pytest.param("delete", ID_15, RecordKey("Id", ID_15), id="a delete by an Id of 15"),
        pytest.param("hardDelete", {"id": ID_15}, RecordKey("Id", ID_15), id="a hardDelete that names Id"),
        pytest.param("upsert", {"Ext__c": "A 1"}, RecordKey("Ext__c", "A 1"), id="an upsert by a field"),
        pytest.param("upsert", "A-1", RecordKey("Own__c", "A-1"), id="an upsert by the configured field"),
        pytest.param("upsert", {"Id": ID_18}, RecordKey("Id", ID_18), id="an upsert by Id"),
        pytest.param("insert", None, None, id="an insert"),
        pytest.param("insert", {"Ext__c": "A-1"}, RecordKey("Ext__c", "A-1"), id="an insert with its external id"),
        pytest.param("insert", "A-1", RecordKey("Own__c", "A-1"), id="an insert with the configured one"),
    ],
)
def test_record_is_found_by(operation: Operation, key: Key, found: RecordKey | None) -> None:
    assert read_key(record(operation=operation, key=key), "Own__c") == found


@pytest.mark.parametrize(
    ("operation", "key", "external_id", "message"),
    [
        pytest.param("update", "A-1", "Own__c", "Salesforce Id of 15 or 18", id="an update by another text"),
        pytest.param("update", ID_15 + "A", "Own__c", "Salesforce Id of 15 or 18", id="an Id of 16"),
        pytest.param("update", {"Ext__c": "A-1"}, "", "got an object with Ext__c", id="an update by an external id"),
        pytest.param("delete", {"Ext__c": "A-1"}, "", "the record's Salesforce Id", id="a delete by an external id"),
        pytest.param("upsert", "A-1", "", "`external_ids` for Contact", id="an upsert by a text, nothing configured"),
        pytest.param("upsert", {"A__c": "1", "B__c": "2"}, "", "with A__c, B__c", id="two fields"),
        pytest.param("upsert", [{"A__c": "1"}], "", "got 1 alternatives", id="alternatives"),
        pytest.param("upsert", {"Ext Id": "1"}, "", "with Ext Id", id="a label"),
        pytest.param("upsert", {"Ext__c": " "}, "", "got blanks", id="blanks"),
        pytest.param("upsert", None, "Own__c", "got none", id="no key"),
        pytest.param("insert", {"Id": ID_15}, "", "expected as key of an insert none", id="an insert with an Id"),
    ],
)
def test_key_is_refused(operation: Operation, key: Key, external_id: str, message: str) -> None:
    with pytest.raises(Rejection, match=message) as rejection:
        read_key(record("Contact", operation=operation, key=key), external_id)
    assert rejection.value.code == "bad-key"


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        pytest.param("Ext__c", "ABC", "abc", id="in another case"),
        pytest.param("Ext__c", " A-1 ", "A-1", id="without blanks"),
        pytest.param("Ext__c", "912260031", "9.12260031E8", id="as a number in another form"),
        pytest.param("Ext__c", "10", "10.0", id="as a number of another scale"),
        pytest.param("Ext__c", "-0", "0", id="without a sign that says nothing"),
        pytest.param("Id", ID_15, ID_18, id="with a checksum"),
    ],
)
def test_record_is_the_same(field: str, one: str, other: str) -> None:
    assert match_name(field, one) == match_name(field, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("A-1", "A-2", id="by a text"),
        pytest.param("100000000000000001", "100000000000000002", id="by digits that no double tells apart"),
        pytest.param("1e400", "1e401", id="by numbers beyond a double"),
        pytest.param("1-1", "1-2", id="by texts that begin with a digit"),
    ],
)
def test_records_are_told_apart(one: str, other: str) -> None:
    assert match_name("Ext__c", one) != match_name("Ext__c", other)


@given(st.integers(-(10**14), 10**14))
def test_number_is_found_again_in_any_form(number: int) -> None:
    assert match_name("N__c", f"{number}.0") == match_name("N__c", f"{number:.15E}") == match_name("N__c", str(number))
