"""JSON rows: exact values, parents as objects."""

import msgspec
import pytest

from sluice.destinations.contract import Rejection
from sluice.destinations.salesforce.json_rows import encode_row
from sluice.destinations.salesforce.record_fields import Value


def test_row_has_exact_values() -> None:
    values: list[Value] = ["A-2", None, msgspec.Raw(b"1.50"), True, 7, "#N/A"]
    row = encode_row(("Ext__c", "Email", "Amount", "Active__c", "N", "T"), values)
    assert row == b'{"Ext__c":"A-2","Email":null,"Amount":1.50,"Active__c":true,"N":7,"T":"#N/A"}'


def test_parent_is_an_object_with_its_type_if_there_are_several() -> None:
    row = encode_row(("Account.Ext__c", "User:Owner.Email"), ["A-1", "x@y.z"])
    assert msgspec.json.decode(row) == {
        "Account": {"Ext__c": "A-1"},
        "Owner": {"attributes": {"type": "User"}, "Email": "x@y.z"},
    }


@pytest.mark.parametrize("value", ["a\0", msgspec.Raw(b"0." + b"1" * 131_071)], ids=["NUL", "a number too long"])
def test_value_that_no_field_can_hold_is_refused(value: Value) -> None:
    with pytest.raises(Rejection, match="field LastName"):
        encode_row(("LastName",), [value])
