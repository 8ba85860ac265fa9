"""Fields of a record: flat, with parents, cleared, kept."""

from typing import Any

import msgspec
import pytest

from sluice.destinations.contract import Rejection
from sluice.destinations.salesforce.record_fields import Value, decode_raws, decode_texts, read_fields

DATA = b'{"N": 1.50, "Big": 123456789012345678901, "E": 1e-5, "B": true, "Gone": null, "T": "x"}'


def test_numbers_keep_the_digits_that_they_came_in() -> None:
    fields = read_fields(decode_texts(msgspec.Raw(DATA)), clears=True)
    assert fields.names == ("N", "Big", "E", "B", "Gone", "T")
    assert fields.values == ["1.50", 123456789012345678901, "1e-5", True, None, "x"]
    assert bytes(decode_raws(msgspec.Raw(DATA))["N"]) == b"1.50"


@pytest.mark.parametrize(
    ("data", "names", "values"),
    [
        pytest.param({"Account": {"Ext__c": "A-1"}}, ("Account.Ext__c",), ["A-1"], id="a parent"),
        pytest.param({"User:Owner": {"Email": "x@y"}}, ("User:Owner.Email",), ["x@y"], id="one of several types"),
        pytest.param({"Account": {"Ext__c": None}}, ("Account.Ext__c",), [None], id="a parent that is cleared"),
        pytest.param({"Account.Ext__c": "A-1"}, ("Account.Ext__c",), ["A-1"], id="a parent as its column is called"),
    ],
)
def test_parent_is_a_column(data: dict[str, Any], names: tuple[str, ...], values: list[Value]) -> None:
    assert read_fields(data, clears=True)[:2] == (names, values)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        pytest.param({"Tags": ["a"]}, "Tags", id="a list"),
        pytest.param({"Account": {}}, "Account", id="a parent by nothing"),
        pytest.param({"Account": {"A": "1", "B": "2"}}, "Account", id="a parent by two fields"),
        pytest.param({"Account": {"Owner": {"A": "1"}}}, "Account.Owner", id="a parent's parent"),
        pytest.param({"Account": {"A": ["1"]}}, "Account.A", id="a parent by a list"),
    ],
)
def test_nested_value_is_refused_by_name(data: dict[str, Any], name: str) -> None:
    with pytest.raises(Rejection, match=f"field '{name}'"):
        read_fields(data, clears=True)


def test_empty_text_clears_a_field_or_is_left_out() -> None:
    data = {"Email": "", "Account": {"Ext__c": ""}, "LastName": "Lind"}
    cleared = read_fields(data, clears=True)
    assert cleared.values == [None, None, "Lind"]
    assert cleared.cleared == ["Email", "Account.Ext__c"]
    assert read_fields(data, clears=False) == (("LastName",), ["Lind"], [])


@pytest.mark.parametrize("data", [b"[]", b'{"a": "\xff"}', b'{"a": '], ids=["a list", "no UTF-8", "cut off"])
def test_data_that_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(Rejection, match="object of fields"):
        decode_texts(msgspec.Raw(data))
