"""Names in the API: fields, parents by one field, and nothing else."""

import pytest

from sluice.destinations.salesforce.api_names import Column, is_api_name, read_column


@pytest.mark.parametrize(
    ("name", "column"),
    [
        pytest.param("LastName", Column("", "", "LastName"), id="a field"),
        pytest.param("ns__Ext__c", Column("", "", "ns__Ext__c"), id="a package's field"),
        pytest.param("Account.Ext__c", Column("", "Account", "Ext__c"), id="a parent"),
        pytest.param("Parent__r.Ext__c", Column("", "Parent__r", "Ext__c"), id="a parent of a custom object"),
        pytest.param("User:Owner.Email", Column("User", "Owner", "Email"), id="a parent of one of several types"),
        pytest.param("Account.Owner.Email", None, id="a parent's parent"),
        pytest.param("User:Owner", None, id="a type without a field"),
        pytest.param("Last Name", None, id="a label"),
        pytest.param("Größe__c", None, id="letters that no name has"),
        pytest.param("\ufeffId", None, id="a BOM"),
        pytest.param("Id\n", None, id="a line break"),
        pytest.param("", None, id="nothing"),
        pytest.param("A" * 256, None, id="more than any name has"),
    ],
)
def test_column_is_read(name: str, column: Column | None) -> None:
    assert read_column(name) == column


def test_object_has_an_api_name() -> None:
    assert is_api_name("Invoice__c")
    assert not is_api_name("Invoice/c")
    assert not is_api_name("Account.Ext__c")
    assert not is_api_name("1st__c")
